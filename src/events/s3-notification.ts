import type { DroppedObject, ParsedEvent } from './dropped-object.ts';
import { isObject, type Json, malformed, objectIn, objectUrl, textIn, timeFact, versionFacts } from './fields.ts';

/** Whether it is what S3 sends when a bucket's notifications are set up: nothing happened. */
export function isTestEvent(event: Json): boolean {
  return event.Event === 's3:TestEvent';
}

/** Whether it holds records of S3's own notifications. */
export function isS3Notification(event: Json): boolean {
  const { Records: records } = event;
  return (
    Array.isArray(records) && records.length > 0 && records.every((record) => isObject(record) && isObject(record.s3))
  );
}

/**
 * S3's own notification (S3 User Guide, "Event message structure"): one or more records, keys URL-encoded with `+` for a space.
 * @throws LakegateError `invalid` when a record lacks bucket or key, or its key cannot be decoded
 */
export function parseS3Notification(event: Json): ParsedEvent {
  const records = event.Records as readonly Json[];
  const drops = records.flatMap((record): DroppedObject[] => {
    // `ObjectCreated:Put` to a queue; with the prefix `s3:` where a bucket's other targets are told.
    if (!/^(s3:)?ObjectCreated:/.test(textIn(record, 'eventName'))) return [];
    const s3 = objectIn(record, 's3');
    const object = objectIn(s3, 'object');
    const url = objectUrl(textIn(objectIn(s3, 'bucket'), 'name'), decodeKey(textIn(object, 'key')));
    return [{ url, ...versionFacts(object, { etag: 'eTag', version: 'versionId' }), ...timeFact(record.eventTime) }];
  });
  if (drops.length > 0) return { kind: 'drops', drops };
  return { kind: 'ignored', reason: `${records.map(({ eventName }) => eventName).join(', ')}: no drop` };
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw malformed('a URL-encoded key', key);
  }
}
