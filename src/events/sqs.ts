import { isObject, type Json } from './fields.ts';

/** One message of a queue as Lambda hands it over. */
export interface QueueMessage {
  id: string;
  body: string;
  /** When it was put into the queue, milliseconds since the epoch. */
  sentAt?: number;
  /** Times it was handed over, this one included. */
  receives: number;
}

/**
 * The messages of an SQS batch (Lambda Developer Guide, "Using Lambda with Amazon SQS"), or undefined when the event is none.
 */
export function queueMessages(event: unknown): QueueMessage[] | undefined {
  if (!isObject(event) || !Array.isArray(event.Records) || event.Records.length === 0) return undefined;
  if (!event.Records.every(isQueueRecord)) return undefined;
  return event.Records.map((record) => {
    const attributes = isObject(record.attributes) ? record.attributes : {};
    const sentAt = Number(attributes.SentTimestamp);
    return {
      id: record.messageId,
      body: record.body,
      ...(sentAt > 0 && { sentAt }),
      receives: Number(attributes.ApproximateReceiveCount) || 1,
    };
  });
}

function isQueueRecord(record: unknown): record is Json & { messageId: string; body: string } {
  return isObject(record) && typeof record.messageId === 'string' && typeof record.body === 'string';
}
