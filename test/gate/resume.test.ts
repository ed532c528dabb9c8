import { rmSync, unlinkSync } from 'node:fs';
import { LakegateError } from '../../src/errors.ts';
import { rollbackDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { LeaseHolder } from '../../src/gate/delivery.ts';
import type { StepName } from '../../src/gate/ports.ts';
import { resumeOpen } from '../../src/gate/resume.ts';
import { sweepTable } from '../../src/gate/sweep.ts';
import { collect } from '../contract/collect.ts';
import {
  allRecords,
  idsOnMain,
  loadTable,
  openLake,
  orders,
  parquet,
  putDrop,
  span,
  targetOf,
  told,
} from '../faults/lake.ts';
import { closeLakes, reopen, type TableLake, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const CLEAN = parquet(orders(0, 3));
const BAD = parquet(orders(100, 3, [1]));

describe('resuming', () => {
  const DEAD: LeaseHolder = { host: 'elsewhere', pid: 7, started: '1' };

  /** Delivers by a runner that stops for ever at a step. */
  async function stopAt({ config }: TableLake, step: StepName, urls: string[]): Promise<void> {
    const runner = await reopen(config);
    runner.lake.ports.holder = DEAD;
    await new Promise<void>((resolve) => {
      runner.lake.ports.onStep = (done) => {
        if (done.step !== step) return;
        resolve();
        // What is called next never answers.
        runner.lake.ports.records.replace = () => new Promise(() => undefined);
        runner.lake.ports.notifier.notify = () => new Promise(() => undefined);
        throw new Stop();
      };
      deliver(runner.lake.ports, config, urls).catch(() => undefined);
    });
  }
  class Stop extends Error {}

  const resume = ({ lake, config }: TableLake) =>
    resumeOpen({ ...lake.ports, isDead: (holder) => holder.host === DEAD.host }, config);

  test('takes up what dead runners left, leaves what live ones have, and ended deliveries alone', async () => {
    const made = await tableLake();
    const { lake, config, drop, record } = made;
    const [ended] = await drop({ 'ended.parquet': CLEAN });
    const url = putDrop(config, 'open.parquet', parquet(orders(10, 2)));
    await stopAt(made, 'inspected', [url]);
    expect(await resumeOpen(lake.ports, config)).toEqual([]);
    expect(await resume(made)).toMatchObject([{ kind: 'ended', record: { state: 'published', attempts: 2 } }]);
    expect(await resume(made)).toEqual([]);
    expect((await record(ended!.id)).attempts).toBe(1);
    expect(await idsOnMain(lake)).toEqual([...span(0, 3), 10, 11]);
  });

  test('a damaged record is told of and hides no other', async () => {
    const made = await tableLake();
    const url = putDrop(made.config, 'open.parquet', CLEAN);
    await stopAt(made, 'inspected', [url]);
    await made.lake.ports.store.create(`${made.config.records}${'0'.repeat(20)}.json`, new TextEncoder().encode('{'));
    const told: string[] = [];
    const outcomes = await resumeOpen(
      { ...made.lake.ports, isDead: (holder) => holder.host === DEAD.host },
      made.config,
      (fault) => told.push(fault.message),
    );
    expect(outcomes).toMatchObject([{ kind: 'ended', record: { state: 'published' } }]);
    expect(told).toEqual([expect.stringContaining('0'.repeat(20))]);
  });

  test('an interrupted delivery does not replace the table that a later one has replaced', async () => {
    const made = await tableLake({ mode: 'overwrite' });
    const url = putDrop(made.config, 'older.parquet', CLEAN);
    await stopAt(made, 'staged', [url]);
    await made.drop({ 'newer.parquet': parquet(orders(10, 2)) });
    expect(await idsOnMain(made.lake)).toEqual([10, 11]);
    expect(await resume(made)).toMatchObject([
      { kind: 'ended', record: { state: 'rejected', reason: expect.stringContaining('came after it') } },
    ]);
    expect(await idsOnMain(made.lake)).toEqual([10, 11]);
  });

  test.each<StepName>(['inspected', 'staged', 'audited'])(
    'after a death once %s, an object that has gone ends as errored',
    async (step) => {
      const made = await tableLake();
      const url = putDrop(made.config, 'open.parquet', CLEAN);
      await stopAt(made, step, [url]);
      unlinkSync(url.slice('file://'.length));
      expect(await resume(made)).toMatchObject([
        {
          kind: 'ended',
          record: { state: 'errored', reason: expect.stringMatching(/open\.parquet/), notification: 'sent' },
        },
      ]);
      expect(await idsOnMain(made.lake).catch(() => [])).toEqual([]);
    },
  );

  test('after a death once settled, an object that has gone is on main all the same, and its record says so', async () => {
    const made = await tableLake();
    const urls = [putDrop(made.config, 'a.parquet', CLEAN), putDrop(made.config, 'b.csv', 'id,note\n7,x\n8,y\n')];
    await stopAt(made, 'settled', urls);
    for (const url of urls) rmSync(url.slice('file://'.length));
    const outcomes = await resume(made);
    expect(
      outcomes
        .map(
          (outcome) =>
            outcome.kind === 'ended' && [outcome.record.state, outcome.record.rows, outcome.record.files?.length],
        )
        .sort(),
    ).toEqual([
      ['published', 2, 1],
      ['published', 3, 1],
    ]);
    expect(
      outcomes.every(
        (outcome) => outcome.kind === 'ended' && outcome.record.results?.every(({ outcome: o }) => o === 'passed'),
      ),
    ).toBe(true);
    expect(await idsOnMain(made.lake)).toEqual([0, 1, 2, 7, 8]);
    const [{ record }] = outcomes as [Extract<(typeof outcomes)[0], { kind: 'ended' }>];
    await rollbackDelivery(made.lake.ports, targetOf(made.lake), record.id, { by: 'me', reason: 'test' });
    expect((await idsOnMain(made.lake)).length).toBe(5 - record.rows!);
  });

  test('after a death once settled, it is found on main though its snapshot has expired since', async () => {
    const made = await tableLake();
    const { lake, drop } = made;
    const urls = [putDrop(made.config, 'a.parquet', CLEAN), putDrop(made.config, 'b.csv', 'id,note\n7,x\n8,y\n')];
    await stopAt(made, 'settled', urls);
    await drop({ 'later.parquet': parquet(orders(20, 2)) });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await sweepTable(lake.ports, targetOf(lake), { maxSnapshotAgeMs: 0, orphansOlderThanMs: 0, dryRun: false });
    expect((await loadTable(lake)).metadata.snapshots).toHaveLength(1);
    expect((await resume(made)).map((outcome) => outcome.kind === 'ended' && outcome.record.state)).toEqual([
      'published',
      'published',
    ]);
    expect(await idsOnMain(lake)).toEqual([0, 1, 2, 7, 8, 20, 21]);
  });

  test('an object that was replaced: the old version ends as errored, the new one is delivered when it is asked for', async () => {
    const made = await tableLake();
    const url = putDrop(made.config, 'same.parquet', CLEAN);
    await stopAt(made, 'claimed', [url]);
    unlinkSync(url.slice('file://'.length));
    putDrop(made.config, 'same.parquet', parquet(orders(50, 2)));
    expect(await resume(made)).toMatchObject([
      { kind: 'ended', record: { state: 'errored', reason: expect.stringMatching(/replaced/) } },
    ]);
    expect(await deliver(made.lake.ports, made.config, [url])).toMatchObject([
      { kind: 'ended', record: { state: 'published' } },
    ]);
    expect(await idsOnMain(made.lake)).toEqual([50, 51]);
  });

  test('tells people of what was stopped and never said, once', async () => {
    const made = await tableLake();
    const { config, lake } = made;
    await stopAt(made, 'recorded', [
      putDrop(config, 'bad.parquet', BAD),
      putDrop(config, 'worse.parquet', 'no Parquet'),
    ]);
    expect(told(config)).toEqual([]);
    expect(await resumeOpen(lake.ports, config)).toEqual([]);
    expect(told(config)).toEqual([]);
    await resume(made);
    expect(
      told(config)
        .map(({ event }) => event)
        .sort(),
    ).toEqual(['delivery.errored', 'delivery.rejected']);
    await resume(made);
    expect(told(config)).toHaveLength(2);
    expect((await allRecords(lake)).map(({ notification, lease }) => [notification, lease])).toEqual([
      ['sent', undefined],
      ['sent', undefined],
    ]);
  });

  test('the same event tells them, too, where nobody ever resumes', async () => {
    const made = await tableLake();
    const { config, lake } = made;
    const url = putDrop(config, 'bad.parquet', BAD);
    await stopAt(made, 'recorded', [url]);
    const ports = { ...lake.ports, isDead: () => true };
    expect(await deliver(ports, config, [url, url])).toMatchObject([
      { kind: 'already', record: { notification: 'sent' } },
      {},
    ]);
    await deliver(ports, config, [url]);
    expect(told(config)).toHaveLength(1);
  });

  test('a mark that cannot be set fails nothing: people hear of it again', async () => {
    const { config, lake } = await tableLake();
    const url = putDrop(config, 'bad.parquet', BAD);
    const broken = await openLake(config);
    const { load } = broken.ports.records;
    broken.ports.onStep = ({ step }) => {
      if (step !== 'recorded') return;
      broken.ports.records.load = () => Promise.reject(new LakegateError('unavailable', 'the store went away'));
    };
    expect(await deliver(broken.ports, config, [url])).toMatchObject([
      { kind: 'ended', record: { state: 'rejected' } },
    ]);
    broken.ports.records.load = load;
    await resumeOpen({ ...lake.ports, isDead: () => true }, config);
    expect(told(config)).toHaveLength(2);
    broken.close();
  });

  test('a delivery goes on to the table it was for, though the folder belongs to another now', async () => {
    const made = await tableLake();
    const url = putDrop(made.config, 'open.parquet', CLEAN);
    await stopAt(made, 'claimed', [url]);
    const [table] = made.config.tables;
    const config = {
      ...made.config,
      tables: [
        { ...table!, name: 'shop.other' },
        { ...table!, prefix: 'elsewhere/' },
      ],
    };
    await resume({ ...made, config });
    expect(await idsOnMain(made.lake)).toEqual(span(0, 3));
    expect(await collect(await listOf(made))).toEqual(['orders']);
  });

  async function* listOf({ lake }: TableLake) {
    for (const { name } of await targetOf(lake).catalog.listTables()) yield name;
  }
});
