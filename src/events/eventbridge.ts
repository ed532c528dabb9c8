import type { ParsedEvent } from './dropped-object.ts';
import { type Json, malformed, objectIn, objectUrl, textIn, timeFact, versionFacts } from './fields.ts';

/** Whether it is an event as EventBridge hands it over, from whatever source. */
export function isEventBridgeEvent(event: Json): boolean {
  return typeof event.source === 'string' && typeof event['detail-type'] === 'string';
}

/**
 * An event of S3 through EventBridge (S3 User Guide, "EventBridge event message structure"). Keys come as they are, not URL-encoded.
 * @throws LakegateError `invalid` when it is from elsewhere, or lacks bucket or key
 */
export function parseEventBridge(event: Json): ParsedEvent {
  const type = textIn(event, 'detail-type');
  if (event.source !== 'aws.s3') throw malformed('an event of aws.s3', { source: event.source, 'detail-type': type });
  if (type !== 'Object Created') return { kind: 'ignored', reason: `${type} is no drop` };
  const detail = objectIn(event, 'detail');
  const object = objectIn(detail, 'object');
  const url = objectUrl(textIn(objectIn(detail, 'bucket'), 'name'), textIn(object, 'key'));
  const facts = versionFacts(object, { etag: 'etag', version: 'version-id' });
  return { kind: 'drops', drops: [{ url, ...facts, ...timeFact(event.time) }] };
}
