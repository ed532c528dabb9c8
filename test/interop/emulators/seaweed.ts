import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsEnvironment, type Emulator } from './emulator.ts';
import { freePorts, installed, startServer } from './process.ts';

/** The S3 endpoint is `endpoint`; its env sets AWS_ENDPOINT_URL_S3 and, for other services it has, AWS_ENDPOINT_URL to it. */
export interface Seaweed extends Emulator {
  /** The Iceberg REST catalogue of its table buckets (the S3 Tables API), without `/v1`. */
  restEndpoint: string;
}

/**
 * SeaweedFS: an S3 server that is one, with conditional writes that hold under races.
 * @throws Error with its log when it does not start
 */
export async function startSeaweed(): Promise<Seaweed> {
  const command = installed('aws-venv', 'bin', 'weed');
  const ports = await freePorts(9);
  const [s3, s3Grpc, rest, master, masterGrpc, volume, volumeGrpc, filer, filerGrpc] = ports;
  const endpoint = `http://127.0.0.1:${s3}`;
  const restEndpoint = `http://127.0.0.1:${rest}`;
  const folder = mkdtempSync(join(tmpdir(), 'seaweed-'));
  const env = awsEnvironment(endpoint);
  const identities = join(folder, 's3.json');
  writeFileSync(identities, JSON.stringify({ identities: [identity(env)] }));
  const server = await startServer({
    name: 'SeaweedFS',
    command,
    cwd: folder,
    args: [
      'server',
      '-s3',
      `-dir=${folder}`,
      '-ip=127.0.0.1',
      '-ip.bind=127.0.0.1',
      `-s3.port=${s3}`,
      `-s3.config=${identities}`,
      `-s3.port.grpc=${s3Grpc}`,
      `-s3.port.iceberg=${rest}`,
      // It would take this well-known port otherwise, from another SeaweedFS of this machine.
      '-s3.port.lance=0',
      `-master.port=${master}`,
      `-master.port.grpc=${masterGrpc}`,
      // Volumes of 1 GB hold a test's data; the default allots 30 GB at once.
      '-master.volumeSizeLimitMB=1024',
      '-volume.max=20',
      `-volume.port=${volume}`,
      `-volume.port.grpc=${volumeGrpc}`,
      `-filer.port=${filer}`,
      `-filer.port.grpc=${filerGrpc}`,
    ],
    // It answers 200 here only once its filer and its volumes take writes.
    health: `${endpoint}/healthz`,
  });
  return {
    endpoint,
    restEndpoint,
    env,
    log: server.log,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Signatures are checked: who signs wrongly here would be refused on AWS too. */
function identity(env: Record<string, string>): object {
  return {
    name: 'test',
    credentials: [{ accessKey: env.AWS_ACCESS_KEY_ID, secretKey: env.AWS_SECRET_ACCESS_KEY }],
    actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
  };
}
