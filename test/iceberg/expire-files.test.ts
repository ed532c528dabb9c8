import { headOf } from '../../src/iceberg/ancestry.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import { expiredFiles, planOrphans } from '../../src/iceberg/expire-files.ts';
import { planPublish } from '../../src/iceberg/publish.ts';
import { fileKey, isUnderLocation, reachableFiles } from '../../src/iceberg/reachable.ts';
import { planDropBranch } from '../../src/iceberg/refs.ts';
import { planRemoveFiles } from '../../src/iceberg/remove-files.ts';
import { dataFile, type FakeTable, fakeTable } from './fake-table.ts';

const DAY = 86_400_000;

async function add(table: FakeTable, name: string, publish = true) {
  const file = dataFile(name);
  await table.store.create(file.filePath, new Uint8Array(1));
  await table.commit(await planAppend(table.io, table.current, { branch: 'b', dataFiles: [file], summary: {} }));
  if (!publish) return;
  const auditedSnapshotId = headOf(table.current.metadata, 'b')!;
  await table.commit(
    await planPublish(table.io, table.current, { branch: 'b', auditedSnapshotId, keep: [], summary: {} }),
  );
}

/** Removes every snapshot but main's head. */
async function expireAll(table: FakeTable) {
  const { metadata } = table.current;
  const old = metadata.snapshots.filter(({ snapshotId }) => snapshotId !== metadata.currentSnapshotId);
  await table.commit({
    requirements: [],
    updates: [{ action: 'remove-snapshots', snapshotIds: old.map(({ snapshotId }) => snapshotId) }],
    written: [],
    obsolete: [],
  });
}

test('a file whose old manifest has gone but that a merged one lists is needed', async () => {
  const table = fakeTable({ properties: { 'commit.manifest.min-count-to-merge': '3' } });
  for (const name of ['1', '2', '3']) await add(table, name);
  await table.commit(
    await planRemoveFiles(table.io, table.current, { paths: new Set([dataFile('1').filePath]), summary: {} }),
  );
  const before = table.current.metadata;
  await expireAll(table);
  const expired = await expiredFiles(table.io, before, table.current.metadata);
  expect(expired.filter((url) => url.includes('/data/'))).toEqual([dataFile('1').filePath]);
  const reachable = await reachableFiles(table.io, table.current.metadata);
  expect(expired.filter((url) => reachable.has(url))).toEqual([]);
  const wasReachable = await reachableFiles(table.io, before);
  expect(new Set(expired)).toEqual(new Set([...wasReachable].filter((url) => !reachable.has(url))));
});

test('a dropped branch leaves nothing of its own, and a file registered elsewhere stays', async () => {
  const table = fakeTable();
  await add(table, '1');
  await add(table, 'memory:/raw/2', false);
  const before = table.current.metadata;
  await table.commit(planDropBranch(table.current, 'b'));
  const expired = await expiredFiles(table.io, before, table.current.metadata);
  expect(expired.every((url) => url.startsWith('memory:/wh/t/metadata/'))).toBe(true);
  expect(expired).toHaveLength(2);
});

test('orphans are old, unreached and not of a table further down', async () => {
  const table = fakeTable();
  const { store } = table;
  await add(table, '1');
  await store.create(table.current.metadataLocation, new Uint8Array(1));
  await store.create('memory:/wh/t/data/orphan', new Uint8Array(1));
  await store.create('memory:/wh/t/inner/metadata/00000-x.metadata.json', new Uint8Array(1));
  await store.create('memory:/wh/t/inner/data/1', new Uint8Array(1));
  await store.create('memory:/wh/t2/data/1', new Uint8Array(1));
  table.clock.now += DAY;
  await store.create('memory:/wh/t/data/young', new Uint8Array(1));
  expect(await planOrphans(table.io, table.current, DAY - 1)).toEqual(['memory:/wh/t/data/orphan']);
});

test('a table that cannot be read whole has no orphans to delete', async () => {
  const table = fakeTable();
  await add(table, '1');
  await table.store.create('memory:/wh/t/data/orphan', new Uint8Array(1));
  table.clock.now += DAY;
  const cold = { ...table.io, store: { ...table.store } };
  await table.store.delete([table.current.metadata.snapshots[0]!.manifestList]);
  await expect(planOrphans(cold, table.current, 0)).rejects.toMatchObject({ kind: 'not_found' });
});

describe('file keys', () => {
  test.each([
    ['file:/a/b', '/a/b'],
    ['file:///a/b', '/a/b'],
    ['file:///a/x y', 'file:///a/x%20y'],
    ['s3a://bucket/k', 's3://bucket/k'],
    ['/a/50%', 'file:///a/50%'],
  ])('%s is %s', (one, other) => {
    expect(fileKey(one)).toBe(fileKey(other));
  });

  test.each([
    ['memory:/wh/t/data/1', true],
    ['memory:/wh/t2/data/1', false],
    ['memory:/wh/t/../u/1', false],
    ['memory:/wh/t/%2e%2e/u/1', false],
    ['memory:/wh/t', false],
  ])('%s under the location: %s', (url, expected) => {
    expect(isUnderLocation(fakeTable().current.metadata, url)).toBe(expected);
  });

  test.each(['file:///', '/', 's3://'])('location %s is never swept', (location) => {
    const { metadata } = fakeTable().current;
    expect(() => isUnderLocation({ ...metadata, location }, 'file:///etc/passwd')).toThrow(/root of its store/);
  });
});
