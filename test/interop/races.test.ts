import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';
import { createDrops, expectRows, introduce, type Readers } from './readers.ts';

/** Processes of lakegate's and of PyIceberg's that commit to one table at the same time. */

const LANES = 4;
const ROUNDS = 3;
const COLUMNS = ['id', 'region', 'ts', 'day', 'qty', 'price', 'amount', 'note'];

let readers: Readers;
let scratch: string;
const lakes: TestLake[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-spark-'));
  readers = { engines: startEngines(), spark: startSpark(scratch) };
});

afterAll(async () => {
  await Promise.all([readers.engines.close(), readers.spark.close()]);
  await Promise.all(lakes.map((lake) => lake.remove()));
  await rm(scratch, { recursive: true, force: true });
});

interface Outcome {
  file: string;
  outcome: string;
  delivery: { id: string; state: string; reason?: string };
}

/** `lakegate drop` as a process of its own. */
async function dropFiles(lake: TestLake, files: readonly string[]): Promise<Outcome[]> {
  const cli = resolve(__dirname, '../../bin/cli.ts');
  const child = spawn(process.execPath, [cli, 'drop', ...files, '--table', 's.t', '--json'], { cwd: lake.folder });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  // 3: the audit stopped one of them, as it should.
  if (code !== 0 && code !== 3) throw new Error(`lakegate drop ended with ${code}: ${err}${out}`);
  return JSON.parse(out) as Outcome[];
}

test.each([
  { name: 'race_flat', settings: '' },
  { name: 'race_parts', settings: 'partition_by: [region, bucket(2, id)], ' },
  { name: 'race_merging', settings: 'properties: { commit.manifest.min-count-to-merge: 4 }, ' },
])('$name: four of lakegate and four of PyIceberg, each delivery on main exactly once', async ({ name, settings }) => {
  const rules = 'rules: [{ not_null: [id] }, { range: { column: id, min: 0 } }]';
  const lake = await makeLake(name, `  s.t: { from: t/, ${settings}${rules} }\n`);
  lakes.push(lake);
  await introduce(readers, lake);
  const drops = createDrops(readers.engines, lake);
  let made = 0;
  const make = (about: Record<string, unknown> = {}) => {
    made += 1;
    return drops.make(`t/${made}.parquet`, {
      ...{ shape: 'flat', writer: 'pyarrow', columns: COLUMNS, start: made * 100, rows: 10 },
      ...about,
    });
  };
  const base = await make();
  await lake.deliver(base);

  const plans = [];
  for (let lane = 0; lane < LANES; lane += 1) {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push({
        clean: [await make(), await make()],
        bad: await make({ start: -1 - lane - LANES * round, rows: 3 }),
      });
    }
    plans.push({ rounds, own: [await make(), await make(), await make()] });
  }
  const byLakegate = plans.map(async ({ rounds }) => {
    const outcomes: Outcome[] = [];
    for (const { clean, bad } of rounds) outcomes.push(...(await dropFiles(lake, [clean[0]!, bad, clean[1]!])));
    return outcomes;
  });
  const byPyiceberg = plans.map(async ({ own }) => {
    const writer = startEngines();
    await writer.ask('append', { lake: lake.address, table: 's.t', paths: own }).finally(writer.close);
  });
  const [outcomes] = await Promise.all([
    Promise.all(byLakegate).then((lanes) => lanes.flat()),
    Promise.all(byPyiceberg),
  ]);

  const clean = plans.flatMap(({ rounds }) => rounds.flatMap((round) => round.clean));
  const bad = plans.flatMap(({ rounds }) => rounds.map((round) => round.bad));
  const stateOf = (file: string) => outcomes.find((outcome) => outcome.file === `file://${file}`)?.delivery;
  expect(clean.map((file) => stateOf(file)?.reason ?? stateOf(file)?.state)).toEqual(clean.map(() => 'published'));
  expect(bad.map((file) => stateOf(file)?.state)).toEqual(bad.map(() => 'rejected'));
  await expectRows(readers, lake, 's.t', await drops.rows([base, ...clean, ...plans.flatMap(({ own }) => own)]));

  const { metadata } = await lake.table('s.t');
  const published = metadata.snapshotLog
    .map(({ snapshotId }) => metadata.snapshots.find((snapshot) => snapshot.snapshotId === snapshotId)!)
    .flatMap(({ summary }) => (summary['lakegate.deliveries'] ?? '').split(',').filter(Boolean));
  expect(published.length).toBe(1 + clean.length);
  expect(published).toEqual(expect.arrayContaining(clean.map((file) => stateOf(file)!.id)));
  const kept = Object.keys(metadata.refs).filter((ref) => ref !== 'main');
  expect(kept.sort()).toEqual(bad.map((file) => `wap-${stateOf(file)!.id}`).sort());

  // Nothing that an attempt in vain wrote is left for the sweep to miss, and nothing in use is swept.
  await lake.cli(['table', 'expire', 's.t', '--older-than', '0s', '--sweep-older-than', '0s']);
  await expectRows(readers, lake, 's.t', await drops.rows([base, ...clean, ...plans.flatMap(({ own }) => own)]));
});

test('four of lakegate make the table at the same time', async () => {
  const lake = await makeLake('race_new', '  s.t: { from: t/, rules: [{ not_null: [id] }] }\n');
  lakes.push(lake);
  await introduce(readers, lake);
  const drops = createDrops(readers.engines, lake);
  const files: string[] = [];
  for (let lane = 0; lane < LANES; lane += 1) {
    files.push(
      await drops.make(`t/${lane}.parquet`, {
        shape: 'flat',
        writer: 'pyarrow',
        start: lane * 10,
        rows: 10,
        columns: COLUMNS,
      }),
    );
  }
  const outcomes = (await Promise.all(files.map((file) => dropFiles(lake, [file])))).flat();
  expect(outcomes.map(({ delivery }) => delivery.reason ?? delivery.state)).toEqual(files.map(() => 'published'));
  await expectRows(readers, lake, 's.t', await drops.rows(files));
});
