import { ancestorsOf, snapshotById } from '../../src/iceberg/ancestry.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import type { DataFile } from '../../src/iceberg/model.ts';
import { planPublish } from '../../src/iceberg/publish.ts';
import { findPublished, liveFiles } from '../../src/iceberg/published.ts';
import { planRollback, planTag } from '../../src/iceberg/refs.ts';
import { loadEntries, loadManifests } from '../../src/iceberg/table-io.ts';
import { BY_REGION, dataFile, type FakeTable, fakeTable, SCHEMA } from './fake-table.ts';

async function stage(table: FakeTable, branch: string, dataFiles: DataFile[], summary: Record<string, string> = {}) {
  const { snapshot } = await table
    .commit(await planAppend(table.io, table.current, { branch, dataFiles, summary }))
    .then(() => ({ snapshot: head(table, branch) }));
  return snapshot;
}

async function publish(
  table: FakeTable,
  branch: string,
  auditedSnapshotId: bigint,
  options: Partial<Parameters<typeof planPublish>[2]> = {},
) {
  const plan = await planPublish(table.io, table.current, {
    branch,
    auditedSnapshotId,
    keep: [],
    summary: {},
    ...options,
  });
  await table.commit(plan);
  return plan;
}

function head(table: FakeTable, ref: string) {
  return snapshotById(table.current.metadata, table.current.metadata.refs[ref]!.snapshotId)!;
}

async function paths(table: FakeTable, ref = 'main') {
  const files = await liveFiles(table.io, table.current, ref);
  return [...files.keys()].map((path) => path.replace('memory:/wh/t/data/', '')).sort();
}

async function publishOne(table: FakeTable, name: string) {
  const staged = await stage(table, `wap-${name}`, [dataFile(name)]);
  return publish(table, `wap-${name}`, staged.snapshotId);
}

describe('append', () => {
  test('main does not see a staged file, and the branch carries what main has', async () => {
    const table = fakeTable();
    await publishOne(table, 'a');
    await stage(table, 'b', [dataFile('b'), dataFile('c', 5)]);
    expect(await paths(table)).toEqual(['a']);
    expect(await paths(table, 'b')).toEqual(['a', 'b', 'c']);
    const { summary, parentSnapshotId } = head(table, 'b');
    expect(parentSnapshotId).toBe(head(table, 'main').snapshotId);
    expect(summary).toMatchObject({
      operation: 'append',
      'added-data-files': '2',
      'added-records': '15',
      'added-files-size': '1500',
      'total-data-files': '3',
      'total-records': '25',
    });
  });

  test('partitions that change are counted and summarised', async () => {
    const table = fakeTable({ spec: BY_REGION });
    const snapshot = await stage(table, 'b', [
      dataFile('1', 1, ['eu']),
      dataFile('2', 1, ['eu']),
      dataFile('3', 1, [undefined]),
      dataFile('4', 1, ['us']),
    ]);
    expect(snapshot.summary['changed-partition-count']).toBe('3');
    const [manifest] = await loadManifests(table.io, snapshot);
    expect(manifest!.partitions).toEqual([
      { containsNull: true, lowerBound: new TextEncoder().encode('eu'), upperBound: new TextEncoder().encode('us') },
    ]);
  });

  test('a manifest is not summarised where readers differ on the order of its partitions', async () => {
    const u = { id: 9, name: 'u', required: false, type: 'uuid' as const };
    const table = fakeTable({
      schema: { ...SCHEMA, fields: [...SCHEMA.fields, u] },
      spec: { specId: 0, fields: [{ sourceId: 9, fieldId: 1000, name: 'u', transform: 'identity' }] },
    });
    const file = (name: string, first: number) => dataFile(name, 1, [new Uint8Array(16).fill(0x80).fill(first, 0, 1)]);
    await stage(table, 'near', [file('1', 0x01), file('2', 0x7f)]);
    await stage(table, 'far', [file('3', 0x7f), file('4', 0x80)]);
    const summaries = async (branch: string) => (await loadManifests(table.io, head(table, branch)))[0]!.partitions;
    expect(await summaries('near')).toMatchObject([{ containsNull: false, lowerBound: expect.any(Uint8Array) }]);
    expect(await summaries('far')).toBeUndefined();
  });

  test('a branch that exists, and a tuple that does not fit the spec, are refused with nothing written', async () => {
    const table = fakeTable({ spec: BY_REGION });
    await expect(stage(table, 'b', [dataFile('1')])).rejects.toMatchObject({ kind: 'invalid' });
    await stage(table, 'b', []);
    await expect(stage(table, 'b', [])).rejects.toMatchObject({ kind: 'exists' });
  });
});

