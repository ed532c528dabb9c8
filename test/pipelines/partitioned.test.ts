import { LakegateError } from '../../src/errors.ts';
import { removeOldRuns } from '../../src/pipelines/old-runs.ts';
import { runFolder } from '../../src/pipelines/run-files.ts';
import { runWish } from '../../src/pipelines/run-input.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { writeSource } from '../tables/generator.ts';
import { begin, DATABASE, DAY, drop, filesUnder, Killed, pipelineLake, put, runPipeline, step, T0 } from './lake.ts';

const PARTS = ['part_addressable_ids', 'part_ibe_01', 'part_ibe_02', 'part_n_a'];
const TARGET = 'memory:/lake/tables/partitioned/';
const RUNS = 'memory:/lake/lakegate/tables/partitioned/';

const registered = (lake: ReturnType<typeof pipelineLake>) =>
  [...lake.catalog.tables.keys()].map((name) => name.slice(DATABASE.length + 1)).sort();

test('from the snapshots to registered tables, their partitions and the table of Entity Resolution', async () => {
  const lake = pipelineLake();
  await drop(lake);
  expect(await runPipeline(lake)).toEqual({
    pipeline: 'partitioned',
    tables: 5,
    skipped: 0,
    failed: [],
    reports: [{ report: 'cleanrooms' }],
  });
  expect(registered(lake)).toEqual([...PARTS.slice(0, 1), 'part_addressable_ids_er', ...PARTS.slice(1)]);
  expect([...lake.partitions.values()].map(({ table, date, folder }) => [table, date, folder])).toContainEqual([
    'part_ibe_01',
    '2026-01-31',
    `${TARGET}infobase/IBE_01/snapshot_dt=2026-01-31/`,
  ]);
  expect(lake.partitions.size).toBe(4);
  expect(lake.catalog.tables.get('consumer.part_addressable_ids_er')).toMatchObject({
    location: `${TARGET}addressable-versions/part_addressable_ids_er/v=20260131T060000Z/`,
    comment: 'Entity Resolution table created from snapshot_dt=2026-01-31',
  });
  expect(await filesUnder(lake, `${TARGET}infobase/metadata/`)).toEqual(['snapshot_dt.txt']);
  expect((await filesUnder(lake, `${TARGET}infobase/`)).filter((file) => file.startsWith('_'))).toEqual([]);
  expect(lake.told).toEqual([]);
});

test('a snapshot that was taken is skipped, until anything of it or its settings changes, or somebody insists', async () => {
  const lake = pipelineLake();
  await drop(lake);
  await runPipeline(lake);
  lake.clock.now += DAY;
  expect(await runPipeline(lake, { execution: 'arn:x:run-2' })).toMatchObject({ tables: 0, skipped: 2, reports: [] });
  expect(await runPipeline(lake, { execution: 'arn:x:run-3', input: { force: true } })).toMatchObject({
    tables: 5,
    skipped: 0,
  });
  // Some tables alone are a trial: nothing is skipped for it, nothing remembered of it.
  expect(
    await runPipeline(lake, { execution: 'arn:x:run-4', input: { TABLES_FILTER: 'ibe_01, IBE_02' } }),
  ).toMatchObject({ tables: 2, skipped: 0 });
  const [before] = lake.config.sources;
  lake.config.sources[0] = { ...before!, aliases: { ibe_01_field_000: 'first' } };
  const after = await runPipeline(lake, { execution: 'arn:x:run-5' });
  expect(after.skipped).toBe(1);
});

test('an older snapshot than was taken takes no tables back; named, or by force, it is taken', async () => {
  const lake = pipelineLake();
  const dated = async () =>
    new TextDecoder().decode((await lake.store.read(`${TARGET}infobase/metadata/snapshot_dt.txt`)).bytes).trim();
  await drop(lake);
  await drop(lake, '2026-02-28', 21);
  expect(await runPipeline(lake, { input: { sources: ['infobase'] } })).toMatchObject({ tables: 3, failed: [] });
  // The newest was moved away. A marker names a snapshot as nobody does by hand, which is the same (see below).
  await lake.store.delete(['memory:/raw/infobase/snapshot_dt=2026-02-28/_SUCCESS']);
  const run = (execution: string, more: object) =>
    runPipeline(lake, { execution, input: { sources: ['infobase'], ...more } });
  const late = await run('x:2', {});
  expect(late).toMatchObject({ tables: 0, skipped: 1, failed: [], reports: [] });
  expect(late.notes).toEqual([
    expect.stringMatching(/^snapshot_dt=2026-01-31 of infobase was passed over: 2026-02-28 was taken before\. /),
  ]);
  expect(await run('x:3', { tables: ['N_A'] })).toMatchObject({ tables: 0, skipped: 1 });
  expect(await dated()).toBe('2026-02-28');
  const named = await run('x:4', { snapshot: '2026-01-31' });
  expect(named).toMatchObject({ tables: 3, skipped: 0, failed: [] });
  expect(named).not.toHaveProperty('notes');
  expect(await dated()).toBe('2026-01-31');
  expect(await run('x:5', { force: true })).toMatchObject({ tables: 3, skipped: 0 });
});

