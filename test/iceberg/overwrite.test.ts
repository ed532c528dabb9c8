import { snapshotById } from '../../src/iceberg/ancestry.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import type { DataFile } from '../../src/iceberg/model.ts';
import { planOverwrite, type Replaced } from '../../src/iceberg/overwrite.ts';
import { planPublish } from '../../src/iceberg/publish.ts';
import { findPublished, liveFiles } from '../../src/iceberg/published.ts';
import { planDropBranch, planRollback } from '../../src/iceberg/refs.ts';
import { planRemoveFiles } from '../../src/iceberg/remove-files.ts';
import { loadEntries, loadManifests } from '../../src/iceberg/table-io.ts';
import { BY_REGION, dataFile, type FakeTable, fakeTable } from './fake-table.ts';

const head = (table: FakeTable, ref: string) =>
  snapshotById(table.current.metadata, table.current.metadata.refs[ref]!.snapshotId)!;

async function paths(table: FakeTable, ref = 'main') {
  const files = await liveFiles(table.io, table.current, ref);
  return [...files.keys()].map((path) => path.replace('memory:/wh/t/data/', '')).sort();
}

async function append(table: FakeTable, files: DataFile[], summary: Record<string, string> = {}) {
  await table.commit(await planAppend(table.io, table.current, { branch: 's', dataFiles: files, summary }));
  await publish(table, 's', summary);
}

async function publish(table: FakeTable, branch: string, summary: Record<string, string> = {}) {
  const auditedSnapshotId = head(table, branch).snapshotId;
  await table.commit(await planPublish(table.io, table.current, { branch, auditedSnapshotId, keep: [], summary }));
}

async function overwrite(table: FakeTable, branch: string, dataFiles: DataFile[], replace: Replaced) {
  await table.commit(await planOverwrite(table.io, table.current, { branch, dataFiles, summary: {}, replace }));
}

describe('overwrite', () => {
  test('replaces the table on its branch, and what main has by then when it is published', async () => {
    const table = fakeTable();
    await append(table, [dataFile('1'), dataFile('2')]);
    await overwrite(table, 'o', [dataFile('9', 3)], 'table');
    expect(await paths(table)).toEqual(['1', '2']);
    expect(await paths(table, 'o')).toEqual(['9']);
    expect(head(table, 'o').summary).toMatchObject({
      operation: 'overwrite',
      'deleted-data-files': '2',
      'deleted-records': '20',
      'total-data-files': '1',
      'total-records': '3',
    });
    await append(table, [dataFile('3')]);
    await publish(table, 'o');
    expect(await paths(table)).toEqual(['9']);
    expect(head(table, 'main').summary).toMatchObject({ 'deleted-data-files': '3', 'total-records': '3' });
    await append(table, [dataFile('10')]);
    expect(await paths(table)).toEqual(['10', '9']);
  });

  test('replaces only the partitions of the new files and keeps ids of what stays', async () => {
    const table = fakeTable({ spec: BY_REGION });
    await append(table, [dataFile('eu1', 1, ['eu']), dataFile('us1', 1, ['us']), dataFile('null1', 1, [undefined])]);
    const first = head(table, 'main');
    await append(table, [dataFile('asia1', 1, ['asia'])]);
    await overwrite(table, 'o', [dataFile('eu2', 1, ['eu'])], 'partitions');
    await append(table, [dataFile('eu3', 1, ['eu'])]);
    await publish(table, 'o');
    expect(await paths(table)).toEqual(['asia1', 'eu2', 'null1', 'us1']);
    const manifests = await loadManifests(table.io, head(table, 'main'));
    const entries = (await Promise.all(manifests.map((manifest) => loadEntries(table.io, manifest)))).flat();
    const us = entries.find(({ dataFile: file }) => file.filePath.endsWith('us1'))!;
    expect(us).toMatchObject({
      status: 'existing',
      snapshotId: first.snapshotId,
      sequenceNumber: first.sequenceNumber,
    });
    expect(entries.filter(({ status }) => status === 'deleted').map((entry) => entry.dataFile.filePath)).toEqual(
      expect.arrayContaining([expect.stringContaining('eu1'), expect.stringContaining('eu3')]),
    );
  });

  test('partitions cut by another spec cannot be replaced', async () => {
    const table = fakeTable({ spec: BY_REGION });
    await append(table, [dataFile('eu1', 1, ['eu'])]);
    const { metadata } = table.current;
    const spec = { specId: 1, fields: [{ ...BY_REGION.fields[0]!, fieldId: 1001, transform: 'truncate[1]' as const }] };
    table.current = {
      ...table.current,
      metadata: { ...metadata, partitionSpecs: [...metadata.partitionSpecs, spec], defaultSpecId: 1 },
    };
    await expect(overwrite(table, 'o', [dataFile('e', 1, ['e'])], 'partitions')).rejects.toMatchObject({
      kind: 'unsupported',
    });
    await overwrite(table, 'o', [dataFile('e', 1, ['e'])], 'table');
    expect(await paths(table, 'o')).toEqual(['e']);
  });
});

