/**
 * `npm run bench -- split [--rows 200000]`: a wide snapshot of the real shape (1,742 columns) into its 27 tables: the copy engine, `cp` of the same
 * bytes, DuckDB table by table, our Spark script, and Spark as the original did it. Whole processes; the quick ones in turn, Spark's once. `cp` is also shown with
 * its bytes on the disk, since the copy engine's outputs are when it ends. Then the copy engine on an S3 server.
 */
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { splitMapCsv } from '../tables/generator.ts';
import { type Cost, processCost } from './process-cost.ts';
import { splitOnS3 } from './split-s3.ts';

const root = resolve(import.meta.dirname, '..', '..');
const node = join(root, 'node_modules', '.bin', 'node');
const scripts = join(root, 'test', 'bench', 'python');
const script = join(scripts, 'split.py');

/** How much longer one source is than the other, to see what memory does. */
const LONGER = 4;
/** Of Hive's, for 27 tables on one machine; a lake's tables have 256. */
const BUCKETS = 16;
const SPARK_MEMORY = '4096m';

/**
 * @param runs of each, in turn; of Spark's ways one
 * @param python with DuckDB, pyarrow and pyspark
 * @returns lines of Markdown: medians
 */
export async function splitBench(runs: number, rows: number, python: string, scratch: string): Promise<string[]> {
  const folder = join(scratch, `split-${rows}`);
  const snapshot = join(folder, 'snapshot_dt=2026-01-31');
  const map = join(folder, 'map.csv');
  const out = join(scratch, 'split-out');
  const bucketed = join(scratch, 'split-bucketed');
  const fresh = (path: string) => {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(map, splitMapCsv());
  const file = join(snapshot, 'part-00000.parquet');
  if (!existsSync(file)) await processCost(python, [script, 'make', map, snapshot, String(rows)]);
  const into = (target: string, command: string, args: readonly string[]) => {
    fresh(target);
    return processCost(command, args);
  };
  const copyEngine = (source: string) => {
    const words = ['tables', 'split', '--source', source, '--target', out, '--map', map, '--json'];
    return into(out, node, ['--import', PEAK, join(root, 'dist', 'cli.js'), ...words]);
  };
  const job = (target: string, ...words: string[]) => {
    const where = [`--SOURCE_PATH=${folder}`, `--TARGET_PATH=${target}`, `--CSV_FILE=${map}`, ...words];
    return into(target, python, [join(root, 'glue', 'run_local.py'), SPARK_MEMORY, '*', ...where]);
  };
  const quick: Record<string, () => Promise<Cost>> = {
    'lakegate tables split, --engine copy': () => copyEngine(folder),
    'cp of the same bytes': () => into(out, 'cp', [file, join(out, 'copy')]),
    'cp of the same bytes, and sync': () =>
      into(out, 'sh', ['-c', 'cp "$0" "$1" && sync "$1"', file, join(out, 'copy')]),
    'DuckDB, table by table': () => into(out, python, [script, 'duckdb', map, snapshot, out]),
  };
  const spark: Record<string, () => Promise<Cost>> = {
    'our Spark script, partitioned': () => job(out, '--MODE=partitioned'),
    [`our Spark script, bucketed, direct, ${BUCKETS} buckets`]: () =>
      job(bucketed, '--MODE=bucketed', '--BUCKETING=direct', `--BUCKET_COUNT=${BUCKETS}`),
    "Spark the original's way: written to be measured, repartitioned, written again, table by table": () =>
      into(out, python, [join(scripts, 'split_spark.py'), 'original', map, snapshot, out]),
    'what `direct` saves: each of its tables read and written once more by Spark, as CTAS does': () =>
      into(out, python, [join(scripts, 'split_spark.py'), 'rewrite', map, bucketed, out]),
  };
  const costs = new Map<string, Cost[]>(Object.keys(quick).map((way) => [way, []]));
  for (let run = 0; run < runs; run += 1)
    for (const [way, go] of Object.entries(quick)) costs.get(way)!.push(await go());
  const longer = `${folder}-longer`;
  mkdirSync(join(longer, 'snapshot_dt=2026-01-31'), { recursive: true });
  for (let part = 0; part < LONGER; part += 1)
    copyFileSync(file, join(longer, 'snapshot_dt=2026-01-31', `part-${part}.parquet`));
  costs.set(`lakegate tables split, ${LONGER} times the source`, [await copyEngine(longer)]);
  rmSync(longer, { recursive: true });
  for (const [way, go] of Object.entries(spark)) costs.set(way, [await go()]);
  const base = median(costs.get('lakegate tables split, --engine copy')!.map(({ ms }) => ms));
  const lines = [
    `### ${rows.toLocaleString('en-US')} rows × 1,742 columns into 27 tables`,
    '',
    '| | time | × | peak memory |',
    '| --- | ---: | ---: | ---: |',
    ...[...costs].map(([way, of]) => {
      const ms = median(of.map(msOf));
      const peak = of.flatMap(({ peakBytes }) => peakBytes ?? []);
      const memory = peak.length === 0 ? '' : `${Math.round(median(peak) / 1e6)} MB`;
      return `| ${way} | ${(ms / 1000).toFixed(2)} s | ${(ms / base).toFixed(2)} | ${memory} |`;
    }),
    '',
  ];
  const large = join(scratch, 'split-large', 'snapshot_dt=2026-01-31');
  if (!existsSync(large)) await processCost(python, [script, 'large', map, large, '3200000']);
  for (const path of [out, bucketed]) rmSync(path, { recursive: true, force: true });
  return [...lines, ...(await splitOnS3({ wide: { file, map }, large: join(large, 'part-00000.parquet') }))];
}

/** Has a Node process say its peak memory when it ends. */
const PEAK = `data:text/javascript,process.on('exit',()=>process.stderr.write('peak '+process.resourceUsage().maxRSS*1024+'\\n'))`;

/** The work alone where the process says it, without the start of an interpreter. */
function msOf({ ms, stdout }: Cost): number {
  const told = /^work (\d+)$/m.exec(stdout)?.[1];
  return told === undefined ? ms : Number(told);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
