/** What a person decides on a delivery or a table, and what may have happened before they did. */
import type { TableConfig } from '../../src/config/model.ts';
import { LakegateError } from '../../src/errors.ts';
import { discardDelivery, publishDelivery, rollbackDelivery, rollbackTable } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { sweepTable } from '../../src/gate/sweep.ts';
import { headOf, MAIN, snapshotById } from '../../src/iceberg/ancestry.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import { liveFiles } from '../../src/iceberg/published.ts';
import { planRollback } from '../../src/iceberg/refs.ts';
import { createStores } from '../../src/storage/stores.ts';
import { interceptStore } from '../faults/intercept.ts';
import { idsOnMain, loadTable, orders, parquet, putDrop, span, targetOf, told } from '../faults/lake.ts';
import { closeLakes, reopen, type TableLake, tableLake } from './table-lake.ts';

const fail = (fault: Error): never => {
  throw fault;
};

afterEach(closeLakes);

const WHY = { by: 'somebody', reason: 'known gap' };
const BAD = { 'bad.parquet': parquet(orders(100, 3, [1])) };
const MORE = { 'more.parquet': parquet(orders(20, 2)) };
const DAY_MS = 86_400_000;

/** A lake with rows 0 to 2 on main and a bad delivery kept aside. */
async function withKept(table: Partial<TableConfig> = {}) {
  const made = await tableLake(table);
  await made.drop({ 'clean.parquet': parquet(orders(0, 3)) });
  const [kept] = await made.drop(BAD);
  return { ...made, id: kept!.id, branch: kept!.branch! };
}

const publish = ({ lake, config }: Pick<TableLake, 'lake' | 'config'>, id: string) =>
  publishDelivery(lake.ports, config.tables[0]!, id, WHY);

describe('publishing by hand', () => {
  test('puts the kept rows on main and says who and why, in the record and in the snapshot', async () => {
    const { lake, config, id, branch, record } = await withKept();
    expect(await publish({ lake, config }, id)).toMatchObject({
      state: 'published',
      decision: { action: 'publish', ...WHY },
    });
    const written = await record(id);
    const { metadata } = await loadTable(lake);
    const head = snapshotById(metadata, headOf(metadata, MAIN)!)!;
    expect(written.publishedSnapshotId).toBe(String(head.snapshotId));
    expect(written).not.toHaveProperty('branch');
    expect(headOf(metadata, branch)).toBeUndefined();
    expect(await idsOnMain(lake)).toEqual([...span(0, 3), ...span(100, 3)]);
  });

  test('works after main has moved, and leaves what came meanwhile', async () => {
    const { lake, config, id, drop } = await withKept();
    await drop(MORE);
    await publish({ lake, config }, id);
    expect(await idsOnMain(lake)).toEqual([...span(0, 3), 20, 21, ...span(100, 3)]);
    const { metadata } = await loadTable(lake);
    expect(snapshotById(metadata, headOf(metadata, MAIN)!)?.summary).toMatchObject({
      'lakegate.deliveries': id,
      'lakegate.published-by': WHY.by,
      'lakegate.reason': WHY.reason,
    });
  });

  test('twice is refused the second time, and changes nothing', async () => {
    const { lake, config, id, record } = await withKept();
    await publish({ lake, config }, id);
    const before = await record(id);
    await expect(publish({ lake, config }, id)).rejects.toMatchObject({ kind: 'usage', message: /is published/ });
    expect(await record(id)).toEqual(before);
    expect(await idsOnMain(lake)).toHaveLength(6);
  });

  test('by two people at once happens once', async () => {
    const { config, id, lake } = await withKept();
    const both = await Promise.all([reopen(config), reopen(config)]);
    const results = await Promise.allSettled(both.map((one) => publish(one, id)));
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LakegateError);
    expect(await idsOnMain(lake)).toEqual([...span(0, 3), ...span(100, 3)]);
  });

  test('is refused when the branch has expired, with what to do instead', async () => {
    const { lake, config, id, branch, record } = await withKept({ keepBranchMs: DAY_MS });
    await sweepTable({ ...lake.ports, now: () => Date.now() + 2 * DAY_MS }, targetOf(lake), {
      orphansOlderThanMs: DAY_MS,
      dryRun: false,
    });
    await expect(publish({ lake, config }, id)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(new RegExp(`${branch} has expired or was dropped.*lakegate delivery retry ${id}`)),
    });
    expect((await record(id)).state).toBe('rejected');
    const [again] = await deliver(lake.ports, config, [(await record(id)).drop.url], { restart: ['rejected'] });
    expect(again).toMatchObject({ kind: 'ended', record: { state: 'rejected', branch, attempts: 2 } });
    await publish({ lake, config }, id);
    expect(await idsOnMain(lake)).toEqual([...span(0, 3), ...span(100, 3)]);
  });

  test('is refused when somebody wrote to the branch since the audit', async () => {
    const { lake, config, id, branch, drop } = await withKept();
    await drop(MORE);
    const loaded = await loadTable(lake);
    const [file] = [...(await liveFiles(lake.ports.io, loaded, MAIN)).values()];
    const plan = await planAppend(lake.ports.io, loaded, {
      branch: 'aside',
      baseRef: branch,
      dataFiles: [{ ...file!, filePath: `${file!.filePath}.copy` }],
      summary: {},
    });
    const moved = {
      action: 'set-snapshot-ref',
      ref: branch,
      value: { type: 'branch', snapshotId: plan.snapshot!.snapshotId },
    } as const;
    await targetOf(lake).catalog.commit(loaded, plan.requirements, [...plan.updates, moved]);
    await expect(publish({ lake, config }, id)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(/somebody wrote to it since/),
    });
    expect(await idsOnMain(lake)).toEqual([...span(0, 3), 20, 21]);
  });

  test('is refused of a delivery that was never staged, and of one that does not exist', async () => {
    const { lake, config, drop } = await tableLake();
    const [broken] = await drop({ 'x.parquet': 'no Parquet' });
    await expect(publish({ lake, config }, broken!.id)).rejects.toMatchObject({
      kind: 'usage',
      message: /never staged/,
    });
    await expect(publish({ lake, config }, 'f'.repeat(20))).rejects.toMatchObject({ kind: 'usage' });
  });

  test('needs not be told: whoever decides knows', async () => {
    const { lake, config } = await tableLake();
    const url = putDrop(config, 'bad.parquet', BAD['bad.parquet']);
    const silent = await reopen(config, { notifier: { notify: () => Promise.reject(new Error('the bus is down')) } });
    await deliver(silent.lake.ports, config, [url]);
    const ids = [];
    for await (const { record } of lake.ports.records.list(fail)) ids.push([record.id, record.notification] as const);
    expect(ids[0]?.[1]).toBe('pending');
    const decided = await discardDelivery(lake.ports, ids[0]![0], WHY);
    expect(decided).toMatchObject({ state: 'discarded' });
    expect(decided).not.toHaveProperty('notification');
    expect(decided).not.toHaveProperty('lease');
    expect(told(config)).toEqual([]);
  });
});

