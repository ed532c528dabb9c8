import type { Catalog, LoadedTable } from '../../src/catalogs/catalog.ts';
import { LakegateError } from '../../src/errors.ts';
import { newTableMetadata } from '../../src/iceberg/create.ts';
import type { DataFile, PartitionSpec, Schema, TableMetadata } from '../../src/iceberg/model.ts';
import type { Plan } from '../../src/iceberg/plan.ts';
import { checkRequirements } from '../../src/iceberg/requirements.ts';
import type { TableIO } from '../../src/iceberg/table-io.ts';
import { applyUpdates } from '../../src/iceberg/updates.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';

/** One table in a memory store, committed to by swapping the metadata in memory. */
export interface FakeTable {
  io: TableIO;
  store: ObjectStore;
  current: LoadedTable;
  clock: { now: number };
  /** Commits the plan and does with its files what a gate does. */
  commit(plan: Plan): Promise<LoadedTable>;
  catalog: Catalog;
}

export const SCHEMA: Schema = {
  type: 'struct',
  schemaId: 0,
  fields: [
    { id: 1, name: 'id', required: false, type: 'long' },
    { id: 2, name: 'region', required: false, type: 'string' },
    { id: 3, name: 'amount', required: false, type: 'decimal(9, 2)' },
    { id: 4, name: 'at', required: false, type: 'timestamp' },
  ],
};
export const UNPARTITIONED: PartitionSpec = { specId: 0, fields: [] };
export const BY_REGION: PartitionSpec = {
  specId: 0,
  fields: [{ sourceId: 2, fieldId: 1000, name: 'region', transform: 'identity' }],
};

export function fakeTable({
  schema = SCHEMA,
  spec = UNPARTITIONED,
  properties = {},
}: {
  schema?: Schema;
  spec?: PartitionSpec;
  properties?: Record<string, string>;
} = {}): FakeTable {
  const clock = { now: Date.UTC(2026, 0, 1) };
  let uuids = 0;
  let ids = 2n ** 62n;
  const store = createMemoryStore(() => clock.now);
  const io: TableIO = {
    store,
    now: () => clock.now,
    uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`,
    snapshotId: () => ++ids,
  };
  const location = 'memory:/wh/t';
  const metadata = newTableMetadata({ schema, spec, properties, location, uuid: io.uuid(), nowMs: clock.now });
  const identifier = { namespace: ['ns'], name: 't' };
  const table: FakeTable = {
    io,
    store,
    clock,
    current: { identifier, metadataLocation: `${location}/metadata/00000-x.metadata.json`, metadata },
    commit: async (plan) => {
      clock.now += 1000;
      const { metadata: base } = table.current;
      checkRequirements(base, plan.requirements);
      swap(applyUpdates(base, plan.updates, clock.now));
      await store.delete(plan.obsolete);
      return table.current;
    },
    catalog: {
      name: 'fake',
      loadTable: async () => table.current,
      findTable: async () => table.current,
      createTable: async () => table.current,
      commit: async (base, requirements, updates) => {
        clock.now += 1000;
        if (base !== table.current) throw new LakegateError('conflict', 'the table has moved');
        checkRequirements(base.metadata, requirements);
        return swap(applyUpdates(base.metadata, updates, clock.now));
      },
      listTables: async () => [identifier],
      dropTable: async () => undefined,
      close: () => undefined,
    },
  };
  const swap = (next: TableMetadata) => {
    table.current = { ...table.current, metadata: next };
    return table.current;
  };
  return table;
}

export function dataFile(path: string, rows = 10, partition: DataFile['partition'] = []): DataFile {
  return {
    content: 'data',
    filePath: path.includes(':') ? path : `memory:/wh/t/data/${path}`,
    fileFormat: 'PARQUET',
    partition,
    recordCount: rows,
    fileSizeInBytes: rows * 100,
    columnSizes: new Map([[1, 40]]),
    valueCounts: new Map([[1, rows]]),
    nullValueCounts: new Map([[1, 0]]),
    lowerBounds: new Map([[1, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0])]]),
    upperBounds: new Map([[1, new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0])]]),
    splitOffsets: [4],
  };
}
