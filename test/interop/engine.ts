import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const HERE = __dirname;
const HOME = resolve(HERE, '../../.interop');

/** A process that answers questions, one after the other. */
export interface Engine {
  /** @throws Error with the engine's own message and trace */
  ask<T>(op: string, params?: Record<string, unknown>): Promise<T>;
  close(): Promise<void>;
}

/** PyIceberg, DuckDB, pyarrow and polars. */
export function startEngines(): Engine {
  return start('engines', []);
}

/** @param scratch a folder for what Spark leaves behind */
export function startSpark(scratch: string): Engine {
  return start('spark', [join(HOME, 'jars'), scratch], scratch);
}

/** glue/split.py in a Spark session of its own, and the grammars that statements are held against. @param scratch as of `startSpark` */
export function startSplitJob(scratch: string): Engine {
  return start('split_job', [scratch], scratch);
}

/** Athena's statements, by DuckDB. */
export function startAthena(): Engine {
  return start('athena', []);
}

function start(script: string, args: readonly string[], cwd?: string): Engine {
  const python = join(HOME, 'venv', 'bin', 'python');
  const child: ChildProcess = spawn(python, [join(HERE, 'python', `${script}.py`), ...args], {
    stdio: 'pipe',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', SPARK_LOCAL_IP: '127.0.0.1', TZ: 'UTC' },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const errors: string[] = [];
  child.stderr!.on('data', (data) => {
    errors.push(String(data));
    if (errors.length > 50) errors.shift();
  });
  const ended = new Promise<number | null>((done) => {
    child.once('exit', (code) => done(code));
    child.once('error', (error) => {
      errors.push(error.message);
      done(null);
    });
  });
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  let turn: Promise<unknown> = Promise.resolve();

  async function answer(op: string, params: Record<string, unknown>): Promise<unknown> {
    child.stdin!.write(`${JSON.stringify({ op, ...params })}\n`);
    const line = await answers.next();
    if (line.done) throw new Error(`${script} ended with ${await ended} at ${op}:\n${errors.join('')}`);
    const { value, error, trace } = JSON.parse(line.value) as { value: unknown; error?: string; trace?: string };
    if (error !== undefined) throw new Error(`${script} ${op} ${JSON.stringify(params)}: ${error}\n${trace}`);
    return value;
  }

  return {
    ask<T>(op: string, params: Record<string, unknown> = {}): Promise<T> {
      const result = turn.then(() => answer(op, params));
      turn = result.catch(() => undefined);
      return result as Promise<T>;
    },
    async close() {
      child.stdin!.end();
      await ended;
    },
  };
}