describe('discarding', () => {
  test('drops the branch and its files; the dropped object stays', async () => {
    const { lake, id, branch, record } = await withKept();
    const { files, drop } = await record(id);
    await discardDelivery(lake.ports, id, WHY);
    expect(await record(id)).toMatchObject({ state: 'discarded', decision: { action: 'discard', ...WHY } });
    const { metadata } = await loadTable(lake);
    expect(headOf(metadata, branch)).toBeUndefined();
    expect(metadata.snapshots).toHaveLength(1);
    expect(await Promise.all(files!.map((file) => lake.ports.store.head(file)))).toEqual([undefined]);
    expect(await lake.ports.store.head(drop.url)).toBeDefined();
  });

  test('a second time, or of what is on main, is refused', async () => {
    const { lake, config, id, drop } = await withKept();
    await discardDelivery(lake.ports, id, WHY);
    await expect(discardDelivery(lake.ports, id, WHY)).rejects.toMatchObject({ kind: 'usage', message: /discarded/ });
    await expect(publish({ lake, config }, id)).rejects.toMatchObject({ kind: 'usage' });
    const [clean] = await drop(MORE);
    await expect(discardDelivery(lake.ports, clean!.id, WHY)).rejects.toMatchObject({ kind: 'usage' });
  });

  test('is refused when a publish was cut short after its commit; the publish is finished by running it again', async () => {
    const { lake, config, id, record } = await withKept();
    const cut = await reopen(config, {
      store: interceptStore(createStores(), async (call, run) => {
        if (call === 'store.replace') throw new LakegateError('unavailable', 'the store went away');
        return run();
      }),
    });
    await expect(publish(cut, id)).rejects.toMatchObject({ kind: 'unavailable' });
    expect((await record(id)).state).toBe('rejected');
    await expect(discardDelivery(lake.ports, id, WHY)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(/is on main.*delivery publish.*table rollback shop\.orders --delivery/s),
    });
    expect((await publish({ lake, config }, id)).state).toBe('published');
    expect(await idsOnMain(lake)).toEqual([...span(0, 3), ...span(100, 3)]);
  });

  test('of one whose branch has gone already only says so in the record', async () => {
    const { lake, id } = await withKept({ keepBranchMs: DAY_MS });
    await sweepTable({ ...lake.ports, now: () => Date.now() + 2 * DAY_MS }, targetOf(lake), {
      orphansOlderThanMs: DAY_MS,
      dryRun: false,
    });
    expect((await discardDelivery(lake.ports, id, WHY)).state).toBe('discarded');
  });

  test('of a registered drop leaves the file where it is', async () => {
    const { lake, id, record } = await withKept({ ingest: 'register' });
    await discardDelivery(lake.ports, id, WHY);
    expect(await lake.ports.store.head((await record(id)).files![0]!)).toBeDefined();
  });
});

