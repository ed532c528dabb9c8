import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTables, type TablesStage } from '../../lambdas/tables/compose.ts';
import { parseRequest } from '../../lambdas/tables/request.ts';
import { asThrown, takeStep } from '../../lambdas/tables/take-step.ts';
import { pipelinesConfig } from '../../src/config/pipelines.ts';
import { LakegateError } from '../../src/errors.ts';
import type { BusDetail } from '../../src/notify/bus-entry.ts';
import { RETRYABLE } from '../../src/pipelines/machine.ts';
import type { RunPlan } from '../../src/pipelines/model.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { splitMapCsv, writeSource } from '../tables/generator.ts';
import { fakeCatalog } from '../tables/pipeline-fakes.ts';
import { closeStages, memoryBuckets, newFolder, type Seen, seeing, stageConfig } from './stage.ts';

afterEach(closeStages);

const TABLES = { IBE_01: 4, N_A: 3 };
const LAKE = 's3://lake-bucket/';
const execution = 'arn:aws:states:eu-central-1:111122223333:execution:lake-dev-tables-partitioned:a1';

interface TestTables extends Seen {
  store: ObjectStore;
  stage: TablesStage;
  told: BusDetail[];
  invoke(event: unknown): Promise<unknown>;
}

/** The function of a stage as it is packed: the split map beside the bundle. */
async function testTables(): Promise<TestTables> {
  const folder = newFolder();
  const pipelines = pipelinesConfig(
    { sources: { infobase: { path: 'infobase/', map: 'maps.csv' } }, partitioned: { database: 'consumer' } },
    { folder, raw: 's3://raw-bucket/', base: LAKE, tables: `${LAKE}tables/`, runs: `${LAKE}lakegate/tables/` },
  );
  const sources = pipelines.sources.map((source) => ({ ...source, map: 'maps/infobase.csv' }));
  const path = join(folder, 'lake.json');
  writeFileSync(path, JSON.stringify({ ...stageConfig(folder), pipelines: { ...pipelines, sources } }));
  const buckets = memoryBuckets();
  const map = new TextEncoder().encode(splitMapCsv(TABLES));
  const read = (url: string) =>
    url === `file://${folder}/maps/infobase.csv` ? Promise.resolve({ bytes: map, etag: 'map' }) : buckets.read(url);
  const store = { ...buckets, read };
  await writeSource(store, 's3://raw-bucket/infobase/snapshot_dt=2026-01-31/', { tables: TABLES, rows: 9 });
  const told: BusDetail[] = [];
  const seen = seeing();
  const stage = await openTables({
    env: { LAKEGATE_CONFIG_FILE: path },
    folder,
    lake: { store },
    put: async (entries) => {
      told.push(...entries.map(({ Detail }) => JSON.parse(Detail) as BusDetail));
      return entries.map(() => undefined);
    },
    pipelines: { catalog: fakeCatalog(), addSnapshot: async () => undefined, executionRunning: async () => true },
  });
  return {
    ...seen,
    store,
    stage,
    told,
    invoke: async (event) => {
      try {
        return await takeStep({ ...stage, observer: seen.observer }, parseRequest(event));
      } catch (error) {
        throw asThrown(error);
      }
    },
  };
}

const validate = { mode: 'validate', pipeline: 'partitioned', input: {}, execution };

