import { GlueClient } from '@aws-sdk/client-glue';
import type { Emulator } from './emulators/index.ts';

/**
 * A client of an emulator's Glue.
 * @param requests collects the names of the operations that are asked for
 */
export function clientOf({ endpoint, env }: Pick<Emulator, 'endpoint' | 'env'>, requests?: string[]): GlueClient {
  const client = new GlueClient({
    endpoint,
    region: env.AWS_REGION!,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID!, secretAccessKey: env.AWS_SECRET_ACCESS_KEY! },
  });
  client.middlewareStack.add(
    (next, context) => (args) => {
      requests?.push(String(context.commandName).replace(/Command$/, ''));
      return next(args);
    },
    { step: 'initialize', name: 'countRequests' },
  );
  return client;
}
