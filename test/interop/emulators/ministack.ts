import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { awsEnvironment, type Emulator, REGION } from './emulator.ts';
import { freePorts, installed, startServer } from './process.ts';

export interface MiniStackOptions {
  /** Further variables of the emulator's own environment; its Lambdas see them too, AWS_ENDPOINT_URL included. */
  env?: Readonly<Record<string, string>>;
  /** Where it listens, for who has to know before it starts. Default: a free port. */
  port?: number;
}

/**
 * MiniStack: S3, EventBridge, SQS, Lambda, Glue, CloudFormation, Secrets Manager, CloudWatch and more, in memory.
 * Functions run as processes of this machine, on lakegate's own Node.
 * @throws Error with its log when it does not start
 */
export async function startMiniStack(options: MiniStackOptions = {}): Promise<Emulator> {
  const command = installed('aws-venv', 'bin', 'ministack');
  const port = options.port ?? (await freePorts(1))[0];
  const endpoint = `http://127.0.0.1:${port}`;
  const scratch = mkdtempSync(join(tmpdir(), 'ministack-'));
  const server = await startServer({
    name: 'MiniStack',
    command,
    args: [],
    cwd: scratch,
    env: {
      ...awsEnvironment(endpoint),
      GATEWAY_PORT: String(port),
      MINISTACK_HOST: '127.0.0.1',
      MINISTACK_REGION: REGION,
      LAMBDA_EXECUTOR: 'local',
      TMPDIR: scratch,
      S3_DATA_DIR: join(scratch, 's3'),
      STATE_DIR: join(scratch, 'state'),
      PATH: [nodeFolder(), process.env.PATH].join(delimiter),
      ...options.env,
    },
    health: `${endpoint}/_ministack/health`,
  });
  return {
    endpoint,
    env: awsEnvironment(endpoint),
    log: server.log,
    async stop() {
      await server.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** The folder of the Node that npm installed: the Lambdas' version, whatever the machine's own is. */
function nodeFolder(): string {
  return dirname(resolve(import.meta.dirname, '../../../node_modules/node/bin/node'));
}