describe('rolling back', () => {
  test('takes one delivery out of main and leaves those before and after it', async () => {
    const { lake, drop, record } = await tableLake();
    await drop({ 'first.parquet': parquet(orders(0, 2)) });
    const [wrong] = await drop({ 'wrong.parquet': parquet(orders(10, 2)), 'beside.parquet': parquet(orders(30, 2)) });
    await drop(MORE);
    await rollbackDelivery(lake.ports, targetOf(lake), wrong!.id, WHY);
    expect(await idsOnMain(lake)).toEqual([0, 1, 20, 21, 30, 31]);
    expect(await record(wrong!.id)).toMatchObject({ state: 'rolled_back', decision: { action: 'rollback', ...WHY } });
    await expect(rollbackDelivery(lake.ports, targetOf(lake), wrong!.id, WHY)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(/rolled back/),
    });
    expect(await idsOnMain(lake)).toEqual([0, 1, 20, 21, 30, 31]);
  });

  test('the same event again brings nothing back; the file dropped anew does', async () => {
    const { lake, config, drop } = await tableLake();
    const [wrong] = await drop({ 'wrong.parquet': parquet(orders(10, 2)) });
    await rollbackDelivery(lake.ports, targetOf(lake), wrong!.id, WHY);
    expect(await deliver(lake.ports, config, [wrong!.drop.url])).toMatchObject([{ kind: 'already' }]);
    expect(await idsOnMain(lake)).toEqual([]);
    const [anew] = await drop({ 'anew.parquet': parquet(orders(10, 2)) });
    expect(anew?.state).toBe('published');
    expect(await idsOnMain(lake)).toEqual([10, 11]);
  });

  test('is refused when the files are not on main any more', async () => {
    const { lake, drop, record } = await tableLake({ mode: 'overwrite' });
    const [old] = await drop({ 'old.parquet': parquet(orders(0, 2)) });
    await drop({ 'new.parquet': parquet(orders(10, 2)) });
    await expect(rollbackDelivery(lake.ports, targetOf(lake), old!.id, WHY)).rejects.toMatchObject({
      kind: 'not_found',
    });
    expect((await record(old!.id)).state).toBe('published');
    expect(await idsOnMain(lake)).toEqual([10, 11]);
  });

  test('to a snapshot marks the deliveries after it', async () => {
    const { lake, drop, record } = await tableLake();
    const [first] = await drop({ 'first.parquet': parquet(orders(0, 2)) });
    const [second, third] = await drop({
      'second.parquet': parquet(orders(10, 2)),
      'third.parquet': parquet(orders(20, 2)),
    });
    const { deliveries } = await rollbackTable(lake.ports, targetOf(lake), BigInt(first!.publishedSnapshotId!), WHY);
    expect([...deliveries].sort()).toEqual([second!.id, third!.id].sort());
    expect(await idsOnMain(lake)).toEqual([0, 1]);
    const states = await Promise.all([first, second, third].map(async (one) => (await record(one!.id)).state));
    expect(states).toEqual(['published', 'rolled_back', 'rolled_back']);
    await expect(rollbackTable(lake.ports, targetOf(lake), 12345n, WHY)).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('to a snapshot that was cut short before the records is finished by running it again', async () => {
    const { lake, drop, record } = await tableLake();
    const [first] = await drop({ 'first.parquet': parquet(orders(0, 2)) });
    const [second] = await drop({ 'second.parquet': parquet(orders(10, 2)) });
    const target = targetOf(lake);
    const loaded = await loadTable(lake);
    const plan = planRollback(loaded, BigInt(first!.publishedSnapshotId!));
    await target.catalog.commit(loaded, plan.requirements, plan.updates);
    expect((await record(second!.id)).state).toBe('published');
    expect((await rollbackTable(lake.ports, target, BigInt(first!.publishedSnapshotId!), WHY)).deliveries).toEqual([
      second!.id,
    ]);
    expect((await record(second!.id)).state).toBe('rolled_back');
    expect((await rollbackTable(lake.ports, target, BigInt(first!.publishedSnapshotId!), WHY)).deliveries).toEqual([]);
  });

  test('and deliveries go on after it', async () => {
    const { lake, drop } = await tableLake();
    const [first] = await drop({ 'first.parquet': parquet(orders(0, 2)) });
    await drop({ 'second.parquet': parquet(orders(10, 2)) });
    await rollbackTable(lake.ports, targetOf(lake), BigInt(first!.publishedSnapshotId!), WHY);
    await drop(MORE);
    expect(await idsOnMain(lake)).toEqual([0, 1, 20, 21]);
  });
});
