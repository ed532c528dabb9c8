import type { ParsedEvent } from './dropped-object.ts';
import { isEventBridgeEvent, parseEventBridge } from './eventbridge.ts';
import { isObject, malformed } from './fields.ts';
import { isS3Notification, isTestEvent, parseS3Notification } from './s3-notification.ts';

/** SNS inside SQS inside a forwarded message: deeper than that nobody means it. */
const MAX_DEPTH = 4;

/**
 * What an event says was dropped, in whatever form it comes: an EventBridge event, S3's own notification, either of them inside a message
 * of SNS, or `{ "drops": ["s3://…"] }` from a person.
 * @param event JSON, as an object or as text
 * @throws LakegateError `invalid` for anything else
 */
export function parseEvent(event: unknown, depth = 0): ParsedEvent {
  const value = typeof event === 'string' ? fromJson(event) : event;
  if (!isObject(value) || depth > MAX_DEPTH) throw malformed('an event of S3', value);
  if (isTestEvent(value)) return { kind: 'ignored', reason: "S3's test event" };
  if (isEventBridgeEvent(value)) return parseEventBridge(value);
  if (isS3Notification(value)) return parseS3Notification(value);
  // SNS to SQS: the message is in the envelope. SNS to Lambda: the envelope is in a record.
  if (typeof value.Message === 'string' && typeof value.TopicArn === 'string')
    return parseEvent(value.Message, depth + 1);
  if (Array.isArray(value.Records) && value.Records.length > 0) return parseSnsRecords(value.Records, depth);
  if (Array.isArray(value.drops)) return parseDirect(value.drops);
  throw malformed('an event of S3, or { "drops": ["s3://bucket/key"] }', value);
}

function parseSnsRecords(records: readonly unknown[], depth: number): ParsedEvent {
  const parsed = records.map((record) => {
    if (!isObject(record) || !isObject(record.Sns)) throw malformed('records of S3 or SNS', record);
    return parseEvent(record.Sns.Message, depth + 1);
  });
  const drops = parsed.flatMap((each) => (each.kind === 'drops' ? each.drops : []));
  return drops.length > 0 ? { kind: 'drops', drops } : parsed[0]!;
}

function parseDirect(drops: readonly unknown[]): ParsedEvent {
  return {
    kind: 'drops',
    drops: drops.map((url) => {
      if (typeof url !== 'string' || url === '') throw malformed('URLs in "drops"', url);
      return { url };
    }),
  };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('JSON', text);
  }
}
