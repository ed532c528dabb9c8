/** Tables over the source's own files: what Glue is told, and which tables cannot be so. */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { LakegateError } from '../../src/errors.ts';
import { createStores } from '../../src/storage/stores.ts';
import { matchSource } from '../../src/tables/prepare-split.ts';
import { registerVirtual, type SnapshotPartitions, type VirtualPartition } from '../../src/tables/virtual.ts';
import { fakeCatalog } from './pipeline-fakes.ts';

const SNAPSHOT = '2026-01-31';
const store = createStores();
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-virtual-'));
  await mkdir(join(scratch, `snapshot_dt=${SNAPSHOT}`));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const files = [
    "1::int as Id, 'a' as Name, 1::int as wide, [1] as list, 1::uinteger as unsigned, 1 as late",
    "2::int as Id, 'b' as Name, 2::bigint as wide, [2] as list, 2::uinteger as unsigned, 2 as late, 3.5::decimal(9,2) as more",
  ];
  for (const [index, columns] of files.entries()) {
    await connection.run(
      `copy (select ${columns}) to '${scratch}/snapshot_dt=${SNAPSHOT}/${index}.parquet' (format parquet)`,
    );
  }
  connection.closeSync();
  instance.closeSync();
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

function fakePartitions(): SnapshotPartitions & { found: Map<string, VirtualPartition>; done: string[] } {
  const found = new Map<string, VirtualPartition>();
  const done: string[] = [];
  return {
    found,
    done,
    async get(database, table, date) {
      const partition = found.get(`${database}.${table}/${date}`);
      return partition && { location: partition.location, columns: [...partition.columns] };
    },
    async put(database, table, partition, exists) {
      done.push(`${exists ? 'update' : 'create'} ${table}`);
      found.set(`${database}.${table}/${partition.date}`, partition);
    },
  };
}

const MAP = 'table,column\nGOOD,name\nGOOD,more\nCAST,wide\nNESTED,list\nUNSIGNED,unsigned\nALIAS,late\n';

async function register(
  ports: { catalog: ReturnType<typeof fakeCatalog>; partitions: SnapshotPartitions },
  dryRun = false,
) {
  const source = `file://${scratch}/`;
  const request = { source, key: 'id', aliases: { late: 'later' }, only: [], strict: false };
  const matched = await matchSource(store, { ...request, map: { text: MAP, name: 'map' } });
  return registerVirtual({ store, ...ports }, matched, { database: 'db', prefix: 'part_', source, dryRun });
}

test('tables that can be, made once; the others left with the reason', async () => {
  const [catalog, partitions] = [fakeCatalog(), fakePartitions()];
  const dry = await register({ catalog, partitions }, true);
  expect([dry[0], catalog.done, partitions.done]).toMatchObject([{ outcome: 'created', partition: 'created' }, [], []]);
  const outcomes = await register({ catalog, partitions });
  expect(outcomes[0]!.remark).toBe('Athena cannot read it: its files lie on this machine');
  expect(outcomes.map(({ table, outcome, reason }) => [table, outcome, reason])).toEqual([
    ['part_good', 'created', undefined],
    ['part_cast', 'left', 'column `wide` needs a cast: its type differs between files'],
    ['part_nested', 'left', 'column `list` is nested'],
    ['part_unsigned', 'left', expect.stringContaining('32 bits without a sign')],
    ['part_alias', 'left', 'column `late` is `later` in the table, and readers find columns by their names'],
  ]);
  const table = catalog.tables.get('db.part_good')!;
  expect(table).toMatchObject({
    location: `file://${scratch}/`,
    partitionKeys: [{ name: 'snapshot_dt', type: 'string' }],
  });
  const columns = [
    { name: 'id', type: 'int' },
    { name: 'name', type: 'string' },
    { name: 'more', type: 'decimal(9,2)' },
  ];
  expect(table.columns).toEqual(columns);
  const location = `file://${scratch}/snapshot_dt=${SNAPSHOT}/`;
  expect([...partitions.found]).toEqual([[`db.part_good/${SNAPSHOT}`, { date: SNAPSHOT, location, columns }]]);
  expect((await register({ catalog, partitions }))[0]).toMatchObject({ outcome: 'unchanged', partition: 'unchanged' });
  expect([catalog.done, partitions.done]).toEqual([['create part_good'], ['create part_good']]);
  // A partition that leads elsewhere is led back.
  partitions.found.set(`db.part_good/${SNAPSHOT}`, { date: SNAPSHOT, location: 'file:///old/', columns });
  expect((await register({ catalog, partitions }))[0]).toMatchObject({ outcome: 'unchanged', partition: 'updated' });
  expect(partitions.done).toEqual(['create part_good', 'update part_good']);
});

test('somebody else’s table is not taken; a catalogue that does not answer fails the table', async () => {
  const [catalog, partitions] = [fakeCatalog(), fakePartitions()];
  await register({ catalog, partitions });
  catalog.tables.set('db.part_good', {
    ...catalog.tables.get('db.part_good')!,
    type: 'VIRTUAL_VIEW',
    comment: 'theirs',
  });
  expect((await register({ catalog, partitions }))[0]).toMatchObject({
    outcome: 'failed',
    reason: expect.stringContaining('Remove or rename it') as string,
  });
  const silent = { ...partitions, get: () => Promise.reject(new LakegateError('unavailable', 'no answer')) };
  expect((await register({ catalog: fakeCatalog(), partitions: silent }))[0]).toMatchObject({
    outcome: 'failed',
    reason: 'no answer',
  });
});
