/** A pipeline run by `lakegate tables run`: its steps in the state machine's order, and a stage's execution followed to its end. */
import { readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ExecutionFacts, ExecutionStep } from '../../src/aws/state-machines.ts';
import { follow } from '../../src/cli/tables-run-follow.ts';
import { type Engines, runInOrder, type Step } from '../../src/cli/tables-run-order.ts';
import { exitOfRuns, type RunReport } from '../../src/cli/tables-run-report.ts';
import type { PipelineRequest, SourceItem } from '../../src/pipelines/model.ts';
import { createStores } from '../../src/storage/stores.ts';
import { splitMapCsv, writeSource } from '../tables/generator.ts';
import { type LakeFolder, lakeFolder, removeFolders } from './lake-folder.ts';

const NONE = { kind: 'none', statement: null, database: null } as const;
const RUN = 's3://lake/runs/partitioned/x/';

function itemOf(source: string, more: Partial<SourceItem> = {}): SourceItem {
  return {
    pipeline: 'partitioned',
    run: RUN,
    source,
    snapshot: '2026-01-31',
    engine: 'copy',
    skip: false,
    shares: [],
    arguments: null,
    tables: [],
    ...more,
  };
}

/** Answers as the function would, and remembers what it was asked. `act` may throw, or answer otherwise. */
function world(sources: SourceItem[], act: (request: PipelineRequest) => unknown = () => undefined) {
  const asked: string[] = [];
  const failures: PipelineRequest[] = [];
  const step = (async (request: PipelineRequest) => {
    const { item, table, piece, share, error } = request as unknown as Record<string, never> & { item?: SourceItem };
    const what = [item?.source, table, piece, share, error].filter((part) => part !== undefined && part !== null);
    asked.push([request.mode, ...what].join(' '));
    if (request.mode === 'failed') failures.push(request);
    const other = act(request);
    if (other !== undefined) return other;
    switch (request.mode) {
      case 'validate':
        return { pipeline: request.pipeline, run: RUN, sources };
      case 'judge':
        return { passed: true };
      case 'plan':
        return { pieces: [0, 1] };
      case 'collect':
        return { tables: ['A', 'B'] };
      case 'register':
      case 'er':
        return { next: NONE };
      case 'finish':
        return { pipeline: 'partitioned', tables: 4, skipped: 0, failed: [], reports: [] };
      default:
        return {};
    }
  }) as Step;
  const engines: Engines = {
    spark: async (values) => void asked.push(`spark ${values['--MODE']}`),
    athena: async (statement, database) => void asked.push(`athena ${statement} in ${database}`),
  };
  const told: string[] = [];
  const order = () =>
    runInOrder(step, engines, {
      pipeline: 'partitioned',
      input: {},
      execution: 'here',
      concurrency: 1,
      onStep: ({ source, state, table }) => void told.push([source, state, table].filter(Boolean).join(' ')),
    });
  return { asked, failures, engines, told, order };
}

test('the steps of a run, in the order of the state machine', async () => {
  const shown = world([itemOf('a', { shares: [0, 1] }), itemOf('b', { skip: true }), itemOf('c')]);
  expect(await shown.order()).toMatchObject({ tables: 4 });
  expect(shown.asked).toEqual([
    'validate',
    'audit a 0',
    'audit a 1',
    'judge a',
    'plan a',
    'copy a 0',
    'copy a 1',
    'collect a',
    'register a A',
    'register a B',
    'er a',
    'plan c',
    'copy c 0',
    'copy c 1',
    'collect c',
    'register c A',
    'register c B',
    'er c',
    'finish',
  ]);
  expect(shown.told).toContain('a registering B');
});

