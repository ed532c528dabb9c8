import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a process and those that it starts cost. */
export interface Cost {
  ms: number;
  /** The most that any one of them had in memory; absent where the system does not tell. */
  peakBytes?: number;
  stdout: string;
}

/** How often the processes are looked at: a peak that is over sooner is still in what Linux keeps of each process. */
const LOOK_MS = 100;

/** Runs a command to its end. @throws Error with what it said, when it fails */
export function processCost(command: string, args: readonly string[]): Promise<Cost> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    // The Spark job ends when its standard input does: it stays open.
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let peak = 0;
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr = `${stderr}${text}`.slice(-10_000);
    });
    const look = setInterval(() => {
      for (const pid of family(child.pid!)) peak = Math.max(peak, peakOf(pid));
    }, LOOK_MS);
    child.once('error', reject);
    child.once('close', (status) => {
      clearInterval(look);
      const ms = performance.now() - started;
      if (status !== 0) return reject(new Error(`${command} ${args.join(' ')}: ${stderr || stdout}`));
      const told = /^peak (\d+)$/m.exec(stderr)?.[1];
      const peakBytes = told === undefined ? peak : Number(told);
      resolve({ ms, ...(peakBytes > 0 ? { peakBytes } : {}), stdout });
    });
  });
}

function family(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

/** The most that a process had in memory so far, bytes. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
