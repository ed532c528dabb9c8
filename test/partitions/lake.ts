import { randomUUID } from 'node:crypto';
import type { Table } from '@aws-sdk/client-glue';
import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import { createGluePartitions } from '../../src/partitions/glue.ts';
import { createPacedGlueClient } from '../../src/partitions/glue-requests.ts';
import type { PartitionPorts } from '../../src/partitions/ports.ts';
import { createFolderClient, s3Folders } from '../../src/partitions/s3-folders.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'sesame' };

/** Partition management over the real clients, against a server that stands in for Glue and S3. */
export function portsTo(endpoint: string, changes: Partial<PartitionPorts> = {}): PartitionPorts & { close(): void } {
  const client = createPacedGlueClient({ endpoint, region: 'eu-west-1', credentials: CREDENTIALS });
  const s3 = createFolderClient({ endpoint, env: {}, region: 'eu-west-1' });
  s3.config.credentials = async () => CREDENTIALS;
  const time = {
    now: Date.now,
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
    ...(changes.remainingMs !== undefined && { remainingMs: changes.remainingMs }),
  };
  return {
    ...time,
    catalog: createGluePartitions({ ...time, client }),
    folders: (location, tally) => s3Folders(s3, location, tally),
    // After all days that tests use: what is the newest folder does not depend on when they are run.
    now: () => Date.UTC(2060, 0, 1),
    store: createMemoryStore(),
    uuid: randomUUID,
    close() {
      client.destroy();
      s3.destroy();
    },
    ...changes,
  };
}

export function configWith(changes: Partial<PartitionsConfig> = {}): PartitionsConfig {
  return {
    databases: ['*_raw'],
    exclude: [],
    lookbackMs: 3 * 86_400_000,
    remove: false,
    updateSchema: false,
    schedule: {},
    concurrency: 10,
    buckets: [],
    tables: [],
    state: 'memory:/lake/partitions/',
    ...changes,
  };
}

/** A table as Athena's DDL leaves it. @param keys `dt:date` */
export function tableOf(name: string, keys: readonly string[], changes: Partial<Table> = {}): Table & { Name: string } {
  return {
    Name: name,
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: keys.map((key) => ({ Name: key.split(':')[0], Type: key.split(':')[1] ?? 'string' })),
    StorageDescriptor: {
      Columns: [
        { Name: 'id', Type: 'bigint' },
        { Name: 'note', Type: 'string' },
      ],
      Location: `s3://raw/${name}`,
      InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
      OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
      Compressed: true,
      NumberOfBuckets: -1,
      SerdeInfo: {
        SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
        Parameters: { 'serialization.format': '1' },
      },
      SkewedInfo: { SkewedColumnNames: ['note'], SkewedColumnValues: ['x'] },
      Parameters: { own: 'yes' },
      StoredAsSubDirectories: false,
    },
    ...changes,
  };
}

const DAY_MS = 86_400_000;

/** `dt=2026-01-01/` and so on, by days counted from the first of January 2026. */
export function days(from: number, to: number, format = (day: string) => `dt=${day}/`): string[] {
  return Array.from({ length: to - from }, (_, i) =>
    format(new Date(Date.UTC(2026, 0, 1) + (from + i) * DAY_MS).toISOString().slice(0, 10)),
  );
}