/** Events of S3 are about S3: `s3://raw/` is a folder of the store in memory. */
function withRawOnS3(store: ObjectStore): ObjectStore {
  const here = (url: string) => url.replace(/^s3:\/\/raw\//, 'memory:/raw/');
  return {
    ...store,
    head: (url) => store.head(here(url)),
    open: (url, expected) => store.open(here(url), expected),
    read: (url) => store.read(here(url)),
    create: (url, bytes) => store.create(here(url), bytes),
    async *list(prefix) {
      for await (const object of store.list(here(prefix))) {
        yield { ...object, url: object.url.replace(/^memory:\/raw\//, 's3://raw/') };
      }
    },
  };
}

test('a marker that comes late adds the partitions of its snapshot; all else stays as the newer one has it', async () => {
  const lake = pipelineLake();
  lake.ports.store = lake.store = withRawOnS3(lake.store);
  for (const [index, source] of lake.config.sources.entries()) {
    lake.config.sources[index] = { ...source, path: `s3://raw/${source.name}/`, marker: '_SUCCESS' };
  }
  const arrive = async (execution: string, date: string, fields: number) => {
    const folder = `addressable/snapshot_dt=${date}/`;
    await writeSource(lake.store, `s3://raw/${folder}`, { tables: { addressable_ids: fields }, files: 1, rows: 20 });
    await lake.store.create(`s3://raw/${folder}_SUCCESS`, new Uint8Array());
    const detail = { bucket: { name: 'raw' }, object: { key: `${folder}_SUCCESS` } };
    return runPipeline(lake, { execution, input: { 'detail-type': 'Object Created', detail } });
  };
  const ids = () => lake.catalog.tables.get('consumer.part_addressable_ids')!;
  const erComment = () => lake.catalog.tables.get('consumer.part_addressable_ids_er')?.comment;
  expect(await arrive('x:1', '2026-02-28', 4)).toMatchObject({ tables: 2, failed: [] });
  const before = [ids().comment, ids().columns.length, erComment()];
  const late = await arrive('x:2', '2026-01-31', 3);
  expect(late).toMatchObject({ tables: 1, skipped: 0, failed: [] });
  expect(late.notes).toEqual([
    expect.stringMatching(
      /^snapshot_dt=2026-01-31 of addressable was added beside 2026-02-28, which was taken before\. /,
    ),
  ]);
  expect([ids().comment, ids().columns.length, erComment()]).toEqual(before);
  expect([...lake.partitions.keys()]).toEqual([
    'consumer.part_addressable_ids 2026-02-28',
    'consumer.part_addressable_ids 2026-01-31',
  ]);
  const told = await lake.store.read(`${TARGET}addressable/metadata/snapshot_dt.txt`);
  expect(new TextDecoder().decode(told.bytes).trim()).toBe('2026-02-28');
  // The newer one is still the last that was taken: nothing is to be done for it.
  expect(await runPipeline(lake, { execution: 'x:3', input: { sources: ['addressable'] } })).toMatchObject({
    skipped: 1,
  });
});

test('tables that were asked for alone', async () => {
  const lake = pipelineLake();
  await drop(lake);
  expect(await runPipeline(lake, { input: { tables: ['n_a'] } })).toMatchObject({ tables: 1, failed: [] });
  expect(registered(lake)).toEqual(['part_n_a']);
  expect((await filesUnder(lake, RUNS)).filter((file) => file.startsWith('last-'))).toEqual([]);
  expect(await runPipeline(lake, { execution: 'x:2' })).toMatchObject({ tables: 5, skipped: 0 });
});

describe('before anything is begun', () => {
  test('every fault is told at once, and nothing is left behind', async () => {
    const lake = pipelineLake({
      pipelines: { partitioned: { database: 'nowhere', entity_resolution: 'part_ids' } },
    });
    await put(lake, 'memory:/config/infobase-map.csv', 'table,column\nIBE_01,\n');
    const input = { snapshot: 'yesterday', tables: 7, sources: ['infobase', 'other'], force: 'no', tabels: [] };
    const fault = await runPipeline(lake, { input }).catch((error: unknown) => error as LakegateError);
    expect(fault).toMatchObject({ kind: 'invalid', retryable: false });
    expect((fault as LakegateError).message.split('\n').map((line) => line.trim())).toEqual([
      'the pipeline partitioned was not begun:',
      'tabels: there is no such input. There are snapshot, SNAPSHOT_DT, tables, TABLES_FILTER, sources, force',
      'snapshot: expected YYYY-MM-DD or _NONE_, found "yesterday"',
      'tables: expected a list of names, found 7',
      'force: expected true or false, found "no"',
      'sources: there is no source "other". There are infobase, addressable',
      'infobase: the split map infobase-map.csv cannot be used:',
      'line 2: no column',
      'there is no Glue database nowhere: make it, or name another in lake.yaml',
    ]);
    expect(await filesUnder(lake, RUNS)).toEqual([]);
  });

  test('a long list of faults is cut by its lines', async () => {
    const lake = pipelineLake();
    await drop(lake);
    const lines = Array.from({ length: 180 }, (_, n) => `T_${n},`);
    await put(lake, 'memory:/config/infobase-map.csv', `table,column\n${lines.join('\n')}\n`);
    const input = Object.fromEntries(Array.from({ length: 160 }, (_, n) => [`wrong_${n}`, 1]));
    const fault = await runPipeline(lake, { input }).catch((error: unknown) => error as LakegateError);
    const told = (fault as LakegateError).message.split('\n');
    expect(told).toHaveLength(202);
    expect(told.at(-1)).toBe('  and 12 lines more');
  });

  test('snapshots, maps and tables of somebody else', async () => {
    const lake = pipelineLake();
    await drop(lake);
    await lake.catalog.create(DATABASE, {
      Name: 'part_ibe_01',
      TableType: 'VIRTUAL_VIEW',
      StorageDescriptor: { Location: '' },
    });
    const input = { SNAPSHOT_DT: '2026-02-28', TABLES_FILTER: 'IBE_01,ids' };
    await expect(runPipeline(lake, { input })).rejects.toThrow(
      /tables: no split map has "ids". There are IBE_01, IBE_02, N_A, addressable_ids\n {2}infobase: there is no snapshot_dt=2026-02-28\/ folder directly under memory:\/raw\/infobase\/\n {2}consumer.part_ibe_01 is VIRTUAL_VIEW/,
    );
    await put(lake, 'memory:/config/infobase-map.csv', 'table,column\nIBE_01,nonsense\nIBE_01,Customer_User_id\n');
    await expect(runPipeline(lake)).rejects.toThrow(
      /infobase-map.csv and .* do not go together:\n.*no column `nonsense`/,
    );
    expect(lake.catalog.tables.size).toBe(1);
  });

  test('a snapshot without its marker does not count', async () => {
    const lake = pipelineLake();
    await drop(lake);
    await lake.store.delete(['memory:/raw/infobase/snapshot_dt=2026-01-31/_SUCCESS']);
    await expect(runPipeline(lake)).rejects.toThrow('infobase: no snapshot under memory:/raw/infobase/ is complete');
  });

  test("a marker's event is about that snapshot of its source, a schedule's about all", async () => {
    const { config } = pipelineLake();
    const sources = config.sources.map((source) => ({ ...source, path: `s3://raw/${source.name}/` }));
    const faults: string[] = [];
    const wish = (key: string, type = 'Object Created') =>
      runWish({ 'detail-type': type, detail: { bucket: { name: 'raw' }, object: { key } } }, sources, (fault) =>
        faults.push(fault),
      );
    expect(wish('infobase/snapshot_dt=2026-01-31/_SUCCESS')).toEqual({
      snapshot: '2026-01-31',
      chosenBy: 'marker',
      sources: ['infobase'],
      tables: [],
      force: false,
    });
    expect(wish('infobase/snapshot_dt=2026-01-31/part=1/_SUCCESS').sources).toEqual([]);
    expect(wish('', 'Scheduled Event')).toEqual({ tables: [], force: false });
    expect(runWish({ tables: [] }, sources, (fault) => faults.push(fault))).toEqual({ tables: [], force: false });
    expect(faults).toEqual([]);
    wish('infobase/snapshot_dt=2026-01-31/part-0.parquet');
    wish('elsewhere/_SUCCESS');
    expect(faults).toEqual([
      expect.stringContaining("expected one about the marker of a source's snapshot, found s3://raw/infobase/"),
      expect.stringContaining('found s3://raw/elsewhere/_SUCCESS'),
    ]);
    // A list that was meant to name something is not all.
    runWish({ TABLES_FILTER: ' , ' }, sources, (fault) => faults.push(fault));
    expect(faults.at(-1)).toBe('tables: expected a name at least, found " , "');
    const lake = pipelineLake();
    await drop(lake);
    expect(await runPipeline(lake, { input: { 'detail-type': 'Scheduled Event' } })).toMatchObject({ tables: 5 });
  });

  test('what may pass by itself is no fault of the input', async () => {
    const lake = pipelineLake();
    await drop(lake);
    lake.catalog.list = async () => {
      throw new LakegateError('unavailable', 'Glue does not answer');
    };
    await expect(runPipeline(lake)).rejects.toMatchObject({ kind: 'unavailable', retryable: true });
  });
});

describe('the gates', () => {
  test('a snapshot that fails its audit is not split; the other source is', async () => {
    const lake = pipelineLake();
    await drop(lake);
    await runPipeline(lake);
    await drop(lake, '2026-02-28', 5);
    const ended = await runPipeline(lake, { execution: 'x:2', input: { sources: ['infobase'] } });
    expect(ended.tables).toBe(0);
    expect(ended.failed).toEqual([
      { job: 'audit', source: 'infobase', reason: expect.stringContaining('expected between 32 and 48 rows') },
    ]);
    expect(lake.told).toMatchObject([
      { event: 'pipeline.failed', pipeline: 'partitioned', execution: 'x:2', count: 1 },
    ]);
    expect(lake.partitions.has('consumer.part_ibe_01 2026-02-28')).toBe(false);
    // The last good one stays what rows are compared with.
    expect((await runPipeline(lake, { execution: 'x:3', input: { sources: ['infobase'] } })).failed).toHaveLength(1);
  });

  test('an audit that could not be done is neither passed nor failed: the source stops, and the reason says so', async () => {
    const lake = pipelineLake();
    await drop(lake);
    lake.before = async (what, request) => {
      if (what === 'judge' && JSON.stringify(request).includes('infobase')) {
        const { item } = request as { item: { run: string } };
        await lake.store.delete([`${item.run}audit-infobase-0.json`]);
      }
    };
    const ended = await runPipeline(lake);
    expect(ended.failed).toEqual([
      { job: 'audit', source: 'infobase', reason: expect.stringContaining('could not be checked'), inconclusive: true },
    ]);
    expect(lake.told).toMatchObject([{ failures: [{ job: 'audit', inconclusive: true }] }]);
    expect(registered(lake)).toEqual(['part_addressable_ids', 'part_addressable_ids_er']);
  });

  test('an audit that broke down, of a snapshot or a table, says nothing against the data', async () => {
    const lake = pipelineLake();
    await drop(lake);
    lake.before = (what, request) => {
      if (what === 'audit' && JSON.stringify(request).includes('addressable')) throw new Error('S3 does not answer');
    };
    const { open } = lake.store;
    lake.store.open = async (url, ...rest) => {
      if (url.includes('/_staging/IBE_01')) throw new LakegateError('config', 'S3 refuses', { retryable: false });
      return open(url, ...rest);
    };
    const ended = await runPipeline(lake);
    expect(ended.failed).toEqual([
      {
        job: 'audit',
        source: 'infobase',
        table: 'IBE_01',
        reason: 'the table part_ibe_01 could not be checked: S3 refuses',
        inconclusive: true,
      },
      {
        job: 'audit',
        source: 'addressable',
        reason: 'snapshot_dt=2026-01-31 of addressable could not be checked: S3 does not answer',
        inconclusive: true,
      },
    ]);
  });

  test('a first snapshot without a row is not taken', async () => {
    const lake = pipelineLake();
    await drop(lake, '2026-01-31', 0);
    const ended = await runPipeline(lake, { input: { sources: ['infobase'] } });
    expect(ended).toMatchObject({
      tables: 0,
      failed: [{ job: 'audit', reason: expect.stringContaining('row_count: expected at least 1 rows, found 0 rows.') }],
    });
  });

  test('a copied table that fails its audit keeps its old data, and is not shown', async () => {
    const lake = pipelineLake();
    await drop(lake);
    await runPipeline(lake);
    const old = await filesUnder(lake, `${TARGET}infobase/IBE_01/`);
    // The same date again, of other files; one table's are spoilt before they are audited.
    await lake.store.delete(
      (await filesUnder(lake, 'memory:/raw/infobase/')).map((file) => `memory:/raw/infobase/${file}`),
    );
    await drop(lake, '2026-01-31', 18);
    lake.before = async (what, request) => {
      if (what !== 'register' || (request as { table: string }).table !== 'IBE_01') return;
      const folder = `${TARGET}infobase/_staging/`;
      const beside = (await filesUnder(lake, folder)).filter((file) => file.includes('IBE_01'));
      for (const file of beside) await put(lake, folder + file, 'no Parquet');
    };
    const ended = await runPipeline(lake, { execution: 'x:2', input: { sources: ['infobase'] } });
    expect(ended.failed).toMatchObject([{ job: 'audit', source: 'infobase', table: 'IBE_01' }]);
    expect(ended.tables).toBe(2);
    expect(await filesUnder(lake, `${TARGET}infobase/IBE_01/`)).toEqual(old);
    // What did not pass is made again from its snapshot, and takes no room until then.
    expect(await filesUnder(lake, `${TARGET}infobase/_staging/`)).toEqual([]);
  });

  test('a table of which a file is gone gets that one back', async () => {
    const lake = pipelineLake();
    lake.config.targetBytes = 1;
    await drop(lake);
    await runPipeline(lake);
    const folder = `${TARGET}infobase/IBE_01/snapshot_dt=2026-01-31/`;
    const whole = await filesUnder(lake, folder);
    expect(whole.length).toBeGreaterThan(1);
    await lake.store.delete([folder + whole[0]!]);
    lake.clock.now += DAY;
    expect(await runPipeline(lake, { execution: 'x:2', input: { force: true } })).toMatchObject({ failed: [] });
    expect(await filesUnder(lake, folder)).toEqual(whole);
  });

  test('what runs left beside their tables that nobody followed goes after a while', async () => {
    const lake = pipelineLake();
    await drop(lake);
    const left = `${TARGET}infobase/_staging/GONE.snapshot_dt=2025-12-31/part-00000.parquet`;
    await put(lake, left, 'left');
    lake.clock.now += DAY;
    await runPipeline(lake);
    expect(await lake.store.head(left)).toBeDefined();
    lake.clock.now += 30 * DAY;
    await runPipeline(lake, { execution: 'x:2', input: { force: true } });
    expect(await lake.store.head(left)).toBeUndefined();
  });
});

describe('what earlier runs left', () => {
  /** Folders of runs, and what lies beside them. */
  const names = async (lake: ReturnType<typeof pipelineLake>) =>
    new Set((await filesUnder(lake, RUNS)).map((file) => file.replace(/-[0-9a-f]{8}\/.*$/, '')));

  test('a run’s folder goes after its time, what was taken last stays', async () => {
    const lake = pipelineLake();
    await drop(lake);
    const own = ['last-addressable.json', 'last-infobase.json', 'lock.json'];
    for (const [days, execution, found] of [
      [0, 'x:run-1', ['run-1']],
      [89, 'x:run-2', ['run-1', 'run-2']],
      [2, 'x:run-3', ['run-2', 'run-3']],
    ] as const) {
      lake.clock.now += days * DAY;
      expect(await runPipeline(lake, { execution })).toMatchObject({ failed: [] });
      expect(await names(lake)).toEqual(new Set([...own, ...found]));
    }
    // However old: the run that asks, and one that took the pipeline from it.
    const last = lake.config.runs;
    const held = `${last}partitioned/held-00000000/`;
    await put(lake, `${held}validate.json`, '{}');
    await put(lake, `${RUNS}lock.json`, JSON.stringify({ execution: 'x:9', run: held, at: '2026-05-01T00:00:00Z' }));
    lake.clock.now += 91 * DAY;
    await removeOldRuns(lake.ports, lake.config, 'partitioned', runFolder(last, 'partitioned', 'x:run-3'));
    expect(await names(lake)).toEqual(new Set([...own, 'run-3', 'held']));
    await put(lake, `${RUNS}lock.json`, 'no lock');
    await expect(removeOldRuns(lake.ports, lake.config, 'partitioned', `${RUNS}x/`)).rejects.toThrow('lock.json');
    expect(await names(lake)).toEqual(new Set([...own, 'run-3', 'held']));
  });

  test('so many folders at a time', async () => {
    const lake = pipelineLake();
    for (let n = 0; n < 120; n += 1) await put(lake, `${RUNS}r${n}-00000000/validate.json`, '{}');
    lake.clock.now += 91 * DAY;
    for (const left of [20, 0]) {
      await removeOldRuns(lake.ports, lake.config, 'partitioned', `${RUNS}own/`);
      expect(await filesUnder(lake, RUNS)).toHaveLength(left);
    }
  });

  test('files that killed writers left unfinished go as well', async () => {
    const lake = pipelineLake();
    await drop(lake);
    const asked: [string, number][] = [];
    const removed: string[] = [];
    const { delete: remove } = lake.store;
    lake.store.unfinished = async function* (prefix, age) {
      asked.push([prefix, age]);
      yield `${prefix}upload`;
    };
    lake.store.delete = async (urls) => {
      removed.push(...urls);
      await remove(urls);
    };
    expect(await runPipeline(lake)).toMatchObject({ failed: [] });
    const places = ['infobase', 'addressable'].map((source) => `${TARGET}${source}/`);
    expect(asked).toEqual(expect.arrayContaining(places.map((place) => [place, 7 * DAY])));
    expect(removed).toEqual(expect.arrayContaining(places.map((place) => `${place}upload`)));
  });
});

describe('one table fails, and the others go on', () => {
  const failing = (mode: string, table: string, error: Error) => (what: string, request: unknown) => {
    if (what === mode && (request as { table?: string }).table === table) throw error;
  };

  test('when it is registered', async () => {
    const lake = pipelineLake();
    await drop(lake);
    lake.before = failing('register', 'IBE_02', new Error('Glue is down'));
    const ended = await runPipeline(lake);
    expect(ended.failed).toEqual([{ job: 'register', source: 'infobase', table: 'IBE_02', reason: 'Glue is down' }]);
    expect(ended.tables).toBe(4);
    expect(lake.told[0]!.failures).toEqual(ended.failed);
    // The next run does what is left, and nothing is skipped before all is done.
    lake.before = () => undefined;
    expect(await runPipeline(lake, { execution: 'x:2' })).toMatchObject({ tables: 3, skipped: 1, failed: [] });
  });

  test('when it is too wide, which names it and why before a byte of it is moved', async () => {
    const lake = pipelineLake({ pipelines: { partitioned: { database: DATABASE, max_columns: 5 } } });
    await drop(lake);
    const ended = await runPipeline(lake);
    expect(ended.failed).toEqual([
      { job: 'split', source: 'infobase', table: 'IBE_01', reason: expect.stringContaining('it has 6 columns') },
    ]);
    expect(ended.tables).toBe(3);
    expect((await filesUnder(lake, TARGET)).filter((file) => file.includes('IBE_01'))).toEqual([]);
  });

  test('when its files cannot be written', async () => {
    const lake = pipelineLake();
    await drop(lake);
    const { writer } = lake.store;
    lake.store.writer = async (url) => {
      if (url.includes('IBE_02')) throw new LakegateError('invalid', 'the disk refuses');
      return writer(url);
    };
    const ended = await runPipeline(lake);
    expect(ended.failed).toEqual([{ job: 'split', source: 'infobase', table: 'IBE_02', reason: 'the disk refuses' }]);
    expect(ended.tables).toBe(4);
  });

  test('when the table that Entity Resolution reads fails, its old version stays', async () => {
    const lake = pipelineLake();
    await drop(lake);
    await runPipeline(lake);
    const er = lake.catalog.tables.get('consumer.part_addressable_ids_er')!.location;
    lake.clock.now += DAY;
    lake.before = failing('register', 'addressable_ids', new Error('no'));
    const ended = await runPipeline(lake, { execution: 'x:2', input: { force: true } });
    expect(ended.failed).toMatchObject([{ table: 'addressable_ids' }]);
    expect(lake.catalog.tables.get('consumer.part_addressable_ids_er')!.location).toBe(er);
  });

  test("when Entity Resolution's statement fails, what it left is gone and the run names it", async () => {
    const lake = pipelineLake();
    await drop(lake);
    lake.before = (what) => {
      if (what === 'athena') throw new Error('QUERY_EXHAUSTED');
    };
    const ended = await runPipeline(lake);
    expect(ended.failed).toEqual([
      { job: 'er', source: 'addressable', table: 'part_addressable_ids_er', reason: 'QUERY_EXHAUSTED' },
    ]);
    expect(await filesUnder(lake, `${TARGET}addressable-versions/`)).toEqual([]);
    expect(registered(lake)).toEqual(PARTS);
  });

  test('MSCK: a statement for each table, whose failure is named', async () => {
    const lake = pipelineLake({ pipelines: { partitioned: { database: DATABASE, prepare: 'msck' } } });
    await drop(lake);
    lake.before = (what, request) => {
      if (what === 'athena' && String(request).includes('part_n_a')) throw new Error('TooManyPartitions');
    };
    const ended = await runPipeline(lake);
    expect(lake.statements).toEqual(
      ['ibe_01', 'ibe_02', 'n_a', 'addressable_ids'].map((name) => `MSCK REPAIR TABLE \`part_${name}\``),
    );
    expect(ended.failed).toEqual([{ job: 'prepare', source: 'infobase', table: 'N_A', reason: 'TooManyPartitions' }]);
    expect(ended.tables).toBe(3);
  });
});

describe('one execution at a time', () => {
  test('another one waits its turn, and takes over what runs no more', async () => {
    const lake = pipelineLake();
    await drop(lake);
    lake.running.add('x:1');
    const first = await begin(lake, { execution: 'x:1' });
    const since = new Date(T0).toISOString();
    const waiting = (execution: string) =>
      step(lake, { mode: 'validate', pipeline: 'partitioned', input: {}, execution, since });
    expect(await waiting('x:2')).toEqual({ busy: 'x:1' });
    lake.clock.now += DAY / 2;
    expect(await waiting('x:2')).toEqual({ busy: 'x:1' });
    // Half a day is enough.
    lake.clock.now += 1;
    await expect(waiting('x:2')).rejects.toThrow('the pipeline partitioned is at work for x:1');
    await expect(waiting('x:2')).rejects.toMatchObject({ kind: 'conflict', retryable: false });
    // The same call come again is the same run.
    expect(await begin(lake, { execution: 'x:1' })).toEqual(first);
    lake.running.delete('x:1');
    const taken = await begin(lake, { execution: 'x:2' });
    expect(taken.run).not.toBe(first.run);
    // What is left of the first changes nothing any more.
    const [item] = first.sources;
    await expect(step(lake, { mode: 'register', item: item!, table: 'IBE_01' })).rejects.toThrow(
      "is no more this run's",
    );
    await step(lake, { mode: 'finish', pipeline: 'partitioned', run: first.run, execution: 'x:1' });
    expect(lake.told).toEqual([]);
    lake.running.add('x:2');
    lake.clock.now = T0;
    expect(await waiting('x:3')).toEqual({ busy: 'x:2' });
  });

  test('two at the same moment: one goes on', async () => {
    const lake = pipelineLake();
    await drop(lake);
    const executions = ['x:1', 'x:2', 'x:3'];
    for (const execution of executions) lake.running.add(execution);
    const begun = await Promise.allSettled(
      executions.map((execution) => step(lake, { mode: 'validate', pipeline: 'partitioned', input: {}, execution })),
    );
    const going = begun.filter((one) => one.status === 'fulfilled' && !('busy' in one.value));
    expect([going.length, begun.every(({ status }) => status === 'fulfilled')]).toEqual([1, true]);
  });

  test('a lock that cannot be asked after stops nobody for good', async () => {
    const lake = pipelineLake();
    await drop(lake);
    await begin(lake);
    lake.ports.executionRunning = async () => {
      throw new LakegateError('unavailable', 'Step Functions does not answer');
    };
    await expect(runPipeline(lake, { execution: 'x:2' })).rejects.toMatchObject({ retryable: true });
    await put(lake, `${RUNS}lock.json`, 'garbage');
    await expect(runPipeline(lake, { execution: 'x:2' })).rejects.toThrow('lock.json is not what a pipeline wrote');
  });
});

test('ended between any two steps, a new execution makes the whole of it', async () => {
  const counted = pipelineLake();
  await drop(counted);
  let steps = 0;
  counted.before = () => {
    steps += 1;
  };
  await runPipeline(counted);
  const whole = await filesUnder(counted, TARGET);
  expect(steps).toBeGreaterThan(15);
  for (let last = 0; last < steps; last += 1) {
    const lake = pipelineLake();
    await drop(lake);
    let left = last;
    lake.before = () => {
      left -= 1;
      if (left < 0) throw new Killed();
    };
    await expect(runPipeline(lake, { execution: 'x:1' })).rejects.toBeInstanceOf(Killed);
    lake.before = () => undefined;
    lake.clock.now = T0 + 1000 * 60;
    const ended = await runPipeline(lake, { execution: 'x:2' });
    expect([last, ended.failed]).toEqual([last, []]);
    expect(lake.partitions.size).toBe(4);
    const data = (files: string[]) => files.filter((file) => file.includes('.parquet'));
    expect(data(await filesUnder(lake, TARGET))).toEqual(data(whole));
    expect(lake.told).toEqual([]);
    expect(registered(lake).filter((name) => name.includes('__'))).toEqual([]);
  }
});

test('steps that come twice, late or out of order do nothing twice', async () => {
  const lake = pipelineLake();
  await drop(lake);
  const answers: unknown[] = [];
  const seen: { mode: string }[] = [];
  lake.before = (what, request) => {
    if (what !== 'athena') seen.push(request as { mode: string });
  };
  const first = await runPipeline(lake);
  const state = async () => [
    (await filesUnder(lake, TARGET)).sort(),
    [...lake.catalog.tables.values()].map(({ name, location }) => [name, location]),
  ];
  const before = await state();
  lake.before = () => undefined;
  for (const request of seen.toReversed()) {
    if (request.mode === 'validate') continue;
    answers.push(await step(lake, request as never).catch((error: Error) => error.message));
  }
  expect(await state()).toEqual(before);
  // The last step, come again, says the same.
  expect(answers[0]).toEqual(first);
  expect(lake.told).toEqual([]);
});

test('a plan or a record that is broken is told, naming the file', async () => {
  const lake = pipelineLake();
  await drop(lake);
  lake.before = async (what, request) => {
    const { item } = request as { item?: { run: string; source: string } };
    if (what === 'copy' && item?.source === 'infobase')
      await put(lake, `${item.run}plan-infobase.json`, '{"format":1}');
  };
  const ended = await runPipeline(lake);
  expect(ended.failed).toEqual([
    { job: 'split', source: 'infobase', reason: expect.stringMatching(/plan-infobase.json is no plan of a split/) },
  ]);
  const { run } = await begin(lake, { execution: 'x:2' });
  await put(lake, `${run}validate.json`, '[]');
  await expect(step(lake, { mode: 'finish', pipeline: 'partitioned', run, execution: 'x:2' })).rejects.toThrow(
    'validate.json is not what a pipeline wrote',
  );
});

test('nothing leads out of the run: folders, sources and tables are those of the lake', async () => {
  const lake = pipelineLake();
  await drop(lake);
  const { run, sources } = await begin(lake);
  const item = sources[0]!;
  const refused = async (request: never) => expect(step(lake, request)).rejects.toMatchObject({ kind: 'usage' });
  await refused({ mode: 'plan', item: { ...item, run: `${RUNS}../../` } } as never);
  await refused({ mode: 'plan', item: { ...item, run: `${run}x/` } } as never);
  await refused({ mode: 'plan', item: { ...item, source: '../infobase' } } as never);
  await refused({ mode: 'register', item, table: '../IBE_01' } as never);
  await refused({ mode: 'settle', item, table: 'IBE_01', error: null } as never);
  await refused({ mode: 'failed', item, job: 'split', table: '../x', error: 'x' } as never);
  await refused({ mode: 'audit', item, share: 9 } as never);
  await step(lake, { mode: 'plan', item });
  await refused({ mode: 'copy', item, piece: 99 } as never);
});

test('a snapshot that changes under way is not split', async () => {
  const lake = pipelineLake();
  await drop(lake);
  const { sources } = await begin(lake);
  const late = 'memory:/raw/infobase/snapshot_dt=2026-01-31/part-00001.snappy.parquet';
  await lake.store.copy(late, late.replace('00001', '00002'));
  await expect(step(lake, { mode: 'plan', item: sources[0]! })).rejects.toThrow(
    'has other files than when the run began',
  );
});

test('without Glue tables are made and audited', async () => {
  const lake = pipelineLake({ bare: true });
  await drop(lake);
  expect(await runPipeline(lake)).toMatchObject({ tables: 4, failed: [] });
  expect(lake.catalog.tables.size).toBe(0);
});
