import { writeFileSync } from 'node:fs';
import { rollbackDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { resumeOpen } from '../../src/gate/resume.ts';
import { sweepTable, sweepUnfinished } from '../../src/gate/sweep.ts';
import { headOf } from '../../src/iceberg/ancestry.ts';
import { allRecords, idsOnMain, loadTable, orders, parquet, putDrop, span, targetOf } from '../faults/lake.ts';
import { closeLakes, reopen, type TableLake, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const DAY_MS = 86_400_000;
const CLEAN = parquet(orders(0, 3));
const BAD = parquet(orders(100, 3, [1]));

describe('the sweep', () => {
  const at = ({ lake: { ports } }: TableLake, ms: number) => {
    const now = () => Date.now() + ms;
    return { ...ports, now, io: { ...ports.io, now } };
  };
  const KEEP_ALL = { orphansOlderThanMs: DAY_MS, dryRun: false };

  test('leaves what is young, and takes kept branches when their time is over', async () => {
    const made = await tableLake({ keepBranchMs: 3 * DAY_MS });
    const { lake, drop } = made;
    const [clean, bad] = await drop({ 'clean.parquet': CLEAN, 'bad.parquet': BAD });
    expect(await sweepTable(at(made, 2 * DAY_MS), targetOf(lake), KEEP_ALL)).toMatchObject({
      branches: [],
      orphans: [],
    });
    const report = await sweepTable(at(made, 4 * DAY_MS), targetOf(lake), KEEP_ALL);
    expect(report).toMatchObject({ table: 'shop.orders', branches: [bad?.branch] });
    expect(headOf((await loadTable(lake)).metadata, bad!.branch!)).toBeUndefined();
    await sweepTable(at(made, 9 * DAY_MS), targetOf(lake), KEEP_ALL);
    expect(await lake.ports.store.head(bad!.files![0]!)).toBeUndefined();
    expect(await lake.ports.store.head(clean!.files![0]!)).toBeDefined();
    expect(await idsOnMain(lake)).toEqual(span(0, 3));
  });

  test('dry, says what would go and lets it be', async () => {
    const made = await tableLake({ keepBranchMs: DAY_MS });
    const { lake, drop } = made;
    const [, bad] = await drop({ 'clean.parquet': CLEAN, 'bad.parquet': BAD });
    const { metadataLocation, metadata } = await loadTable(lake);
    const orphan = `${metadata.location}/data/orphan.parquet`;
    await lake.ports.store.create(orphan, CLEAN);
    const report = await sweepTable(at(made, 9 * DAY_MS), targetOf(lake), { ...KEEP_ALL, dryRun: true });
    expect(report.branches).toEqual([bad?.branch]);
    expect(report.orphans).toContain(orphan);
    expect((await loadTable(lake)).metadataLocation).toBe(metadataLocation);
    expect(await lake.ports.store.head(orphan)).toBeDefined();
  });

  test('takes files that nothing needs once they are old, unfinished ones too, and never what was registered in place', async () => {
    const made = await tableLake({ ingest: 'register', keepBranchMs: DAY_MS });
    const { lake, drop } = made;
    const [clean, bad] = await drop({ 'clean.parquet': CLEAN, 'bad.parquet': BAD });
    const { metadata } = await loadTable(lake);
    const folder = metadata.location.slice('file://'.length);
    const orphan = `${metadata.location}/metadata/orphan-m0.avro`;
    await lake.ports.store.create(orphan, CLEAN);
    writeFileSync(`${folder}/metadata/.tmp-left-by-a-kill`, 'x');
    const young = await sweepTable(lake.ports, targetOf(lake), KEEP_ALL);
    expect(young.orphans).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { orphans } = await sweepTable(lake.ports, targetOf(lake), { orphansOlderThanMs: 0, dryRun: false });
    expect(orphans.map((url) => url.slice(metadata.location.length)).sort()).toEqual([
      '/metadata/.tmp-left-by-a-kill',
      '/metadata/orphan-m0.avro',
    ]);
    await sweepTable(at(made, 9 * DAY_MS), targetOf(lake), KEEP_ALL);
    expect(await lake.ports.store.head(bad!.drop.url)).toBeDefined();
    expect(await lake.ports.store.head(clean!.drop.url)).toBeDefined();
  });

  test('keeps what an older snapshot shows until that has expired', async () => {
    const made = await tableLake();
    const { lake, drop } = made;
    const [first] = await drop({ 'first.parquet': CLEAN });
    await drop({ 'second.parquet': parquet(orders(10, 2)) });
    await rollbackDelivery(lake.ports, targetOf(lake), first!.id, { by: 'me', reason: 'wrong' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await sweepTable(lake.ports, targetOf(lake), { orphansOlderThanMs: 0, dryRun: false });
    expect(await lake.ports.store.head(first!.files![0]!)).toBeDefined();
    await sweepTable(at(made, 30 * DAY_MS), targetOf(lake), KEEP_ALL);
    expect(await lake.ports.store.head(first!.files![0]!)).toBeUndefined();
    expect(await idsOnMain(lake)).toEqual([10, 11]);
  });

  test('runs beside deliveries', async () => {
    const { lake, config, drop } = await tableLake({ keepBranchMs: 0 });
    await drop({ 'first.parquet': CLEAN });
    const other = await reopen(config);
    const sweeping = (async () => {
      for (let n = 0; n < 8; n += 1)
        await sweepTable(other.lake.ports, targetOf(other.lake), {
          maxSnapshotAgeMs: 0,
          orphansOlderThanMs: DAY_MS,
          dryRun: false,
        });
    })();
    for (let n = 1; n < 8; n += 1)
      await deliver(lake.ports, config, [
        putDrop(config, `c${n}.parquet`, parquet(orders(n * 10, 2))),
        putDrop(config, `b${n}.parquet`, parquet(orders(n * 10 + 5, 2, [0]))),
      ]);
    await sweeping;
    // A batch's branch may have been due before it was settled, here where branches are kept for no time at all: a later run settles it.
    await resumeOpen({ ...lake.ports, isDead: () => true }, config);
    const expected = [...span(0, 3), ...span(1, 7).flatMap((n) => [n * 10, n * 10 + 1])];
    expect(await idsOnMain(lake)).toEqual(expected);
  });

  test('of a folder of records takes what is unfinished and old, no more', async () => {
    const { lake, config, drop } = await tableLake();
    await drop({ 'first.parquet': CLEAN });
    writeFileSync(`${config.records.slice('file://'.length)}.tmp-x`, 'x');
    const sweep = (olderThanMs: number, dryRun: boolean) =>
      sweepUnfinished(lake.ports.store, config.records, { olderThanMs, dryRun });
    expect(await sweep(DAY_MS, false)).toEqual([]);
    expect(await sweep(0, true)).toEqual([`${config.records}.tmp-x`]);
    expect(await sweep(0, false)).toEqual([`${config.records}.tmp-x`]);
    expect(await sweep(0, false)).toEqual([]);
    expect(await allRecords(lake)).toHaveLength(1);
  });
});
