import { snapshotById } from '../../src/iceberg/ancestry.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import type { PartitionSpec, PrimitiveType, Value } from '../../src/iceberg/model.ts';
import { planOverwrite } from '../../src/iceberg/overwrite.ts';
import { planPublish } from '../../src/iceberg/publish.ts';
import { liveFiles } from '../../src/iceberg/published.ts';
import { planRemoveFiles } from '../../src/iceberg/remove-files.ts';
import { loadManifests } from '../../src/iceberg/table-io.ts';
import { dataFile, type FakeTable, fakeTable, SCHEMA } from './fake-table.ts';

/** A table partitioned by a column of the narrow type, with one file, whose column is then widened. */
async function widened(from: PrimitiveType, to: PrimitiveType, transform: 'identity' | 'truncate[10]', value: Value) {
  const spec: PartitionSpec = { specId: 0, fields: [{ sourceId: 9, fieldId: 1000, name: 'p', transform }] };
  const schema = (type: PrimitiveType) => ({
    ...SCHEMA,
    fields: [...SCHEMA.fields, { id: 9, name: 'n', required: false, type }],
  });
  const table = fakeTable({ properties: { 'commit.manifest.min-count-to-merge': '3' } });
  const { metadata } = table.current;
  table.current = {
    ...table.current,
    metadata: { ...metadata, schemas: [schema(from)], lastColumnId: 9, partitionSpecs: [spec], lastPartitionId: 1000 },
  };
  await append(table, 'old1', value);
  await append(table, 'old2', value);
  await table.commit({
    requirements: [],
    updates: [
      { action: 'add-schema', schema: schema(to), lastColumnId: 9 },
      { action: 'set-current-schema', schemaId: -1 },
    ],
    written: [],
    obsolete: [],
  });
  return table;
}

async function append(table: FakeTable, name: string, value: Value) {
  const files = { branch: 's', dataFiles: [dataFile(name, 1, [value])], summary: {} };
  await publish(table, await planAppend(table.io, table.current, files));
}

async function publish(table: FakeTable, plan: Awaited<ReturnType<typeof planAppend>>) {
  await table.commit(plan);
  const auditedSnapshotId = table.current.metadata.refs.s!.snapshotId;
  const publication = { branch: 's', auditedSnapshotId, keep: [], summary: {} };
  await table.commit(await planPublish(table.io, table.current, publication));
}

/** As another process sees it: nothing in the cache. */
async function tuples(table: FakeTable) {
  const cold = { ...table.io, store: { ...table.store } };
  const files = await liveFiles(cold, table.current, 'main');
  return Object.fromEntries([...files].map(([path, { partition }]) => [path.split('/').pop(), partition[0]]));
}

const cases: [PrimitiveType, PrimitiveType, 'identity' | 'truncate[10]', Value, Value][] = [
  ['int', 'long', 'identity', 20, 20n],
  ['int', 'long', 'truncate[10]', 20, 20n],
  ['float', 'double', 'identity', 0.5, 0.5],
  ['decimal(3, 2)', 'decimal(30, 2)', 'identity', -20n, -20n],
];

describe.each(cases)('a partition column widened from %s to %s (%s)', (from, to, transform, before, after) => {
  test('its older manifests can be merged', async () => {
    const table = await widened(from, to, transform, before);
    await append(table, 'new', after);
    expect(await tuples(table)).toEqual({ old1: after, old2: after, new: after });
    const head = snapshotById(table.current.metadata, table.current.metadata.currentSnapshotId!)!;
    expect(await loadManifests(table.io, head)).toHaveLength(2);
  });

  test('its older files can be taken out and overwritten', async () => {
    const table = await widened(from, to, transform, before);
    const paths = new Set([dataFile('old1').filePath]);
    await table.commit(await planRemoveFiles(table.io, table.current, { paths, summary: {} }));
    expect(Object.keys(await tuples(table))).toEqual(['old2']);
    const files = {
      branch: 's',
      dataFiles: [dataFile('new', 1, [after])],
      summary: {},
      replace: 'partitions' as const,
    };
    await publish(table, await planOverwrite(table.io, table.current, files));
    expect(await tuples(table)).toEqual({ new: after });
  });
});
