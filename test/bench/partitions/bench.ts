/**
 * `npm run bench -- partitions`: lakegate's partition management beside what people run instead, each against the same server that answers after
 * 20 ms as a network would, each in a process of its own, in turn.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { databaseName, RAW_BUCKET, tableName, WORLDS } from './world.ts';

const root = resolve(import.meta.dirname, '..', '..', '..');
const LATENCY_MS = 20;

interface Run {
  created: number;
  inProcessMs: number;
  /** Of the whole process, its start included. */
  cpuMs: number;
  peakBytes: number;
  calls: Record<string, number>;
}

export interface PartitionBenchOptions {
  runs: number;
  /** Names of worlds. */
  worlds: readonly string[];
  /** Python with boto3; and one with awswrangler, where there is one. */
  python: string;
  wrangler: string;
  scratch: string;
  /** Leaves out the listing of all objects, which takes minutes. */
  quick: boolean;
}

/** The flows, and the state of things that each begins with. */
const FLOWS = [
  { name: 'boto3 in sequence', program: 'boto3' },
  { name: 'all objects listed, as MSCK does', program: 'msck' },
  { name: 'aws-sdk-pandas, values given', program: 'wrangler' },
  { name: 'lakegate, full reconcile', program: 'reconcile' },
  { name: 'lakegate, full against its state', program: 'full' },
  { name: 'lakegate, incremental', program: 'incremental' },
  { name: 'lakegate, events', program: 'events' },
] as const;

/** @returns Markdown: a table for each world, medians */
export async function benchPartitions(options: PartitionBenchOptions): Promise<string[]> {
  const lines: string[] = [];
  for (const world of options.worlds) lines.push(...(await oneWorld(world, options)));
  return lines;
}

async function oneWorld(world: string, options: PartitionBenchOptions): Promise<string[]> {
  const { databases, tables, registered, fresh } = WORLDS[world]!;
  const known = join(options.scratch, `${world}.json`);
  writeFileSync(known, JSON.stringify(given(world)));
  const { endpoint, child } = await serve(world);
  const seen = new Map<string, Run[]>();
  try {
    for (let number = 0; number < options.runs; number += 1) {
      for (const { name, program } of FLOWS) {
        if (program === 'wrangler' && !existsSync(options.wrangler)) continue;
        // Minutes of one request after another: once tells enough.
        if (program === 'msck' && (options.quick || number > 0)) continue;
        const run = await measured(program, world, endpoint, known, options);
        const share = program === 'msck' ? sampled(databases) / databases : 1;
        const expected = share * databases * tables * fresh.length;
        if (run.created !== expected) throw new Error(`${name}: expected ${expected} created, found ${run.created}`);
        seen.set(name, [...(seen.get(name) ?? []), scaled(run, 1 / share)]);
      }
    }
  } finally {
    child.kill();
  }
  const base = median(seen.get('boto3 in sequence')!.map(({ inProcessMs }) => inProcessMs));
  const count = (value: number) => value.toLocaleString('en-US');
  return [
    '',
    `### ${count(databases * tables)} table${databases * tables > 1 ? `s in ${databases} databases` : ''}, ${count(registered.length)} partitions registered and ${count(fresh.length)} new in each`,
    '',
    '| | time | boto3 takes × | processor | peak memory | Glue requests | listings |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...[...seen].map(([name, runs]) => {
      const time = median(runs.map(({ inProcessMs }) => inProcessMs));
      const cpu = median(runs.map(({ cpuMs }) => cpuMs));
      const peak = median(runs.map(({ peakBytes }) => peakBytes));
      const { ListObjectsV2 = 0, ...calls } = runs[0]!.calls;
      const glue = Object.entries(calls).filter(
        ([operation]) => /^(Get|Batch)/.test(operation) && !operation.includes(' '),
      );
      const requests = glue.reduce((sum, [, times]) => sum + times, 0);
      return `| ${name} | ${(time / 1000).toFixed(2)} s | ${(base / time).toFixed(1)} | ${(cpu / 1000).toFixed(1)} s | ${(peak / 1e6).toFixed(0)} MB | ${count(requests)} | ${count(ListObjectsV2)} |`;
    }),
  ];
}

/** Databases of which all objects are listed: of many, three tell what all would cost, which is most of an hour. */
function sampled(databases: number): number {
  return Math.min(databases, 3);
}

/** What a run over a part of the world would have cost over all of it. */
function scaled(run: Run, by: number): Run {
  const calls = Object.entries(run.calls).map(([name, times]) => [name, name === 'GetDatabases' ? times : times * by]);
  return {
    ...run,
    created: run.created * by,
    inProcessMs: run.inProcessMs * by,
    cpuMs: run.cpuMs * by,
    calls: Object.fromEntries(calls),
  };
}

/** What the flows in Python are told: which databases the listing of all objects looks at; for aws-sdk-pandas, where each new partition lies. */
function given(world: string): object {
  const { databases, tables, keys, fresh } = WORLDS[world]!;
  const values: Record<string, Record<string, readonly string[]>> = {};
  for (let d = 0; d < databases; d += 1)
    for (let t = 0; t < tables; t += 1) {
      const place = `s3://${RAW_BUCKET}/${databaseName(d)}/${tableName(t)}/`;
      values[`${databaseName(d)}.${tableName(t)}`] = Object.fromEntries(
        fresh.map((own) => [`${place}${own.map((value, i) => `${keys[i]}=${value}/`).join('')}`, own]),
      );
    }
  const sample = Array.from({ length: sampled(databases) }, (_, d) => databaseName(d));
  return {
    sample,
    values,
    columns: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`column_${i}`, 'string'])),
  };
}

async function measured(
  program: (typeof FLOWS)[number]['program'],
  world: string,
  endpoint: string,
  known: string,
  { python, wrangler, scratch }: PartitionBenchOptions,
): Promise<Run> {
  const control = (query: string) => fetch(`${endpoint}/_world?name=${world}&${query}`, { method: 'POST' });
  const runner = join(scratch, 'bundle', 'partitions', 'run.js');
  const script = join(root, 'test', 'bench', 'python', 'partitions.py');
  let run: Omit<Run, 'calls'>;
  if (program === 'boto3' || program === 'msck' || program === 'wrangler') {
    await control('fresh=1');
    run = await output(program === 'wrangler' ? wrangler : python, [script, program, endpoint, known]);
  } else {
    const isStateful = program === 'full' || program === 'incremental';
    await control(`fresh=${isStateful ? 0 : 1}`);
    if (isStateful) {
      // What an earlier run knew; then the new folders appear.
      await output(process.execPath, [runner, 'reconcile', endpoint, world]);
      await control('fresh=1&keep=1');
    }
    run = await output(process.execPath, [runner, program, endpoint, world]);
  }
  const calls = (await (await fetch(`${endpoint}/_counts`)).json()) as Record<string, number>;
  return { ...run, calls };
}

async function serve(world: string): Promise<{ endpoint: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), world, String(LATENCY_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((done, failed) => {
    child.stdout.once('data', (data: Buffer) => done(data.toString().trim()));
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  });
  return { endpoint: `http://127.0.0.1:${port}`, child };
}

/** Runs a program, whose last line of output is JSON. */
function output(program: string, args: readonly string[]): Promise<Omit<Run, 'calls'>> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let complained = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      complained += data.toString();
    });
    child.once('error', failed);
    child.once('close', (code) => {
      const line = said.trim().split('\n').at(-1) ?? '';
      if (code === 0) done(JSON.parse(line) as Omit<Run, 'calls'>);
      else failed(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${said}${complained}`));
    });
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