test('the steps of a run, as the state machine asks for them; the packed map is the run’s own', async () => {
  const tables = await testTables();
  const { run, sources } = (await tables.invoke(validate)) as RunPlan;
  expect(run).toMatch(/^s3:\/\/lake-bucket\/lakegate\/tables\/partitioned\/a1-[0-9a-f]{8}\/$/);
  const [item] = sources;
  expect(item).toMatchObject({ source: 'infobase', snapshot: '2026-01-31', engine: 'copy', skip: false, shares: [0] });
  expect(await tables.store.head(`${run}maps/infobase.csv`)).toBeDefined();
  expect(await tables.invoke({ mode: 'audit', item, share: 0 })).toEqual({ share: 0 });
  expect(await tables.invoke({ mode: 'judge', item })).toEqual({ passed: true });
  expect(await tables.invoke({ mode: 'plan', item })).toEqual({ pieces: [0] });
  expect(await tables.invoke({ mode: 'copy', item, piece: 0 })).toEqual({ piece: 0 });
  expect(await tables.invoke({ mode: 'collect', item, error: null })).toEqual({ tables: ['IBE_01', 'N_A'] });
  const none = { next: { kind: 'none', statement: null, database: null } };
  expect(await tables.invoke({ mode: 'register', item, table: 'IBE_01' })).toEqual(none);
  const error = JSON.stringify({ Error: 'Lambda.Timeout', Cause: '{"errorMessage":"it took 900 s"}' });
  await tables.invoke({ mode: 'failed', item, job: 'register', table: 'N_A', error });
  expect(await tables.invoke({ mode: 'finish', pipeline: 'partitioned', run, execution })).toMatchObject({
    tables: 1,
    failed: [{ job: 'register', source: 'infobase', table: 'N_A', reason: 'it took 900 s' }],
  });
  expect(tables.told).toMatchObject([{ event: 'pipeline.failed', pipeline: 'partitioned', count: 1, execution }]);
  expect(tables.lines.map(({ mode }) => mode)).toEqual([
    'validate',
    'audit',
    'judge',
    'plan',
    'copy',
    'collect',
    'register',
    'failed',
    'finish',
  ]);
  tables.stage.close();
});

test('a list of faults that a state machine has no room for is cut, whole lines at a time', () => {
  const line = (number: number) => `  line ${number}: the source has no column \`c${number}\` for IBE_01`;
  const long = new LakegateError('invalid', `not begun:\n${Array.from({ length: 900 }, (_, n) => line(n)).join('\n')}`);
  const short = asThrown(long) as Error;
  expect(short.message.length).toBeLessThan(12_100);
  expect(short.message).toMatch(
    /^not begun:\n {2}line 0: .* for IBE_01\n {2}and \d+ lines more, in the function's log$/s,
  );
  expect(`${short.name} ${short.stack}`).toBe('LakegateError LakegateError: not begun:');
  const one = new LakegateError('unavailable', 'x'.repeat(20_000), { retryable: true });
  expect(asThrown(one)).toMatchObject({ name: RETRYABLE, message: expect.stringMatching(/^x{11999}…$/) });
  const fitting = new LakegateError('invalid', 'no map');
  expect(asThrown(fitting)).toBe(fitting);
});

test('what the state machine is told to do: wait its turn, try again, or give up', async () => {
  const tables = await testTables();
  await tables.invoke(validate);
  // Another execution is at work, which is no error that an alarm would ring for.
  const since = new Date().toISOString();
  expect(await tables.invoke({ ...validate, execution: `${execution}2`, since })).toEqual({ busy: execution });
  await expect(tables.invoke({ ...validate, input: { tabels: 1 } })).rejects.toMatchObject({ name: 'LakegateError' });
  tables.stage.ports.executionRunning = async () => {
    throw new LakegateError('unavailable', 'Step Functions does not answer');
  };
  await expect(tables.invoke({ ...validate, execution: `${execution}2` })).rejects.toMatchObject({
    name: 'Lakegate.Retryable',
  });
  expect(tables.lines.filter(({ event }) => event === 'pipeline-step-failed')).toHaveLength(2);
  tables.stage.close();
});

test('what is no step is refused, with all that is wrong of it', () => {
  const refusal = (event: unknown) => {
    try {
      parseRequest(event);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  for (const event of [undefined, null, 7, [], {}, { mode: 'databases' }]) expect(refusal(event)).toContain('no step');
  expect(refusal({ mode: 'copy', item: { pipeline: 'both' }, piece: -1 })?.split('\n').length).toBeGreaterThan(8);
  expect(refusal({ ...validate, more: 1 })).toContain('"more"');
  expect(refusal(validate)).toBeUndefined();
});
