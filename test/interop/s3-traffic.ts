import type { S3Client } from '@aws-sdk/client-s3';
import { createS3Client } from '../../src/storage/s3-client.ts';

/** What went over the wire between a process and S3. */
export interface Traffic {
  /** How often each operation was sent, attempts counted singly. */
  requests: Record<string, number>;
  /** Bytes of objects that the process read, and that it wrote. */
  received: number;
  sent: number;
}

/** An S3 client, as the environment says, that counts. */
export function countingClient(): { client: S3Client; traffic: Traffic } {
  const client = createS3Client();
  const traffic: Traffic = { requests: {}, received: 0, sent: 0 };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const operation = (context.commandName ?? '').replace(/Command$/, '');
      traffic.requests[operation] = (traffic.requests[operation] ?? 0) + 1;
      const sent = args.input as { Body?: Uint8Array };
      traffic.sent += sent.Body?.byteLength ?? 0;
      const answer = await next(args);
      const { ContentLength } = answer.output as { ContentLength?: number };
      if (operation === 'GetObject') traffic.received += ContentLength ?? 0;
      return answer;
    },
    { step: 'deserialize', priority: 'high', name: 'countTraffic' },
  );
  return { client, traffic };
}
