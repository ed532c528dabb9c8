import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LakegateError } from '../errors.ts';
import { errnoOf } from '../storage/file-errors.ts';

/** Arguments of `glue/split.py`, by their names. */
export type SparkArguments = Readonly<Record<string, string>>;

export interface SparkOptions {
  /** The Python that has pyspark and pyarrow. */
  python: string;
  /** Memory of Spark's process, MiB. */
  memoryMb: number;
  env: Readonly<Record<string, string | undefined>>;
  /** Text of the split map, which the job gets as a file. */
  map?: string;
  /** Told each line that the job says. */
  onLine?(line: string): void;
}

/** What the job leaves at its `RESULT_PATH`. */
export interface SparkResult {
  snapshot: string | null;
  notes: string[];
  source: { files: number; rows: number };
  tables: {
    table: string;
    /** `held`: with `HOLD`, written and counted beside its place. */
    outcome: 'written' | 'held' | 'failed';
    /** Of a held one: what its files are named by. */
    run?: string;
    files?: number;
    rows?: number;
    bytes?: number;
    reason?: string;
  }[];
  /** Why the job failed. */
  error?: string;
}

/** Beside the sources, and beside the bundle that is made of them. */
const PLACES = ['../../glue/run_local.py', '../glue/run_local.py'];
/** The runner's exit code for something that is not installed. */
const MISSING = 3;
/** Lines of the job's own words that a fault is told with. */
const LAST_LINES = 12;

/**
 * Runs the Glue job's script with a Spark on this machine, to its end. It ends with this process, however that ends; what it had not committed is then
 * done again by the next run.
 * @throws LakegateError `unavailable` where Python, its packages or Java are missing, or the job died; `invalid` where it refused what it was given
 */
export async function splitBySpark(values: SparkArguments, options: SparkOptions): Promise<SparkResult> {
  const scratch = await mkdtemp(join(tmpdir(), 'lakegate-spark-'));
  try {
    const resultPath = join(scratch, 'result.json');
    const map = join(scratch, 'map.csv');
    if (options.map !== undefined) await writeFile(map, options.map);
    const all = { ...values, ...(options.map !== undefined && { CSV_FILE: map }), RESULT_PATH: resultPath };
    const { code, said } = await run(options, scratch, all);
    if (code === MISSING) throw lacking(options.python, said.join('\n'));
    const result = await readResult(resultPath);
    if (result === undefined) {
      throw new LakegateError('unavailable', `Spark's job ended with ${code} before it was done:\n${said.join('\n')}`);
    }
    if (result.tables.length === 0) throw new LakegateError('invalid', result.error ?? 'the job made no table');
    return result;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function run(
  { python, memoryMb, env, onLine }: SparkOptions,
  cwd: string,
  values: SparkArguments,
): Promise<{ code: number | string; said: string[] }> {
  const script = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  if (script === undefined) throw new LakegateError('internal', 'glue/run_local.py is missing from the package');
  const words = Object.entries(values).map(([name, value]) => `--${name}=${value}`);
  return new Promise((resolve, reject) => {
    // Its standard input stays open as long as this process lives: the job ends with it.
    const own = { ...env, LAKEGATE_SCRATCH: cwd };
    const child = spawn(python, [script, `${memoryMb}m`, '*', ...words], { cwd, env: own, stdio: 'pipe' });
    const said: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => onLine?.(line));
    createInterface({ input: child.stderr }).on('line', (line) => {
      onLine?.(line);
      said.push(line);
      if (said.length > LAST_LINES) said.shift();
    });
    child.stdin.on('error', () => undefined);
    child.on('error', (error) =>
      reject(errnoOf(error) === 'ENOENT' ? lacking(python, 'that program is not there') : error),
    );
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'nothing', said }));
  });
}

function lacking(python: string, what: string): LakegateError {
  return new LakegateError(
    'unavailable',
    `Spark needs Python with pyspark and pyarrow, and Java 17; ${python}: ${what}. Name another Python by --python or LAKEGATE_PYTHON, or do without Spark: \`tables split --engine duckdb\`, in a pipeline \`engine: copy\``,
    { retryable: false },
  );
}

async function readResult(path: string): Promise<SparkResult | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as SparkResult;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