test('statements and the split job are done between the steps, and their faults handed on', async () => {
  const spark = itemOf('s', { engine: 'spark', arguments: { '--MODE': 'partitioned' } });
  const athena = { kind: 'athena', statement: 'select', database: 'db' };
  const act = (request: PipelineRequest) =>
    request.mode === 'register' || request.mode === 'er' ? { next: athena } : undefined;
  const well = world([spark], act);
  await well.order();
  expect(well.asked).toEqual([
    'validate',
    'spark partitioned',
    'collect s',
    'register s A',
    'athena select in db',
    'settle s A',
    'register s B',
    'athena select in db',
    'settle s B',
    'er s',
    'athena select in db',
    'settle-er s',
    'finish',
  ]);
  const ill = world([spark], act);
  ill.engines.spark = () => Promise.reject(new Error('table B failed'));
  ill.engines.athena = () => Promise.reject(new Error('no such table'));
  await ill.order();
  expect(ill.asked).toEqual(
    expect.arrayContaining(['collect s table B failed', 'settle s A no such table', 'settle-er s no such table']),
  );
  expect(ill.failures).toEqual([]);
});

test('what a step throws is written down, and holds back nothing else', async () => {
  const fails = (mode: string, source: string, more: (request: PipelineRequest) => boolean = () => true) =>
    world([itemOf('a', { shares: [0] }), itemOf('b')], (request) => {
      const { item } = request as { item?: SourceItem };
      if (request.mode === mode && item?.source === source && more(request)) throw new Error(`${mode} broke`);
      return undefined;
    });
  for (const [mode, job] of [
    ['audit', 'audit'],
    ['judge', 'audit'],
    ['plan', 'split'],
    ['collect', 'split'],
  ] as const) {
    const one = fails(mode, 'a');
    await one.order();
    expect(one.failures).toMatchObject([{ job, table: null, error: `${mode} broke` }]);
    expect(one.asked).not.toContain('register a A');
    expect(one.asked.slice(-2)).toEqual(['er b', 'finish']);
  }
  const piece = fails('copy', 'b', (request) => request.mode === 'copy' && request.piece === 0);
  await piece.order();
  expect(piece.failures).toMatchObject([{ job: 'split', table: null }]);
  expect(piece.asked).toEqual(expect.arrayContaining(['copy b 1', 'collect b', 'register b B']));
  const table = fails('register', 'a', (request) => request.mode === 'register' && request.table === 'A');
  await table.order();
  expect(table.failures).toMatchObject([{ job: 'register', table: 'A' }]);
  expect(table.asked).toEqual(expect.arrayContaining(['register a B', 'er a']));
  const stopped = world([itemOf('a', { shares: [0] })], ({ mode }) =>
    mode === 'judge' ? { passed: false } : undefined,
  );
  await stopped.order();
  expect(stopped.asked).toEqual(['validate', 'audit a 0', 'judge a', 'finish']);
  const invalid = world([], ({ mode }) => {
    if (mode === 'validate') throw new Error('no snapshot');
    return undefined;
  });
  await expect(invalid.order()).rejects.toThrow('no snapshot');
});

const ARN = 'arn:aws:states:eu-west-1:1:execution:acme-dev-tables-';

/** Executions that go through the rounds they are given. */
function executionsOf(rounds: Record<string, { facts: ExecutionFacts; news: ExecutionStep[] }[]>) {
  const turn = new Map<string, number>();
  const at = (execution: string) =>
    rounds[execution]![Math.min(turn.get(execution) ?? 0, rounds[execution]!.length - 1)]!;
  return {
    look: async (execution: string) => at(execution).facts,
    async news(execution: string) {
      const { news } = at(execution);
      turn.set(execution, (turn.get(execution) ?? 0) + 1);
      return news;
    },
  };
}

const RUNNING: ExecutionFacts = { status: 'RUNNING' };
const summaryOf = (more: object) => ({
  summary: { pipeline: 'x', tables: 2, skipped: 0, failed: [], reports: [], ...more },
});

async function followed(which: string, rounds: Parameters<typeof executionsOf>[0], left = new AbortController()) {
  const seen: string[] = [];
  let naps = 0;
  const runs = await follow(executionsOf(rounds), which, Object.keys(rounds)[0]!, {
    progress: { at: (pipeline, state, tables) => void seen.push(`${pipeline} ${state} ${tables}`) },
    pauses: [1],
    sleep: async () => {
      naps += 1;
      if (naps === 5) left.abort();
    },
    left: left.signal,
  });
  return { runs, seen };
}

