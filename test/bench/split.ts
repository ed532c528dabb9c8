/**
 * `npm run bench -- split`: a wide snapshot of the real shape (1,742 columns) into its 27 tables: the copy engine, `cp` of the same bytes, and DuckDB
 * table by table. Whole processes, in turn. `cp` is also shown with its bytes on the disk, since the copy engine's outputs are when it ends.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { splitMapCsv } from '../tables/generator.ts';

const root = resolve(import.meta.dirname, '..', '..');
const node = join(root, 'node_modules', '.bin', 'node');
const script = join(root, 'test', 'bench', 'python', 'split.py');

interface Cost {
  ms: number;
  peakBytes?: number;
}

/** How much longer one source is than the other, to see what memory does. */
const LONGER = 4;

/**
 * @param runs of each, in turn
 * @param python with DuckDB and pyarrow
 * @returns lines of a Markdown table: medians
 */
export async function splitBench(runs: number, rows: number, python: string, scratch: string): Promise<string[]> {
  const folder = join(scratch, `split-${rows}`);
  const snapshot = join(folder, 'snapshot_dt=2026-01-31');
  const map = join(folder, 'map.csv');
  const out = join(scratch, 'split-out');
  const fresh = () => {
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(map, splitMapCsv());
  const file = join(snapshot, 'part-00000.parquet');
  if (!existsSync(file)) checked(python, [script, 'make', map, snapshot, String(rows)]);
  const copyEngine = (source: string): Cost => {
    fresh();
    const words = ['tables', 'split', '--source', source, '--target', out, '--map', map, '--json'];
    return timed(node, ['--import', PEAK, join(root, 'dist', 'cli.js'), ...words]);
  };
  const ways: Record<string, () => Cost> = {
    'lakegate tables split, --engine copy': () => copyEngine(folder),
    'cp of the same bytes': () => {
      fresh();
      return timed('cp', [file, join(out, 'copy')]);
    },
    'cp of the same bytes, and sync': () => {
      fresh();
      return timed('sh', ['-c', 'cp "$0" "$1" && sync "$1"', file, join(out, 'copy')]);
    },
    'DuckDB, table by table': () => {
      fresh();
      return JSON.parse(checked(python, [script, 'duckdb', map, snapshot, out]).stdout) as Cost;
    },
  };
  const costs = new Map<string, Cost[]>(Object.keys(ways).map((way) => [way, []]));
  for (let run = 0; run < runs; run += 1) for (const [way, go] of Object.entries(ways)) costs.get(way)!.push(go());
  const longer = `${folder}-longer`;
  mkdirSync(join(longer, 'snapshot_dt=2026-01-31'), { recursive: true });
  for (let part = 0; part < LONGER; part += 1)
    copyFileSync(file, join(longer, 'snapshot_dt=2026-01-31', `part-${part}.parquet`));
  costs.set(`lakegate tables split, ${LONGER} times the source`, [copyEngine(longer)]);
  const base = median(costs.get('lakegate tables split, --engine copy')!.map(({ ms }) => ms));
  return [
    `### ${rows.toLocaleString('en-US')} rows × 1,742 columns into 27 tables`,
    '',
    '| | time | × | peak memory |',
    '| --- | ---: | ---: | ---: |',
    ...[...costs].map(([way, of]) => {
      const ms = median(of.map((cost) => cost.ms));
      const peak = of.flatMap(({ peakBytes }) => peakBytes ?? []);
      const memory = peak.length === 0 ? '' : `${Math.round(median(peak) / 1e6)} MB`;
      return `| ${way} | ${(ms / 1000).toFixed(2)} s | ${(ms / base).toFixed(2)} | ${memory} |`;
    }),
  ];
}

/** Has a Node process say its peak memory when it ends. */
const PEAK = `data:text/javascript,process.on('exit',()=>process.stderr.write('peak '+process.resourceUsage().maxRSS*1024+'\\n'))`;

function timed(command: string, args: readonly string[]): Cost {
  const started = performance.now();
  const { stderr } = checked(command, args);
  const ms = performance.now() - started;
  const peak = /peak (\d+)/.exec(stderr)?.[1];
  return { ms, ...(peak === undefined ? {} : { peakBytes: Number(peak) }) };
}

function checked(command: string, args: readonly string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1e8 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return { stdout, stderr };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
