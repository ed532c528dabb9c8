/**
 * `npm run bench`: lakegate beside what a user would run instead, same data, same machine, same run. Prints a Markdown table for each question
 * and writes them with the machine's facts to `.bench/results.md`.
 *
 * usage: bench [--runs N] [--rows 1000000,8000000] [--history 2000]
 *        bench split [--runs N] [--rows 200000]    a wide snapshot into its tables
 *        bench lambda-init [--runs N]    only how long the function takes to start
 *        bench partitions [--runs N] [--worlds wide,backfill,hourly] [--quick]    only partition management
 */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

interface Costs {
  inProcessMs: number;
  peakBytes: number;
  bytesRead: number;
  bytesWritten: number;
  storeRequests: number;
  catalogRequests: number;
  copyMs?: number;
  wholeMs: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    rows: { type: 'string' },
    history: { type: 'string', default: '2000' },
    worlds: { type: 'string', default: 'wide,backfill,hourly' },
    quick: { type: 'boolean', default: false },
  },
});
const RUNS = Number(values.runs);
const SIZES = (values.rows ?? '1000000,8000000').split(',').map(Number);
const root = resolve(import.meta.dirname, '..', '..');
const scratch = join(root, '.bench');
const python = join(root, '.interop', 'venv', 'bin', 'python');
const scripts = join(root, 'test', 'bench', 'python');
const runner = join(scratch, 'bundle', 'run-lakegate.js');
const command = join(root, 'bin', 'lakegate.js');
const out: string[] = [];

