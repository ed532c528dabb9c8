import { LakegateError } from '../../src/errors.ts';
import type { SourceItem } from '../../src/pipelines/model.ts';
import { sealed, UNCOPYABLE_WRITER, writeSource } from '../tables/generator.ts';
import { DATABASE, DAY, drop, filesUnder, KEY, Killed, pipelineLake, put, runPipeline, step, T0 } from './lake.ts';

const TARGET = 'memory:/lake/tables/bucketed/';
const STAGED = `${TARGET}infobase/_staging_spark/`;
const pipeline = 'bucketed';
const direct = () => pipelineLake({ pipelines: { bucketed: { database: DATABASE } } });
const ctas = (more: { engine?: 'spark' | 'copy'; max_columns?: number } = {}) =>
  pipelineLake({ pipelines: { bucketed: { database: DATABASE, bucketing: 'ctas', keep_versions: '1d', ...more } } });

describe('direct: Spark writes the buckets', () => {
  test("tables are registered over the job's files, with their buckets", async () => {
    const lake = direct();
    await drop(lake);
    let given: Record<string, string> = {};
    lake.before = (what, request) => {
      if (what === 'spark' && Object.keys(given).length === 0) given = request as Record<string, string>;
    };
    expect(await runPipeline(lake, { pipeline })).toMatchObject({ tables: 4, failed: [], reports: [] });
    expect(lake.catalog.tables.get('consumer.bucketed_ibe_01')).toMatchObject({
      location: `${TARGET}infobase/IBE_01/`,
      bucketColumns: [KEY],
      buckets: 256,
      comment: 'Bucketed table created from snapshot_dt=2026-01-31',
    });
    const run = given['--RESULT_PATH']!.slice(0, -'split-infobase.json'.length);
    expect(given).toEqual({
      '--MODE': 'bucketed',
      '--SOURCE_PATH': 'memory:/raw/infobase/',
      '--TARGET_PATH': `${TARGET}infobase/`,
      '--SNAPSHOT_DT': '2026-01-31',
      '--CSV_FILE': `${run}maps/infobase.csv`,
      '--TABLE_NAME': 'infobase',
      '--KEY_COL': KEY,
      '--ALIASES': '_NONE_',
      '--TABLES_FILTER': '_NONE_',
      '--TARGET_FILE_MB': '512',
      '--MAX_COLS': '100',
      '--STRICT': 'false',
      '--MARKER': '_SUCCESS',
      '--RESULT_PATH': `${run}split-infobase.json`,
      '--HOLD': 'true',
      '--BUCKETING': 'direct',
      '--BUCKET_COUNT': '256',
    });
    expect(await runPipeline(lake, { pipeline, execution: 'x:2' })).toMatchObject({ skipped: 2, tables: 0 });
  });

  test('tables that were asked for alone are what the job is told, in the words of the map', async () => {
    const lake = direct();
    await drop(lake);
    const given: string[] = [];
    lake.before = (what, request) => {
      if (what === 'spark') given.push((request as Record<string, string>)['--TABLES_FILTER']!);
    };
    const input = { TABLES_FILTER: 'ibe_02,N_a', force: true };
    expect(await runPipeline(lake, { pipeline, input })).toMatchObject({ tables: 2, failed: [] });
    expect(given).toEqual(['IBE_02,N_A']);
    expect([...lake.catalog.tables.keys()]).toEqual(['consumer.bucketed_ibe_02', 'consumer.bucketed_n_a']);
  });

  test('a table that the job could not write is named; those that it wrote go on', async () => {
    const lake = direct();
    await drop(lake);
    lake.before = (what, request) => {
      if (what === 'spark' && JSON.stringify(request).includes('infobase')) throw new Error('IBE_02');
    };
    const ended = await runPipeline(lake, { pipeline });
    expect(ended).toMatchObject({
      tables: 3,
      failed: [{ job: 'split', source: 'infobase', table: 'IBE_02', reason: 'out of memory' }],
    });
    expect([...lake.catalog.tables.keys()]).not.toContain('consumer.bucketed_ibe_02');
  });

  test('a job that did not get so far fails all its tables, with its reason', async () => {
    const lake = direct();
    await drop(lake);
    lake.before = (what) => {
      if (what === 'spark') throw new Error('no workers');
    };
    const ended = await runPipeline(lake, { pipeline });
    expect(ended.tables).toBe(0);
    expect(ended.failed).toHaveLength(4);
    for (const failure of ended.failed) expect(failure).toMatchObject({ job: 'split', reason: 'no workers' });
  });

  test('a snapshot that lakegate cannot read is left to Spark, where the engine is Spark', async () => {
    const unreadable = async (engine: 'copy' | 'spark', isSealed = false) => {
      const lake = pipelineLake({ pipelines: { bucketed: { database: DATABASE, bucketing: 'ctas', engine } } });
      await drop(lake);
      lake.config.sources = lake.config.sources.map(({ audit: _audit, ...source }) => source);
      const url = 'memory:/raw/addressable/snapshot_dt=2026-01-31/part-00000.snappy.parquet';
      await lake.store.delete([url]);
      const folder = url.slice(0, url.lastIndexOf('/') + 1);
      await writeSource(lake.store, folder, { tables: { T: 3 }, createdBy: UNCOPYABLE_WRITER });
      if (isSealed) {
        const { bytes } = await lake.store.read(url);
        await lake.store.delete([url]);
        await lake.store.create(url, sealed(bytes));
      }
      lake.before = (what) => {
        if (what === 'spark') throw new Error('no workers');
      };
      return runPipeline(lake, { pipeline, input: { sources: ['addressable'] } });
    };
    await expect(unreadable('copy')).rejects.toThrow(/can be copied from:[\s\S]*`engine: spark` in a pipeline/);
    expect((await unreadable('spark')).failed).toMatchObject([{ table: 'addressable_ids', reason: 'no workers' }]);
    // Spark has no keys either: nothing is paid for.
    await expect(unreadable('spark', true)).rejects.toThrow(/No engine here reads .*: it is encrypted/);
  });

  test('a result that is missing, broken or of another snapshot', async () => {
    const result = async (text: string | undefined) => {
      const lake = direct();
      await drop(lake);
      lake.before = async (what, request) => {
        if (what !== 'collect') return;
        const { item } = request as { item: SourceItem };
        const url = item.arguments!['--RESULT_PATH']!;
        if (text === undefined) await lake.store.delete([url]);
        else await put(lake, url, text);
      };
      return (await runPipeline(lake, { pipeline, input: { sources: ['addressable'] } })).failed;
    };
    expect(await result(undefined)).toMatchObject([
      { table: 'addressable_ids', reason: expect.stringContaining('left no result') },
    ]);
    expect(await result('{"snapshot":1}')).toMatchObject([
      { job: 'split', reason: expect.stringMatching(/split-addressable.json is not what a pipeline wrote: snapshot/) },
    ]);
    const other = { snapshot: '2025-12-31', source: { files: 1, rows: 1 }, tables: [] };
    expect(await result(JSON.stringify(other))).toMatchObject([
      { reason: 'the Spark job split snapshot_dt=2025-12-31: expected 2026-01-31' },
    ]);
    const silent = { ...other, snapshot: '2026-01-31' };
    expect(await result(JSON.stringify(silent))).toMatchObject([{ reason: 'the Spark job says nothing of it' }]);
  });

  /** Before a table's audit: a file of it twice. */
  const spoil = (lake: ReturnType<typeof direct>, table: string) => async (what: string, request: unknown) => {
    if (what !== 'register' || (request as { table: string }).table !== table) return;
    const folder = `${STAGED}${table}/`;
    const { bytes } = await lake.store.read(`${folder}held.json`);
    const record = JSON.parse(new TextDecoder().decode(bytes)) as { run: string; moves: Record<string, string> };
    const [first, second] = Object.keys(record.moves);
    await lake.store.delete([`${folder}${second}`]);
    await lake.store.copy(`${folder}${first}`, `${folder}${second}`);
    await lake.store.copy(`${folder}${first}`, `${folder}data/more.parquet`);
    const moves = { ...record.moves, 'data/more.parquet': `part-00009-${record.run}.parquet` };
    await put(lake, `${folder}held.json`, JSON.stringify({ ...record, moves }));
    const { run } = (request as { item: SourceItem }).item;
    const url = `${run}split-infobase.json`;
    const result = JSON.parse(new TextDecoder().decode((await lake.store.read(url)).bytes)) as {
      tables: { table: string; files: number }[];
    };
    for (const one of result.tables) if (one.table === table) one.files += 1;
    await put(lake, url, JSON.stringify(result));
  };

  test('nothing of a table that does not pass reaches the readers of what is registered; its files are kept for a person', async () => {
    const lake = direct();
    await drop(lake);
    await runPipeline(lake, { pipeline });
    const readers = async () => filesUnder(lake, `${TARGET}infobase/IBE_01/`);
    const before = await readers();
    const known = lake.catalog.tables.get('consumer.bucketed_ibe_01');
    expect(before.length).toBeGreaterThan(0);
    await drop(lake, '2026-02-28', 21);
    lake.before = spoil(lake, 'IBE_01');
    const ended = await runPipeline(lake, { pipeline, execution: 'x:2' });
    expect(ended).toMatchObject({ tables: 3 });
    expect(ended.failed).toEqual([
      {
        job: 'audit',
        source: 'infobase',
        table: 'IBE_01',
        reason: expect.stringMatching(
          new RegExp(
            `expected 42 rows as in the snapshot.*Its files are in ${STAGED}IBE_01/ until the next run, 14 days`,
          ),
        ),
      },
    ]);
    expect(await readers()).toEqual(before);
    expect(lake.catalog.tables.get('consumer.bucketed_ibe_01')).toEqual(known);
    expect((await filesUnder(lake, STAGED)).every((file) => file.startsWith('IBE_01/'))).toBe(true);
    // What says which snapshot the tables are of says it of all of them.
    const date = async () =>
      new TextDecoder().decode((await lake.store.read(`${TARGET}infobase/metadata/snapshot_dt.txt`)).bytes);
    expect(await date()).toBe('2026-01-31\n');
    // The next run makes it anew.
    lake.before = () => undefined;
    expect(await runPipeline(lake, { pipeline, execution: 'x:3' })).toMatchObject({ tables: 3, failed: [] });
    expect(await readers()).not.toEqual(before);
    expect(await filesUnder(lake, STAGED)).toEqual([]);
    expect(await date()).toBe('2026-02-28\n');
  });

  test('what did not pass is removed after its time; what a broken-off commit is to move stays', async () => {
    const lake = pipelineLake({ pipelines: { partitioned: { database: DATABASE, engine: 'spark' } } });
    const staged = 'memory:/lake/tables/partitioned/infobase/_staging_spark/';
    await drop(lake);
    await put(lake, `${staged}IBE_01/snapshot_dt=2025-11-30/held.json`, '{}');
    await put(lake, `${staged}IBE_02/snapshot_dt=2025-11-30/commit.json`, '{}');
    await put(lake, `${staged}IBE_02/snapshot_dt=2025-11-30/data/a.parquet`, '');
    lake.clock.now += 13 * DAY;
    await runPipeline(lake);
    expect(await filesUnder(lake, staged)).toHaveLength(3);
    lake.clock.now += 2 * DAY;
    await runPipeline(lake, { execution: 'x:2', input: { force: true } });
    expect(await filesUnder(lake, `${staged}IBE_01/`)).toEqual([]);
    expect(await filesUnder(lake, `${staged}IBE_02/`)).toHaveLength(2);
  });

  test('what cannot be cleaned up is noted, and takes nothing back', async () => {
    const lake = direct();
    await drop(lake);
    await put(lake, `${STAGED}OLD/held.json`, '{}');
    lake.clock.now += 20 * DAY;
    const { delete: remove } = lake.store;
    lake.store.delete = async (urls) => {
      if (urls.some((url) => url.includes('/OLD/'))) throw new LakegateError('config', 'S3 refuses');
      await remove(urls);
    };
    const ended = await runPipeline(lake, { pipeline });
    expect(ended).toMatchObject({ tables: 4, failed: [], notes: [expect.stringContaining('S3 refuses')] });
  });

  test('ended at any change that a table is registered by: the same step again, or another execution, makes the whole of it', async () => {
    const input = { tables: ['N_A'], force: true };
    let died = 0;
    for (let changes = 0; ; changes += 1) {
      const lake = direct();
      await drop(lake);
      await runPipeline(lake, { pipeline, input });
      const old = await filesUnder(lake, `${TARGET}infobase/N_A/`);
      let request: unknown;
      const { copy, create, delete: remove } = lake.store;
      lake.before = (what, asked) => {
        if (what !== 'register') return;
        request = asked;
        let left = changes;
        const live = () => {
          left -= 1;
          if (left < 0) throw new Killed();
        };
        Object.assign(lake.store, {
          async copy(...words: Parameters<typeof copy>) {
            live();
            return copy(...words);
          },
          async create(...words: Parameters<typeof create>) {
            live();
            return create(...words);
          },
          // A request that is broken off has deleted some of them.
          async delete(urls: string[]) {
            for (const url of urls) {
              live();
              await remove([url]);
            }
          },
        });
      };
      const ended = await runPipeline(lake, { pipeline, input, execution: 'x:2' }).catch((error: unknown) => error);
      Object.assign(lake.store, { copy, create, delete: remove });
      lake.before = () => undefined;
      if (ended instanceof Killed) {
        died += 1;
        if (changes % 2 === 0) await step(lake, request as never);
        else expect(await runPipeline(lake, { pipeline, input, execution: 'x:3' })).toMatchObject({ failed: [] });
      }
      const files = await filesUnder(lake, `${TARGET}infobase/N_A/`);
      const runs = new Set(files.map((name) => name.slice(-'0000000000000000.parquet'.length)));
      const isOld = files.some((name) => old.includes(name));
      expect([changes, files.length, runs.size, isOld]).toEqual([changes, old.length, 1, false]);
      expect([changes, await filesUnder(lake, STAGED)]).toEqual([changes, []]);
      if (ended instanceof Killed) continue;
      expect(ended).toMatchObject({ tables: 1, failed: [] });
      break;
    }
    expect(died).toBeGreaterThan(7);
  });

  test('a job that is older than its function commits by itself: its tables are failures', async () => {
    const lake = direct();
    await drop(lake);
    lake.before = async (what, request) => {
      if (what !== 'collect') return;
      const url = (request as { item: SourceItem }).item.arguments!['--RESULT_PATH']!;
      const text = new TextDecoder().decode((await lake.store.read(url)).bytes);
      await put(lake, url, text.replaceAll('"held"', '"written"'));
    };
    const { failed } = await runPipeline(lake, { pipeline });
    expect(failed).toHaveLength(4);
    expect(failed[0]!.reason).toContain('Deploy the stage again');
  });
});

