import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

/** Where `scripts/interop-setup.ts` puts the engines and the emulators. */
const HOME = resolve(import.meta.dirname, '../../../.interop');

/** A server that runs on this machine for a test, or for a person who tries lakegate out. */
export interface ServerProcess {
  /** The end of what it wrote to stdout and stderr so far. */
  log(): string;
  /** Ends it and everything that it started. Does nothing the second time. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** What people know it by. */
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Answers below 500 once the server takes requests. */
  health: string;
  /** How long it may take to get there. Milliseconds. */
  startMs?: number;
}

const LOG_CHARACTERS = 8_000_000;

/**
 * The shell becomes the server, as the leader of a process group of its own, and leaves one process behind that ends the group
 * when its standard input does: however this process ends, even killed, no server outlives it.
 */
const LIFELINE = 'exec 3<&0; { cat <&3 >/dev/null; kill -s KILL -- -$$; } & exec 3<&-; exec "$@" </dev/null';

/**
 * Starts a server and waits until it is healthy.
 * @throws Error with the server's log when it ends, or is not healthy in time
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { name, command, args, env, cwd, health, startMs = 60_000 } = options;
  const child = spawn('sh', ['-c', LIFELINE, 'sh', command, ...args], {
    stdio: 'pipe',
    detached: true,
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let log = '';
  const keep = (data: Buffer) => {
    log = (log + data.toString()).slice(-LOG_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const server: ServerProcess = { log: () => log, stop: () => stop(child) };
  const deadline = Date.now() + startMs;
  while (!(await answers(health))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) {
      await server.stop();
      const what = ended ? `ended with ${child.exitCode ?? child.signalCode}` : `is not healthy after ${startMs} ms`;
      throw new Error(`${name} ${what}: ${health} does not answer. Its log:\n${log}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return server;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.pid === undefined) return done();
    // 'close' comes when the last process that holds the pipes is gone, those that the server started included.
    if (child.stdout?.closed && child.stderr?.closed) return done();
    child.once('close', () => done());
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  });
}

/**
 * The path of an installed part.
 * @throws Error naming the command that installs it: a suite that cannot run is a failure, never a skip
 */
export function installed(...path: string[]): string {
  const found = join(HOME, ...path);
  if (!existsSync(found)) throw new Error(`there is no ${found}: run \`node scripts/interop-setup.ts\` first`);
  return found;
}

/** As many different ports as asked for, free on 127.0.0.1 just now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function listening(): Promise<ReturnType<typeof createServer>> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => done(server));
  });
}