test('an execution is followed to its end', async () => {
  const execution = `${ARN}partitioned:1`;
  const { runs, seen } = await followed('partitioned', {
    [execution]: [
      { facts: RUNNING, news: [{ kind: 'entered', state: 'Validate' }] },
      {
        facts: RUNNING,
        news: [
          { kind: 'entered', state: 'Register' },
          { kind: 'item', map: 'Copies' },
          { kind: 'item', map: 'Tables' },
        ],
      },
      {
        facts: { status: 'FAILED', error: 'TablesFailed', cause: '…' },
        news: [
          { kind: 'item', map: 'Tables' },
          {
            kind: 'exited',
            state: 'Finish',
            output: summaryOf({
              failed: [{ job: 'register', source: 'a', table: 'T', reason: 'no' }],
              reports: [{ report: 'cleanrooms' }],
            }),
          },
        ],
      },
    ],
  });
  expect(seen).toEqual([
    'partitioned Validate 0',
    'partitioned Register 0',
    'partitioned Register 1',
    'partitioned Register 2',
  ]);
  expect(runs).toEqual([
    {
      pipeline: 'partitioned',
      execution,
      status: 'failed',
      tables: 2,
      skipped: 0,
      failed: [{ job: 'register', source: 'a', table: 'T', reason: 'no' }],
      reports: ['cleanrooms'],
    },
  ]);
  expect(exitOfRuns(runs)).toBe(1);
});

test('one that is refused says why; one that is ended by somebody says so', async () => {
  const cause = JSON.stringify({ errorType: 'LakegateError', errorMessage: 'there is no snapshot_dt=2026-09-09/' });
  const one = await followed('bucketed', {
    [`${ARN}bucketed:1`]: [{ facts: { status: 'FAILED', error: 'RunInvalid', cause }, news: [] }],
  });
  expect(one.runs).toMatchObject([
    { status: 'failed', failed: [{ job: 'validate', reason: 'there is no snapshot_dt=2026-09-09/' }] },
  ]);
  const other = await followed('bucketed', { [`${ARN}bucketed:1`]: [{ facts: { status: 'ABORTED' }, news: [] }] });
  expect(other.runs).toMatchObject([{ status: 'aborted', failed: [] }]);
  expect(exitOfRuns(other.runs)).toBe(1);
});

test('of both pipelines each is followed; who leaves is told how they stand', async () => {
  const children = ['bucketed', 'partitioned'].map((name) => `${ARN}${name}:1`);
  const rounds = {
    [`${ARN}run-all:1`]: [
      { facts: RUNNING, news: children.map((execution): ExecutionStep => ({ kind: 'started', execution })) },
      { facts: { status: 'FAILED' as const, error: 'PipelinesFailed', cause: 'bucketed failed' }, news: [] },
    ],
    [children[0]!]: [
      {
        facts: { status: 'FAILED' as const },
        news: [
          {
            kind: 'exited' as const,
            state: 'Finish',
            output: summaryOf({ failed: [{ job: 'audit', source: 'a', reason: 'nulls' }] }),
          },
        ],
      },
    ],
    [children[1]!]: [
      {
        facts: { status: 'SUCCEEDED' as const },
        news: [{ kind: 'exited' as const, state: 'Finish', output: summaryOf({}) }],
      },
    ],
  };
  const { runs } = await followed('all', rounds);
  expect(runs.map(({ pipeline, status }) => [pipeline, status])).toEqual([
    ['bucketed', 'failed'],
    ['partitioned', 'succeeded'],
  ]);
  // Nothing but the gate stood in the way.
  expect(exitOfRuns(runs)).toBe(3);
  const left = await followed('all', {
    [`${ARN}run-all:1`]: [{ facts: RUNNING, news: [{ kind: 'entered', state: 'Pipelines' }] }],
  });
  expect(left.runs).toMatchObject([{ pipeline: 'all', status: 'running' }]);
});