if (!existsSync(python)) throw new Error(`no ${python}: \`npm run test:interop\` makes it`);
mkdirSync(scratch, { recursive: true });
if (positionals.includes('split')) {
  const { splitBench } = await import('./split.ts');
  process.stdout.write(`${(await splitBench(RUNS, Number(values.rows ?? 200_000), python, scratch)).join('\n')}\n`);
  process.exit();
}
if (positionals.includes('lambda-init')) {
  const { lambdaInit } = await import('./lambda-init.ts');
  process.stdout.write(`${(await lambdaInit(RUNS, python, scratch)).join('\n')}\n`);
  process.exit();
}
await build({
  entryPoints: [join(root, 'test', 'bench', 'run-lakegate.ts'), join(root, 'test', 'bench', 'partitions', 'run.ts')],
  outdir: join(scratch, 'bundle'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: ['@duckdb/node-api', '@slack/web-api'],
  banner: {
    js: "import { createRequire as requireAt } from 'node:module'; const require = requireAt(import.meta.url);",
  },
});

if (positionals.includes('partitions')) {
  const { benchPartitions } = await import('./partitions/bench.ts');
  const wrangler = join(root, '.interop', 'wrangler-venv', 'bin', 'python');
  const worlds = values.worlds.split(',');
  const lines = await benchPartitions({ runs: RUNS, worlds, quick: values.quick, python, wrangler, scratch });
  writeFileSync(join(scratch, 'partitions.md'), `${lines.join('\n')}\n`);
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exit();
}

say(
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${RUNS} runs each in turn, medians`,
);
for (const rows of SIZES) await gate(rows);
await nulls(4_000_000);
await history(Number(values.history));
await batch(100);
writeFileSync(join(scratch, 'results.md'), `${out.join('\n')}\n`);

/** The whole way of one drop. */
async function gate(rows: number): Promise<void> {
  const drop = await generated(rows, []);
  const flows: Record<string, (run: number) => Promise<Costs>> = {
    'lakegate, register': (run) => lakegate('register', drop, run),
    'lakegate, copy': (run) => lakegate('copy', drop, run),
    'PyIceberg: read, append, scan, publish': (run) => pyiceberg('original', drop, run),
    'PyIceberg: add_files, footer check, publish': (run) => pyiceberg('add_files', drop, run),
  };
  const measured = await inTurn(flows);
  const base = measured['lakegate, register']!;
  say(`\n### One drop of ${rows.toLocaleString('en-US')} rows\n`);
  say('| | in process | × | whole process | × | peak memory | read | written | store requests | catalogue requests |');
  say('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const [name, costs] of Object.entries(measured)) {
    const copy = costs.copyMs ? ` (copy ${ms(costs.copyMs)})` : '';
    say(
      `| ${name} | ${ms(costs.inProcessMs)}${copy} | ${ratio(costs.inProcessMs, base.inProcessMs)} | ${ms(costs.wholeMs)} | ${ratio(costs.wholeMs, base.wholeMs)} | ${mb(costs.peakBytes)} | ${mb(costs.bytesRead)} | ${mb(costs.bytesWritten)} | ${costs.storeRequests} | ${costs.catalogRequests} |`,
    );
  }
}

/** Null counts of a file without statistics. */
async function nulls(rows: number): Promise<void> {
  const file = await generated(rows, ['--no-statistics']);
  const measured = await inTurn({
    lakegate: () => run(process.execPath, [runner, 'nulls', file]),
    DuckDB: () => run(python, [join(scripts, 'nulls.py'), 'duckdb', file]),
    pyarrow: () => run(python, [join(scripts, 'nulls.py'), 'pyarrow', file]),
  });
  say(`\n### Null counts of ${rows.toLocaleString('en-US')} rows × 19 columns without statistics\n`);
  say('| | in process | × | peak memory |');
  say('| --- | ---: | ---: | ---: |');
  for (const [name, costs] of Object.entries(measured)) {
    say(
      `| ${name} | ${ms(costs.inProcessMs)} | ${ratio(costs.inProcessMs, measured.lakegate!.inProcessMs)} | ${mb(costs.peakBytes)} |`,
    );
  }
}

/** Whether a long history makes a delivery slower. */
async function history(deliveries: number): Promise<void> {
  const folder = fresh('history');
  const yaml = lake(folder, 'register');
  const drop = join(folder, 'raw', 'drops', 'small.parquet');
  copyFileSync(await generated(1000, []), drop);
  const { each } = await run<{ each: number[] }>(process.execPath, [runner, 'repeat', yaml, drop, String(deliveries)]);
  const window = Math.min(50, Math.floor(deliveries / 4));
  // The first ones warm the process up.
  const early = median(each.slice(10, 10 + window));
  const late = median(each.slice(-window));
  const second = await wholeAfter(yaml, drop);
  const firstFolder = fresh('history-1');
  const firstYaml = lake(firstFolder, 'register');
  const firstDrop = join(firstFolder, 'raw', 'drops', 'small.parquet');
  copyFileSync(drop, firstDrop);
  await run(process.execPath, [runner, 'repeat', firstYaml, firstDrop, '1']);
  const first = await wholeAfter(firstYaml, firstDrop);
  say(`\n### A delivery after ${deliveries.toLocaleString('en-US')} earlier ones\n`);
  say('| | after 1 | after many | × |');
  say('| --- | ---: | ---: | ---: |');
  say(`| in one process (medians of ${window}) | ${ms(early)} | ${ms(late)} | ${ratio(late, early)} |`);
  say(`| in a new process, in-process time | ${ms(first)} | ${ms(second)} | ${ratio(second, first)} |`);
}

async function wholeAfter(yaml: string, drop: string): Promise<number> {
  const times: number[] = [];
  for (let number = 0; number < RUNS; number += 1) {
    const copy = drop.replace(/\.parquet$/, `-late-${number}.parquet`);
    copyFileSync(drop, copy);
    times.push((await run<Costs>(process.execPath, [runner, 'deliver', yaml, copy])).inProcessMs);
  }
  return median(times);
}

/** Many drops at once. */
async function batch(drops: number): Promise<void> {
  const folder = fresh('batch');
  const yaml = lake(folder, 'register');
  const small = await generated(1000, []);
  const files = Array.from({ length: drops + 1 }, (_, number) => join(folder, 'raw', 'drops', `${number}.parquet`));
  for (const file of files) copyFileSync(small, file);
  await run(process.execPath, [runner, 'deliver', yaml, files[drops]!]);
  const costs = await run<Costs & { published: number; requests: { catalog: Record<string, number> } }>(
    process.execPath,
    [runner, 'deliver', yaml, ...files.slice(0, drops)],
  );
  say(`\n### ${drops} drops in one batch\n`);
  say(
    `${costs.published} published in ${ms(costs.inProcessMs)}, ${costs.requests.catalog.commit} commits, ${costs.storeRequests} store requests (${(costs.storeRequests / drops).toFixed(1)} a drop), peak ${mb(costs.peakBytes)}`,
  );
}

async function lakegate(ingest: string, drop: string, number: number): Promise<Costs> {
  const folder = fresh(`lakegate-${ingest}`);
  const yaml = lake(folder, ingest);
  // As a lake in use: the table is there.
  const small = join(folder, 'raw', 'drops', 'first.parquet');
  copyFileSync(await generated(1000, []), small);
  await run(process.execPath, [runner, 'deliver', yaml, small]);
  const target = join(folder, 'raw', 'drops', `${number}.parquet`);
  await run('ln', [drop, target]);
  const inProcess = await run<Costs>(process.execPath, [runner, 'deliver', yaml, target]);
  // The same drop again, as a person runs it: a new name is a new delivery.
  const again = join(folder, 'raw', 'drops', `${number}-again.parquet`);
  await run('ln', [drop, again]);
  const whole = await run<unknown[]>(process.execPath, [command, 'drop', again, '--config', yaml, '--json']);
  return { ...inProcess, wholeMs: whole.wholeMs };
}

async function pyiceberg(flow: string, drop: string, number: number): Promise<Costs> {
  const folder = fresh(`${flow}-${number}`);
  await run(python, [join(scripts, 'flow.py'), 'prepare', folder, drop]);
  const costs = await run<Costs>(python, [join(scripts, 'flow.py'), flow, folder, drop]);
  rmSync(folder, { recursive: true });
  return costs;
}

function lake(folder: string, ingest: string): string {
  mkdirSync(join(folder, 'raw', 'drops'), { recursive: true });
  const path = join(folder, 'lake.yaml');
  writeFileSync(
    path,
    `version: 1\nraw: ./raw\nwarehouse: ./warehouse\ntables:\n  lake.drops:\n    from: drops/\n    ingest: ${ingest}\n    rules: [ { not_null: "*" } ]\n`,
  );
  return path;
}

function fresh(name: string): string {
  const folder = join(scratch, 'lakes', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function generated(rows: number, flags: string[]): Promise<string> {
  const file = join(scratch, `drop-${rows}${flags.join('')}.parquet`);
  if (!existsSync(file)) await run(python, [join(scripts, 'generate.py'), file, String(rows), ...flags]);
  return file;
}

/** Every flow once, then every flow again: a machine whose speed drifts is unfair to none. */
async function inTurn(flows: Record<string, (run: number) => Promise<Costs>>): Promise<Record<string, Costs>> {
  const seen: Record<string, Costs[]> = {};
  for (let number = 0; number < RUNS; number += 1) {
    for (const [name, flow] of Object.entries(flows)) {
      seen[name] ??= [];
      seen[name].push(await flow(number));
    }
  }
  return Object.fromEntries(
    Object.entries(seen).map(([name, costs]) => {
      const keys = Object.keys(costs[0]!) as (keyof Costs)[];
      const medians = keys.map((key) => [key, median(costs.map((cost) => cost[key] as number))]);
      return [name, Object.fromEntries(medians) as Costs];
    }),
  );
}

/** Runs a program; its last line of output is JSON. @throws Error with what it wrote when it fails */
function run<T>(program: string, args: string[]): Promise<T & { wholeMs: number }> {
  return new Promise((done, fail) => {
    const started = performance.now();
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', fail);
    child.on('close', (code) => {
      const wholeMs = performance.now() - started;
      if (code !== 0) fail(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`));
      else done({ ...parsed(stdout), wholeMs } as T & { wholeMs: number });
    });
  });
}

function parsed(stdout: string): object {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  return line.startsWith('{') && line.endsWith('}') && line.length > 1 ? (JSON.parse(line) as object) : {};
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function say(line: string): void {
  out.push(line);
  process.stdout.write(`${line}\n`);
}

function ms(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function mb(value: number): string {
  return `${(value / 1e6).toFixed(value < 1e6 ? 2 : 0)} MB`;
}

function ratio(value: number, base: number): string {
  return (value / base).toFixed(value / base < 10 ? 2 : 0);
}
