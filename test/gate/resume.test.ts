import { rmSync, unlinkSync } from 'node:fs';
import { LakegateError } from '../../src/errors.ts';
import { rollbackDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { LeaseHolder } from '../../src/gate/delivery.ts';
import type { StepName } from '../../src/gate/ports.ts';
import { resumeOpen } from '../../src/gate/resume.ts';
import { sweepTable } from '../../src/gate/sweep.ts';
import { collect } from '../contract/collect.ts';
import { allRecords, idsOnMain, loadTable, orders, parquet, putDrop, span, targetOf, told } from '../faults/lake.ts';
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
        runner.lake.ports.records.closeBatch = () => new Promise(() => undefined);
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

  const DROPS = { 'bad.parquet': BAD, 'good.parquet': CLEAN };
  const EVENTS = ['delivery.published', 'delivery.rejected'];
  const eventsOf = ({ config }: TableLake) =>
    told(config)
      .map(({ event }) => event)
      .sort();
  const put = ({ config }: TableLake) => Object.entries(DROPS).map(([name, bytes]) => putDrop(config, name, bytes));

  test('after a death before people were told, they are; after a death before it was written down, they are told again', async () => {
    const made = await tableLake();
    await stopAt(made, 'settled', put(made));
    expect(eventsOf(made)).toEqual([]);
    expect(await resumeOpen(made.lake.ports, made.config)).toEqual([]);
    await resume(made);
    expect(eventsOf(made)).toEqual(EVENTS);
    expect(await resume(made)).toEqual([]);
    expect(eventsOf(made)).toEqual(EVENTS);
    const other = await tableLake();
    await stopAt(other, 'notified', put(other));
    expect(eventsOf(other)).toEqual(EVENTS);
    await resume(other);
    expect(eventsOf(other)).toEqual([...EVENTS, ...EVENTS].sort());
    const records = await allRecords(other.lake);
    expect(records.map(({ state, lease, batch }) => [state, lease, batch]).sort()).toEqual([
      ['published', undefined, undefined],
      ['rejected', undefined, undefined],
    ]);
  });

  /** A lake whose notifier fails, as long as it is told to. */
  async function silentLake() {
    const made = await tableLake();
    const { notifier } = made.lake.ports;
    const down = { notify: () => Promise.reject(new Error('the bus is down')) };
    made.lake.ports.notifier = down;
    return { made, mend: () => Object.assign(made.lake.ports, { notifier }) };
  }

  test('those who could not be told are told by a later run, once', async () => {
    const { made, mend } = await silentLake();
    await deliver(made.lake.ports, made.config, put(made));
    expect((await allRecords(made.lake)).map(({ notification }) => notification)).toEqual(['pending', 'pending']);
    await resumeOpen(made.lake.ports, made.config);
    expect((await allRecords(made.lake)).map(({ notification }) => notification)).toEqual(['pending', 'pending']);
    mend();
    expect(await resumeOpen(made.lake.ports, made.config)).toEqual([]);
    expect(eventsOf(made)).toEqual(EVENTS);
    await resumeOpen(made.lake.ports, made.config);
    expect(eventsOf(made)).toEqual(EVENTS);
    expect((await allRecords(made.lake)).map(({ notification }) => notification)).toEqual(['sent', 'sent']);
  });

  test('the same event tells them, too, where nobody ever resumes', async () => {
    const { made, mend } = await silentLake();
    const [url] = put(made);
    await deliver(made.lake.ports, made.config, [url!]);
    mend();
    expect(await deliver(made.lake.ports, made.config, [url!, url!])).toMatchObject([
      { kind: 'already', record: { notification: 'sent' } },
      {},
    ]);
    await deliver(made.lake.ports, made.config, [url!]);
    expect(eventsOf(made)).toEqual(['delivery.rejected']);
  });

  test('a mark that cannot be set fails nothing: people hear of it again', async () => {
    const { made, mend } = await silentLake();
    const { ports } = made.lake;
    await deliver(ports, made.config, put(made).slice(0, 1));
    mend();
    const { replace } = ports.records;
    ports.records.replace = () => Promise.reject(new LakegateError('unavailable', 'the store went away'));
    expect(await resumeOpen(ports, made.config)).toEqual([]);
    ports.records.replace = replace;
    await resumeOpen(ports, made.config);
    expect(eventsOf(made)).toEqual(['delivery.rejected', 'delivery.rejected']);
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