test('a pipeline without an execution that could be looked at says what was told of it', async () => {
  const { runs } = await followed('all', {
    [`${ARN}run-all:1`]: [
      {
        facts: { status: 'FAILED', error: 'PipelinesFailed', cause: 'Failed: bucketed partitioned' },
        news: [
          { kind: 'started', execution: `${ARN}partitioned:1` },
          { kind: 'unstarted', error: 'StepFunctions.AccessDeniedException', cause: 'it may not start bucketed' },
          { kind: 'entered', state: 'BucketedFailed' },
          // What a failed task says of its execution once more.
          { kind: 'started', execution: `${ARN}partitioned:1` },
          { kind: 'entered', state: 'PartitionedFailed' },
        ],
      },
    ],
    [`${ARN}partitioned:1`]: [{ facts: { status: 'FAILED', error: 'RunInvalid', cause: 'no snapshot' }, news: [] }],
  });
  expect(runs).toMatchObject([
    { pipeline: 'partitioned', status: 'failed', failed: [{ job: 'validate', reason: 'no snapshot' }] },
    { pipeline: 'bucketed', status: 'failed', failed: [{ job: 'run', reason: 'it may not start bucketed' }] },
  ]);
});

test('what the command ends with', () => {
  const run = (status: RunReport['status'], ...jobs: string[]): RunReport => ({
    pipeline: 'x',
    status,
    failed: jobs.map((job) => ({ job, reason: 'r' })),
    reports: [],
  });
  expect(exitOfRuns([run('succeeded'), run('running')])).toBe(0);
  expect(exitOfRuns([run('failed', 'audit'), run('succeeded')])).toBe(3);
  expect(exitOfRuns([run('failed', 'audit', 'split')])).toBe(1);
  expect(exitOfRuns([run('failed', 'audit'), run('timed_out')])).toBe(1);
  expect(exitOfRuns([run('failed')])).toBe(1);
  // A gate that could not look has not found anything.
  const open: RunReport = {
    ...run('failed'),
    failed: [
      { job: 'audit', reason: 'r' },
      { job: 'audit', reason: 'r', inconclusive: true },
    ],
  };
  expect(exitOfRuns([open])).toBe(1);
});