describe('ctas: Athena buckets what was staged', () => {
  test('a version is built beside the readers’, swapped in, and old ones go after their time', async () => {
    const lake = ctas();
    await drop(lake);
    expect(await runPipeline(lake, { pipeline })).toMatchObject({ tables: 4, failed: [] });
    const versions = `${TARGET}infobase-versions/ibe_01/`;
    expect(lake.statements[0]).toContain(`external_location = '${versions}v=20260131T060000Z/'`);
    expect(lake.statements[0]).toContain('FROM "consumer"."ext_ibe_01"');
    expect(lake.catalog.tables.get('consumer.bucketed_ibe_01')).toMatchObject({
      location: `${versions}v=20260131T060000Z/`,
      bucketColumns: [KEY],
      comment: 'Bucketed table created from snapshot_dt=2026-01-31',
    });
    lake.clock.now += 2 * DAY;
    await drop(lake, '2026-02-28', 21);
    expect(await runPipeline(lake, { pipeline, execution: 'x:2' })).toMatchObject({ tables: 4, failed: [] });
    lake.clock.now += 2 * DAY;
    await runPipeline(lake, { pipeline, execution: 'x:3', input: { force: true } });
    // The version that was replaced just now is still read.
    expect(await filesUnder(lake, versions)).toEqual(['v=20260202T060000Z/000000_0', 'v=20260204T060000Z/000000_0']);
    const dropped = lake.catalog.done.filter((done) => done === 'remove bucketed_ibe_01');
    expect(dropped).toEqual([]);
  });

  test('a statement that fails leaves the version that readers have, and nothing of its own', async () => {
    const lake = ctas({ engine: 'spark' });
    await drop(lake);
    await runPipeline(lake, { pipeline });
    lake.clock.now += DAY;
    lake.before = (what, request) => {
      if (what === 'athena' && String(request).includes('ext_ibe_02')) throw new Error('GENERIC_INTERNAL_ERROR');
    };
    const ended = await runPipeline(lake, { pipeline, execution: 'x:2', input: { force: true } });
    expect(ended.failed).toEqual([
      { job: 'bucket', source: 'infobase', table: 'IBE_02', reason: 'GENERIC_INTERNAL_ERROR' },
    ]);
    expect(ended.tables).toBe(3);
    const kept = `${TARGET}infobase-versions/ibe_02/v=20260131T060000Z/`;
    expect(lake.catalog.tables.get('consumer.bucketed_ibe_02')!.location).toBe(kept);
    expect(await filesUnder(lake, `${TARGET}infobase-versions/ibe_02/`)).toEqual(['v=20260131T060000Z/000000_0']);
    expect([...lake.catalog.tables.keys()].filter((name) => name.includes('__'))).toEqual([]);
  });

  test('a staged table may be wide; the bucketed one may not', async () => {
    const lake = ctas({ max_columns: 4 });
    await drop(lake);
    const ended = await runPipeline(lake, { pipeline });
    expect(ended.failed).toEqual([
      { job: 'bucket', source: 'infobase', table: 'IBE_01', reason: expect.stringContaining('expected at most 4') },
    ]);
    expect(lake.catalog.tables.has('consumer.ext_ibe_01')).toBe(true);
  });

  test('a table asked for again before its statement gets a version anew', async () => {
    const lake = ctas();
    await drop(lake);
    lake.before = async (what, request) => {
      if (what === 'athena' || what !== 'register') return;
      lake.before = () => undefined;
      await step(lake, request as never);
      lake.clock.now += 1000;
    };
    expect(await runPipeline(lake, { pipeline })).toMatchObject({ failed: [] });
    expect(lake.catalog.tables.get('consumer.bucketed_ibe_01')!.location).toContain('v=20260131T060001Z');
  });

  test('a fault of cleaning takes nothing back', async () => {
    const lake = ctas();
    await drop(lake);
    await runPipeline(lake, { pipeline });
    lake.clock.now += 3 * DAY;
    const { delete: remove } = lake.store;
    lake.store.delete = async (urls) => {
      if (urls.some((url) => url.includes('-versions/'))) throw new LakegateError('unavailable', 'S3 refuses');
      await remove(urls);
    };
    expect(await runPipeline(lake, { pipeline, execution: 'x:2', input: { force: true } })).toMatchObject({
      failed: [],
    });
  });
});

test.each(['spark', 'copy'] as const)(
  'ctas by %s: ended between any two steps, a new execution makes the whole of it',
  async (engine) => {
    const counted = ctas({ engine });
    await drop(counted);
    let steps = 0;
    counted.before = () => {
      steps += 1;
    };
    await runPipeline(counted, { pipeline });
    for (let last = 0; last < steps; last += 1) {
      const lake = ctas({ engine });
      await drop(lake);
      let left = last;
      lake.before = () => {
        left -= 1;
        if (left < 0) throw new Killed();
      };
      await expect(runPipeline(lake, { pipeline, execution: 'x:1' })).rejects.toBeInstanceOf(Killed);
      lake.before = () => undefined;
      lake.clock.now = T0 + 60_000;
      const ended = await runPipeline(lake, { pipeline, execution: 'x:2' });
      expect([last, ended.failed, ended.tables]).toEqual([last, [], 4]);
      expect([...lake.catalog.tables.keys()].sort()).toEqual([...counted.catalog.tables.keys()].sort());
      for (const { name, location } of lake.catalog.tables.values()) {
        expect([name, (await filesUnder(lake, location!)).length > 0]).toEqual([name, true]);
      }
    }
  },
);
