import { isKind, LakegateError } from '../errors.ts';
import { LOCK, type Lock, parseDocument } from './documents.ts';
import { BUSY } from './machine.ts';
import type { PipelineName } from './model.ts';
import type { PipelinePorts } from './ports.ts';

type LockPorts = Pick<PipelinePorts, 'store' | 'executionRunning' | 'now'>;

const ADVICE = 'See that no execution of the pipeline runs, delete the file, and run this again.';
/** Others that take it at the same moment. */
const TURNS = 3;

/** Where a pipeline's lock lies. */
export function lockUrl(runs: string, pipeline: PipelineName): string {
  return `${runs}${pipeline}/lock.json`;
}

/**
 * Looks whether another execution has the pipeline, before work is spent on one that has to wait.
 * @throws LakegateError `conflict`, by the name `BUSY`, while another has it; `unavailable` where that cannot be told
 */
export async function checkFree(ports: LockPorts, url: string, execution: string): Promise<void> {
  const held = await readLock(ports, url);
  if (held !== undefined) await checkMine(ports, url, held.lock, execution);
}

/**
 * Takes a pipeline for an execution: from nobody, or from one that runs no more.
 * @returns whether it is newly taken; false where this execution has it already
 * @throws LakegateError as `checkFree`
 */
export async function takeLock(ports: LockPorts, url: string, execution: string, run: string): Promise<boolean> {
  const lock: Lock = { execution, run, at: new Date(ports.now()).toISOString() };
  const bytes = new TextEncoder().encode(`${JSON.stringify(lock)}\n`);
  for (let turn = 0; turn < TURNS; turn += 1) {
    if ((await ports.store.create(url, bytes)) !== undefined) return true;
    const held = await readLock(ports, url);
    if (held === undefined) continue;
    if (await checkMine(ports, url, held.lock, execution)) return false;
    if ((await ports.store.replace(url, bytes, held.etag)) !== undefined) return true;
  }
  throw busy(url, 'another execution', execution);
}

/** Gives a pipeline back, where this run still has it. */
export async function releaseLock(ports: Pick<PipelinePorts, 'store'>, url: string, run: string): Promise<void> {
  const held = await readLock(ports, url);
  if (held?.lock.run !== run) return;
  const free: Lock = { ...held.lock, execution: null };
  await ports.store.replace(url, new TextEncoder().encode(`${JSON.stringify(free)}\n`), held.etag);
}

/** Whether a run still has its pipeline: one that was ended from outside may have calls under way that do not know it. */
export async function holdsLock(ports: Pick<PipelinePorts, 'store'>, url: string, run: string): Promise<boolean> {
  const held = await readLock(ports, url);
  return held !== undefined && held.lock.run === run && held.lock.execution !== null;
}

/** @returns whether this execution has it. @throws LakegateError while another one has */
async function checkMine(ports: LockPorts, url: string, lock: Lock, execution: string): Promise<boolean> {
  if (lock.execution === execution) return true;
  if (lock.execution !== null && (await ports.executionRunning(lock.execution))) {
    throw busy(url, lock.execution, execution);
  }
  return false;
}

function busy(url: string, other: string, execution: string): LakegateError {
  const error = new LakegateError(
    'conflict',
    `the pipeline is at work for ${other}: one execution at a time. Wait for its end, and start this one again.`,
    { context: { lock: url, other, execution }, retryable: false },
  );
  error.name = BUSY;
  return error;
}

async function readLock(
  { store }: Pick<PipelinePorts, 'store'>,
  url: string,
): Promise<{ lock: Lock; etag: string } | undefined> {
  try {
    const { bytes, etag } = await store.read(url);
    return { lock: parseDocument(LOCK, bytes, url, ADVICE), etag };
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
}