describe('in this process, over folders', () => {
  const TABLES = { A: 4, B: 3 };
  const LAKE = `
pipelines:
  sources:
    infobase: { path: infobase/, map: map.csv }
    addressable: { path: addressable/, table: addressable_ids }
  partitioned: { database: consumer }
`;
  let folder: LakeFolder;
  type Answer = { runs: RunReport[] };

  beforeEach(async () => {
    folder = lakeFolder();
    folder.write('lake.yaml', LAKE);
    folder.write('map.csv', splitMapCsv(TABLES));
    await snapshot('2026-01-31', 20);
  });
  afterEach(removeFolders);

  async function snapshot(date: string, rows: number) {
    for (const source of ['infobase', 'addressable']) {
      const place = `file://${join(folder.path, 'raw', source, `snapshot_dt=${date}`)}`;
      await writeSource(createStores(), `${place}/`, { tables: TABLES, files: 2, rows });
    }
  }

  test('tables are made and audited; without Glue nothing is registered, and that is said', async () => {
    const { code, out } = await folder.run('tables run partitioned');
    expect([code, out]).toEqual([
      0,
      'partitioned done: 3 tables\nlake.yaml has no catalogue of type glue: the tables were made, and none was registered. A stage does both (--stage)\n',
    ]);
    const again = await folder.json<Answer>('tables run all');
    expect(again).toEqual({
      code: 0,
      value: {
        runs: [{ pipeline: 'partitioned', status: 'succeeded', tables: 0, skipped: 2, failed: [], reports: [] }],
      },
    });
    const forced = await folder.json<Answer>('tables run partitioned --force --tables A --sources infobase');
    expect(forced).toMatchObject({ code: 0, value: { runs: [{ tables: 1, skipped: 0 }] } });
    expect(readdirSync(join(folder.path, 'tables/partitioned/infobase')).sort()).toEqual(
      expect.arrayContaining(['A', 'B', 'metadata']),
    );
  });

  test('a gate that stops it, and what cannot be begun, end with their own codes', async () => {
    await folder.run('tables run partitioned');
    await snapshot('2026-02-28', 5);
    const stopped = await folder.json<Answer>('tables run partitioned');
    expect(stopped).toMatchObject({
      code: 3,
      value: {
        runs: [
          {
            status: 'failed',
            failed: [
              { job: 'audit', source: 'infobase', reason: expect.stringContaining('max_row_change') },
              { job: 'audit', source: 'addressable' },
            ],
          },
        ],
      },
    });
    const words = await folder.run('tables run partitioned');
    expect(words.out).toMatch(/^partitioned failed: 0 tables, 2 failed\n {2}audit of infobase: snapshot_dt=2026-02-28/);
    const missing = await folder.run('tables run partitioned --snapshot 2026-09-09');
    expect(missing.code).toBe(1);
    // Faults come a line each.
    expect(missing.out.split('\n').filter((line) => line.includes('there is no snapshot_dt=2026-09-09/'))).toHaveLength(
      2,
    );
    expect(await folder.json<Answer>('tables run bucketed')).toMatchObject({
      code: 1,
      value: {
        runs: [{ failed: [{ job: 'validate', reason: expect.stringContaining('no `pipelines: bucketed:`') }] }],
      },
    });
    for (const [wrong, told] of [
      ['partitioned --sources other', '--sources: the pipeline partitioned has no source "other". There are infobase'],
      ['all --sources other', '--sources: the pipelines have no source "other". There are infobase, addressable'],
      ['partitioned --tables A,NONE', '--tables: no split map has "NONE". There are A, B, addressable_ids'],
      ['partitioned --sources addressable --tables A', 'There are addressable_ids'],
    ]) {
      const refused = await folder.run(`tables run ${wrong}`);
      expect([refused.code, refused.out, refused.err]).toEqual([2, '', expect.stringContaining(told!)]);
    }
    const day = await folder.run('tables run partitioned --snapshot yesterday');
    expect([day.code, day.out]).toEqual([2, '']);
    // Beside a map that cannot be used nothing is known of tables: the run tells of the map.
    folder.write('map.csv', 'table,column\nA,\n');
    const unusable = await folder.run('tables run partitioned --tables NONE');
    expect([unusable.code, unusable.out]).toEqual([1, expect.stringContaining('the split map map.csv cannot be used')]);
    for (const wrong of ['tables run nothing', 'tables run all --no-wait']) {
      expect(await folder.run(wrong)).toMatchObject({ code: 2, out: '' });
    }
    folder.write('lake.yaml', 'name: none\n');
    expect(await folder.run('tables run all')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no `pipelines:`'),
    });
  });

  test('a stage is not asked for what lake.yaml does not have', async () => {
    folder.write('lake.yaml', `name: acme${LAKE}stages:\n  dev: { account: "111111111111", region: eu-west-1 }\n`);
    for (const wrong of ['--sources other', '--tables NONE']) {
      expect(await folder.run(`tables run all ${wrong} --stage dev`)).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringContaining(wrong.split(' ')[0]!),
      });
    }
  });

  test("a run that was killed gives its pipeline to the next one; another machine's has to be looked at", async () => {
    await folder.run('tables run partitioned');
    const lock = join(folder.path, 'warehouse/.lakegate/tables/partitioned/lock.json');
    const held = (execution: string) =>
      writeFileSync(lock, JSON.stringify({ execution, run: 'x', at: '2026-01-01T00:00:00Z' }));
    // No process has this number.
    held(`${hostname()}:99999999:x`);
    expect((await folder.run('tables run partitioned --force')).code).toBe(0);
    held(`${hostname()}:${process.pid}:x`);
    expect((await folder.run('tables run partitioned')).out).toContain(
      'validate: the pipeline partitioned is at work for',
    );
    held('arn:aws:states:eu-west-1:1:execution:acme-dev-tables-partitioned:x');
    expect((await folder.run('tables run partitioned')).out).toContain(
      'this machine cannot tell whether it still runs',
    );
  });
});
