import { ancestorsOf, snapshotById } from '../../src/iceberg/ancestry.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import { expiredFiles } from '../../src/iceberg/expire-files.ts';
import type { DataFile, FileContent } from '../../src/iceberg/model.ts';
import { planOverwrite } from '../../src/iceberg/overwrite.ts';
import { planWithWrites } from '../../src/iceberg/plan.ts';
import { planPublish } from '../../src/iceberg/publish.ts';
import { reachableFiles } from '../../src/iceberg/reachable.ts';
import { planRemoveFiles } from '../../src/iceberg/remove-files.ts';
import { draftSnapshot, finishSnapshot, schemaToWrite, writeManifest } from '../../src/iceberg/snapshot-draft.ts';
import { summarize } from '../../src/iceberg/summary.ts';
import { isLive, loadEntries, loadManifests } from '../../src/iceberg/table-io.ts';
import { BY_REGION, dataFile, type FakeTable, fakeTable } from './fake-table.ts';

/** Deletes that another engine commits on main between our own commits. */

const head = (table: FakeTable, ref = 'main') =>
  snapshotById(table.current.metadata, table.current.metadata.refs[ref]!.snapshotId)!;

/** Live entries of main as a process that just started reads them: path and sequence number by content. */
async function live(table: FakeTable) {
  const cold = { ...table.io, store: { ...table.store } };
  const found: Record<FileContent, Record<string, number | undefined>> = {
    data: {},
    'position-deletes': {},
    'equality-deletes': {},
  };
  for (const manifest of await loadManifests(cold, head(table))) {
    for (const { dataFile: file, sequenceNumber } of (await loadEntries(cold, manifest)).filter(isLive)) {
      expect(manifest.content).toBe(file.content === 'data' ? 'data' : 'deletes');
      expect(sequenceNumber).toBeGreaterThanOrEqual(manifest.minSequenceNumber);
      found[file.content][file.filePath.split('/').pop()!] = sequenceNumber;
    }
  }
  return found;
}

async function stage(table: FakeTable, name: string, region: string) {
  const files = { branch: `wap-${name}`, dataFiles: [dataFile(name, 10, [region])], summary: {} };
  await table.commit(await planAppend(table.io, table.current, files));
}

async function publish(table: FakeTable, name: string) {
  const branch = `wap-${name}`;
  const auditedSnapshotId = head(table, branch).snapshotId;
  await table.commit(await planPublish(table.io, table.current, { branch, auditedSnapshotId, keep: [], summary: {} }));
  return head(table).sequenceNumber;
}

async function deliver(table: FakeTable, name: string, region: string) {
  await stage(table, name, region);
  return publish(table, name);
}

/** What Spark or Flink do: a delete file of a region, on main. */
async function commitDelete(table: FakeTable, name: string, content: FileContent, region: string) {
  const { io } = table;
  const { metadata } = table.current;
  const file: DataFile = { ...dataFile(name, 1, [region]), content, equalityIds: content === 'data' ? undefined : [1] };
  const plan = await planWithWrites(io, async (writes) => {
    const draft = draftSnapshot(io, writes, metadata, schemaToWrite(metadata));
    const own = writeManifest(draft, 0, 'deletes', [{ status: 'added', dataFile: file }]);
    const previous = head(table);
    const added = [{ file, specId: 0 }];
    const summary = summarize({ operation: 'overwrite', added, removed: [], previous: previous.summary, marks: {} });
    const snapshot = finishSnapshot(draft, previous, [own, ...(await loadManifests(io, previous))], summary);
    const main = { type: 'branch' as const, snapshotId: snapshot.snapshotId };
    return {
      requirements: [],
      updates: [
        { action: 'add-snapshot', snapshot },
        { action: 'set-snapshot-ref', ref: 'main', value: main },
      ],
      obsolete: [],
    };
  });
  await table.commit(plan);
  return head(table).sequenceNumber;
}