describe('publish', () => {
  test('main moves to the staged snapshot when it has not moved itself', async () => {
    const table = fakeTable();
    const first = await stage(table, 'b', [dataFile('a')]);
    const plan = await publish(table, 'b', first.snapshotId);
    expect(plan.written).toEqual([]);
    expect(head(table, 'main')).toBe(first);
    expect(Object.keys(table.current.metadata.refs)).toEqual(['main']);
  });

  test('files that somebody else put on main stay, and the same manifest is listed again', async () => {
    const table = fakeTable();
    await publishOne(table, '0');
    const one = await stage(table, 'one', [dataFile('1')]);
    const two = await stage(table, 'two', [dataFile('2')]);
    const [staged] = await loadManifests(table.io, two);
    await publish(table, 'one', one.snapshotId);
    const plan = await publish(table, 'two', two.snapshotId, { summary: { 'lakegate.deliveries': 'x,y' } });
    expect(await paths(table)).toEqual(['0', '1', '2']);
    const main = head(table, 'main');
    expect(main.summary).toMatchObject({ 'total-data-files': '3', 'added-data-files': '1' });
    const listed = (await loadManifests(table.io, main)).find(
      ({ addedSnapshotId }) => addedSnapshotId === main.snapshotId,
    )!;
    expect(listed.manifestPath).toBe(staged!.manifestPath);
    expect(await loadEntries(table.io, listed)).toMatchObject([
      { snapshotId: main.snapshotId, sequenceNumber: main.sequenceNumber, fileSequenceNumber: main.sequenceNumber },
    ]);
    expect(plan.written).toHaveLength(1);
    expect(plan.obsolete).toEqual([two.manifestList]);
    expect(snapshotById(table.current.metadata, two.snapshotId)).toBeUndefined();
    expect(findPublished(table.current, 'y')).toBe(main);
    expect(findPublished(table.current, 'z')).toBeUndefined();
  });

  test('one commit publishes what passes and keeps each failed delivery on its own branch', async () => {
    const table = fakeTable();
    await publishOne(table, '0');
    const staged = await stage(table, 'batch', [dataFile('1'), dataFile('2'), dataFile('3'), dataFile('4')]);
    await publishOne(table, 'other');
    const file = (name: string) => `memory:/wh/t/data/${name}`;
    const commits = table.current.metadata.lastSequenceNumber;
    await publish(table, 'batch', staged.snapshotId, {
      keep: [
        { branch: 'wap-2', files: new Set([file('2')]), summary: { 'lakegate.deliveries': 'd2' }, maxRefAgeMs: 5 },
        { branch: 'wap-3', files: new Set([file('3')]), summary: {} },
      ],
      discard: new Set([file('4')]),
      summary: { 'lakegate.deliveries': 'd1' },
    });
    expect(await paths(table)).toEqual(['0', '1', 'other']);
    expect(await paths(table, 'wap-2')).toEqual(['0', '2']);
    expect(await paths(table, 'wap-3')).toEqual(['0', '3']);
    expect(table.current.metadata.refs['wap-2']).toMatchObject({ maxRefAgeMs: 5 });
    expect(head(table, 'wap-2').summary).toMatchObject({ 'lakegate.deliveries': 'd2', 'total-data-files': '2' });
    expect(table.current.metadata.lastSequenceNumber).toBe(commits + 3);
    expect(Object.keys(table.current.metadata.refs).sort()).toEqual(['main', 'wap-2', 'wap-3']);
    for (const manifest of await loadManifests(table.io, staged)) {
      const added = manifest.addedSnapshotId === staged.snapshotId;
      expect((await table.store.head(manifest.manifestPath)) === undefined).toBe(added);
    }
    // A person publishes one of them later.
    await publish(table, 'wap-2', head(table, 'wap-2').snapshotId);
    expect(await paths(table)).toEqual(['0', '1', '2', 'other']);
    expect(head(table, 'main').summary['total-data-files']).toBe('4');
  });

  test('when nothing passes main stays as it is, and a lone delivery keeps its snapshot', async () => {
    const table = fakeTable();
    await publishOne(table, '0');
    const before = head(table, 'main');
    const staged = await stage(table, 'wap-1', [dataFile('1')], { 'lakegate.deliveries': 'd1' });
    const plan = await publish(table, 'wap-1', staged.snapshotId, {
      keep: [
        {
          branch: 'wap-1',
          files: new Set(['memory:/wh/t/data/1']),
          summary: { 'lakegate.deliveries': 'd1' },
          maxRefAgeMs: 9,
        },
      ],
    });
    expect(plan.written).toEqual([]);
    expect(plan.snapshot).toBeUndefined();
    expect(head(table, 'main')).toBe(before);
    expect(table.current.metadata.refs['wap-1']).toEqual({
      type: 'branch',
      snapshotId: staged.snapshotId,
      maxRefAgeMs: 9,
    });
  });

  test('a branch that is gone or has moved on is a conflict', async () => {
    const table = fakeTable();
    const staged = await stage(table, 'b', [dataFile('1')]);
    await expect(publish(table, 'c', staged.snapshotId)).rejects.toMatchObject({ kind: 'conflict' });
    await expect(publish(table, 'b', 1n)).rejects.toThrow(/expected it at the audited snapshot 1/);
  });

  test('a publication planned on an old main is refused by its requirements', async () => {
    const table = fakeTable();
    await publishOne(table, '0');
    const one = await stage(table, 'one', [dataFile('1')]);
    const stale = await planPublish(table.io, table.current, {
      branch: 'one',
      auditedSnapshotId: one.snapshotId,
      keep: [],
      summary: {},
    });
    await publishOne(table, '2');
    await expect(table.commit(stale)).rejects.toMatchObject({ kind: 'conflict' });
    expect(await paths(table)).toEqual(['0', '2']);
  });

  test('a staged snapshot that a tag points to is not removed', async () => {
    const table = fakeTable();
    await publishOne(table, '0');
    const one = await stage(table, 'one', [dataFile('1')]);
    await table.commit(planTag(table.current, 'evidence', one.snapshotId));
    await publishOne(table, '2');
    const plan = await publish(table, 'one', one.snapshotId);
    expect(plan.obsolete).toEqual([]);
    expect(await paths(table, 'evidence')).toEqual(['0', '1']);
    expect(await paths(table)).toEqual(['0', '1', '2']);
  });

  test('a staged manifest that a later branch still lists stays, though the snapshot between them has expired', async () => {
    const table = fakeTable();
    await publishOne(table, '0');
    const staged = await stage(table, 'batch', [dataFile('1'), dataFile('2')]);
    const append = (branch: string, name: string, baseRef: string) =>
      planAppend(table.io, table.current, { branch, dataFiles: [dataFile(name)], summary: {}, baseRef });
    await table.commit(await append('between', 'x', 'batch'));
    await table.commit(await append('dev', 'y', 'between'));
    await table.commit({
      requirements: [],
      updates: [
        { action: 'remove-snapshot-ref', ref: 'between' },
        { action: 'remove-snapshots', snapshotIds: [head(table, 'between').snapshotId] },
      ],
      written: [],
      obsolete: [],
    });
    await publish(table, 'batch', staged.snapshotId, { discard: new Set(['memory:/wh/t/data/2']) });
    expect(await paths(table)).toEqual(['0', '1']);
    const cold = { ...table.io, store: { ...table.store } };
    expect((await liveFiles(cold, table.current, 'dev')).size).toBe(5);
  });

  test('what main was rolled back from does not come back with a delivery staged before', async () => {
    const table = fakeTable();
    await publishOne(table, 'good');
    const good = head(table, 'main').snapshotId;
    await publishOne(table, 'bad');
    const staged = await stage(table, 'b', [dataFile('next')]);
    await table.commit(planRollback(table.current, good));
    await publish(table, 'b', staged.snapshotId);
    expect(await paths(table)).toEqual(['good', 'next']);
  });

  test('a branch with several commits of its own is refused, not published in part', async () => {
    const table = fakeTable();
    await publishOne(table, '0');
    await stage(table, 'b', [dataFile('1')]);
    const plan = await planAppend(table.io, table.current, {
      branch: 'b2',
      dataFiles: [dataFile('2')],
      summary: {},
      baseRef: 'b',
    });
    await table.commit(plan);
    await expect(publish(table, 'b2', head(table, 'b2').snapshotId)).rejects.toMatchObject({ kind: 'unsupported' });
  });

  test('keeping what is not staged is refused', async () => {
    const table = fakeTable();
    const one = await stage(table, 'one', [dataFile('1')]);
    const keep = [{ branch: 'k', files: new Set(['elsewhere']), summary: {} }];
    await expect(publish(table, 'one', one.snapshotId, { keep })).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('manifest merging', () => {
  test('main lists few manifests after many deliveries, and no file, id or number is lost', async () => {
    const table = fakeTable({ properties: { 'commit.manifest.min-count-to-merge': '5' } });
    const publishedBy = new Map<string, bigint>();
    for (let n = 0; n < 40; n++) {
      await publishOne(table, String(n));
      publishedBy.set(`memory:/wh/t/data/${n}`, head(table, 'main').snapshotId);
      expect(await loadManifests(table.io, head(table, 'main'))).toHaveProperty('length', expect.any(Number));
    }
    const main = head(table, 'main');
    const manifests = await loadManifests(table.io, main);
    expect(manifests.length).toBeLessThan(10);
    const entries = (await Promise.all(manifests.map((manifest) => loadEntries(table.io, manifest)))).flat();
    expect(entries).toHaveLength(40);
    for (const { dataFile: file, snapshotId, sequenceNumber, fileSequenceNumber } of entries) {
      expect(snapshotId).toBe(publishedBy.get(file.filePath));
      expect(sequenceNumber).toBe(snapshotById(table.current.metadata, snapshotId!)!.sequenceNumber);
      expect(fileSequenceNumber).toBe(sequenceNumber);
    }
    expect(main.summary['total-data-files']).toBe('40');
    expect([...ancestorsOf(table.current.metadata, main.snapshotId)]).toHaveLength(40);
  });
});