describe('remove files', () => {
  test('takes one delivery out and nothing else', async () => {
    const table = fakeTable();
    await append(table, [dataFile('1'), dataFile('2')], { 'lakegate.deliveries': 'a,b' });
    await append(table, [dataFile('3')]);
    const remove = { paths: new Set(['memory:/wh/t/data/2']), summary: { 'lakegate.removed-deliveries': 'b' } };
    await table.commit(await planRemoveFiles(table.io, table.current, remove));
    expect(await paths(table)).toEqual(['1', '3']);
    expect(head(table, 'main').summary).toMatchObject({
      operation: 'delete',
      'deleted-data-files': '1',
      'total-records': '20',
    });
    expect(findPublished(table.current, 'a')).toBeDefined();
    expect(findPublished(table.current, 'b')).toBeUndefined();
    await expect(planRemoveFiles(table.io, table.current, remove)).rejects.toMatchObject({
      kind: 'not_found',
      context: { paths: ['memory:/wh/t/data/2'] },
    });
  });

  test('a refused plan leaves no file behind', async () => {
    const table = fakeTable();
    await append(table, [dataFile('1'), dataFile('2')]);
    const before = await Array.fromAsync(table.store.list('memory:/wh/t/'), ({ url }) => url);
    const paths = new Set(['memory:/wh/t/data/2', 'memory:/wh/t/data/nowhere']);
    await expect(planRemoveFiles(table.io, table.current, { paths, summary: {} })).rejects.toThrow(/nowhere/);
    expect(await Array.fromAsync(table.store.list('memory:/wh/t/'), ({ url }) => url)).toEqual(before);
  });
});

describe('refs', () => {
  test('main goes back to its own snapshots only', async () => {
    const table = fakeTable();
    await append(table, [dataFile('1')]);
    const first = head(table, 'main').snapshotId;
    await append(table, [dataFile('2')]);
    await table.commit(
      await planAppend(table.io, table.current, { branch: 'b', dataFiles: [dataFile('3')], summary: {} }),
    );
    expect(() => planRollback(table.current, head(table, 'b').snapshotId)).toThrow(/not an ancestor/);
    await table.commit(planRollback(table.current, first));
    expect(await paths(table)).toEqual(['1']);
  });

  test('dropping a branch takes its own snapshots and no others', async () => {
    const table = fakeTable();
    await append(table, [dataFile('1')]);
    await table.commit(
      await planAppend(table.io, table.current, { branch: 'b', dataFiles: [dataFile('2')], summary: {} }),
    );
    const own = head(table, 'b').snapshotId;
    await table.commit(planDropBranch(table.current, 'b'));
    expect(snapshotById(table.current.metadata, own)).toBeUndefined();
    expect(await paths(table)).toEqual(['1']);
    expect(() => planDropBranch(table.current, 'main')).toThrow(/main is the table itself/);
    expect(() => planDropBranch(table.current, 'b')).toThrow(/no branch b/);
  });
});