test('deletes go on through publishes and merges: they mask what was there before, not what comes after', async () => {
  const table = fakeTable({ spec: BY_REGION, properties: { 'commit.manifest.min-count-to-merge': '3' } });
  const one = await deliver(table, '1', 'eu');
  await stage(table, '2', 'eu');
  const equality = await commitDelete(table, 'eq', 'equality-deletes', 'eu');
  const position = await commitDelete(table, 'pos', 'position-deletes', 'eu');
  const two = await publish(table, '2');
  const later: Record<string, number> = {};
  for (const name of ['3', '4', '5', '6', '7']) later[name] = await deliver(table, name, 'us');
  expect(await live(table)).toEqual({
    data: { 1: one, 2: two, ...later },
    'position-deletes': { pos: position },
    'equality-deletes': { eq: equality },
  });
  expect(one).toBeLessThan(equality);
  expect(two).toBeGreaterThan(position);
  expect(head(table).summary).toMatchObject({
    'total-data-files': '7',
    'total-records': '70',
    'total-delete-files': '2',
    'total-position-deletes': '1',
    'total-equality-deletes': '1',
  });
});

test('an overwrite of other partitions and a removed delivery leave deletes be; an overwrite of all takes them', async () => {
  const table = fakeTable({ spec: BY_REGION });
  await deliver(table, 'eu', 'eu');
  await deliver(table, 'us', 'us');
  const position = await commitDelete(table, 'pos', 'position-deletes', 'eu');
  const overwrite = async (name: string, region: string, replace: 'table' | 'partitions') => {
    const files = { branch: `wap-${name}`, dataFiles: [dataFile(name, 5, [region])], summary: {}, replace };
    await table.commit(await planOverwrite(table.io, table.current, files));
    // Main moves in between, so that the overwrite is made anew.
    await deliver(table, `${name}-beside`, 'asia');
    return publish(table, name);
  };
  await overwrite('us2', 'us', 'partitions');
  const paths = new Set([dataFile('us2-beside').filePath]);
  await table.commit(await planRemoveFiles(table.io, table.current, { paths, summary: {} }));
  const before = await live(table);
  expect(Object.keys(before.data).sort()).toEqual(['eu', 'us2']);
  expect(before['position-deletes']).toEqual({ pos: position });

  const all = await overwrite('all', 'eu', 'table');
  expect(await live(table)).toEqual({ data: { all }, 'position-deletes': {}, 'equality-deletes': {} });
  expect(head(table).summary).toMatchObject({
    'removed-delete-files': '1',
    'total-delete-files': '0',
    'total-position-deletes': '0',
    'total-records': '5',
    'total-data-files': '1',
  });
});

test('a delete file goes with the last snapshot that needs it, not before', async () => {
  const table = fakeTable({ spec: BY_REGION });
  await deliver(table, '1', 'eu');
  await commitDelete(table, 'pos', 'position-deletes', 'eu');
  await deliver(table, '2', 'eu');
  const expire = async () => {
    const { metadata } = table.current;
    const older = [...ancestorsOf(metadata, head(table).snapshotId)].slice(1).map(({ snapshotId }) => snapshotId);
    const updates = [{ action: 'remove-snapshots' as const, snapshotIds: older }];
    await table.commit({ requirements: [], updates, written: [], obsolete: [] });
    const expired = await expiredFiles(table.io, metadata, table.current.metadata);
    const needed = await reachableFiles(table.io, table.current.metadata);
    expect(expired.filter((url) => needed.has(url))).toEqual([]);
    return expired.filter((url) => url.includes('/data/'));
  };
  expect(await expire()).toEqual([]);
  const files = { branch: 'wap-3', dataFiles: [dataFile('3', 5, ['eu'])], summary: {}, replace: 'table' as const };
  await table.commit(await planOverwrite(table.io, table.current, files));
  await publish(table, '3');
  expect((await expire()).sort()).toEqual(['1', '2', 'pos'].map((name) => dataFile(name).filePath));
});
