import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { LakegateError } from '../errors.ts';
import { awsFault, isMissing } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

/** A message in hand: nobody else gets it for a while. */
export interface QueueMessage {
  id: string;
  body: string;
  /** When it was put into the queue; milliseconds since the epoch, UTC. */
  sentMs: number;
  /** What it is given back or deleted by. */
  receipt: string;
}

/** A queue, as far as moving its messages takes it. Every operation @throws LakegateError `config` | `unavailable` */
export interface MessageQueue {
  readonly name: string;
  /** About how many messages wait. */
  waiting(): Promise<number>;
  /** Up to ten messages, taken in hand; none where none was found within a second. */
  receive(): Promise<QueueMessage[]>;
  send(body: string): Promise<void>;
  delete(message: QueueMessage): Promise<void>;
  /** Gives a message back at once. */
  release(message: QueueMessage): Promise<void>;
}

/** Seconds that a message is in hand: sending and deleting it takes far less. */
const IN_HAND_SECONDS = 120;

/**
 * A queue of SQS.
 * @throws LakegateError `config` when there is none of that name
 */
export async function openQueue(region: string, name: string): Promise<MessageQueue> {
  const client = new SQSClient(clientSettings(region));
  const QueueUrl = await urlOf(client, name);
  const doing = async <T>(what: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      throw awsFault(error, `${what} the queue ${name}`);
    }
  };
  return {
    name,
    waiting: () =>
      doing('look into', async () => {
        const AttributeNames = ['ApproximateNumberOfMessages' as const];
        const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
        return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
      }),
    receive: () =>
      doing('read', async () => {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: 10,
            VisibilityTimeout: IN_HAND_SECONDS,
            // Long polling asks every server of the queue; without it, an empty answer may be wrong.
            WaitTimeSeconds: 1,
            MessageSystemAttributeNames: ['SentTimestamp'],
          }),
        );
        return Messages.map(({ MessageId = '', Body = '', ReceiptHandle = '', Attributes }) => ({
          id: MessageId,
          body: Body,
          sentMs: Number(Attributes?.SentTimestamp ?? 0),
          receipt: ReceiptHandle,
        }));
      }),
    send: (body) =>
      doing('write to', async () => void (await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body })))),
    delete: ({ receipt }) =>
      doing('delete from', async () => {
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receipt }));
      }),
    release: ({ receipt }) =>
      doing('give a message back to', async () => {
        await client.send(
          new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: receipt, VisibilityTimeout: 0 }),
        );
      }),
  };
}

async function urlOf(client: SQSClient, name: string): Promise<string> {
  try {
    return (await client.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl!;
  } catch (error) {
    if (!isMissing(error)) throw awsFault(error, `find the queue ${name}`);
    throw new LakegateError(
      'config',
      `there is no queue ${name}: is the stage deployed? \`lakegate doctor\` tells what of it is there`,
      { context: { queue: name } },
    );
  }
}
