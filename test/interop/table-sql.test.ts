/** What `lakegate table sql` prints is run as it stands, where the engine is here. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';

let lake: TestLake;
let engines: Engine;
let spark: Engine;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-spark-'));
  engines = startEngines();
  spark = startSpark(scratch);
  lake = await makeLake('tablesql', '  shop.orders: { from: orders/ }\n');
  await engines.ask('duckdb_sql', {
    statements: [
      `COPY (SELECT i AS id, 'n' || i AS name FROM range(3) t(i)) TO '${lake.inRaw('orders/a.parquet')}' (FORMAT parquet)`,
    ],
  });
  await lake.deliver(lake.inRaw('orders/a.parquet'));
});
afterAll(async () => {
  await Promise.all([engines?.close(), spark?.close()]);
  await lake?.remove();
  rmSync(scratch, { recursive: true, force: true });
});

const statements = async (engine: string) =>
  (await lake.cli<{ statements: string[] }>(['table', 'sql', 'shop.orders', '--for', engine])).statements;

test('DuckDB reads the published rows', async () => {
  const printed = await statements('duckdb');
  expect(await engines.ask<string[]>('duckdb_sql', { statements: printed })).toHaveLength(3);
});

test('Spark reads the published rows', async () => {
  const printed = (await statements('spark')).filter((line) => !line.startsWith('--'));
  let rows: string[] = [];
  for (const statement of printed) rows = await spark.ask<string[]>('rows', { sql: statement.replace(/;$/, '') });
  expect(rows).toHaveLength(3);
});
