import { isKind, LakegateError } from '../errors.ts';
import { LOCK, type Lock, parseDocument } from './documents.ts';
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
 * @returns that one; undefined where the pipeline is free, or this execution's
 * @throws LakegateError `unavailable` where that cannot be told
 */
export async function otherHolder(ports: LockPorts, url: string, execution: string): Promise<string | undefined> {
  const held = await readLock(ports, url);
  return held && (await otherIn(ports, held.lock, execution));
}

/**
 * Takes a pipeline for an execution: from nobody, or from one that runs no more.
 * @returns whether it is newly taken, or this execution has it already; `busy`: who has it instead
 * @throws LakegateError as `otherHolder`
 */
export async function takeLock(
  ports: LockPorts,
  url: string,
  execution: string,
  run: string,
): Promise<{ isNew: boolean } | { busy: string }> {
  const lock: Lock = { execution, run, at: new Date(ports.now()).toISOString() };
  const bytes = new TextEncoder().encode(`${JSON.stringify(lock)}\n`);
  for (let turn = 0; turn < TURNS; turn += 1) {
    if ((await ports.store.create(url, bytes)) !== undefined) return { isNew: true };
    const held = await readLock(ports, url);
    if (held === undefined) continue;
    if (held.lock.execution === execution) return { isNew: false };
    const other = await otherIn(ports, held.lock, execution);
    if (other !== undefined) return { busy: other };
    if ((await ports.store.replace(url, bytes, held.etag)) !== undefined) return { isNew: true };
  }
  return { busy: 'another execution' };
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

/** The execution of a lock, where it is another one that runs. */
async function otherIn(ports: LockPorts, lock: Lock, execution: string): Promise<string | undefined> {
  if (lock.execution === null || lock.execution === execution) return undefined;
  return (await ports.executionRunning(lock.execution)) ? lock.execution : undefined;
}

/** For who does not wait, or not any longer. @param other who has the pipeline */
export function pipelineBusy(pipeline: PipelineName, other: string): LakegateError {
  return new LakegateError(
    'conflict',
    `the pipeline ${pipeline} is at work for ${other}: one execution at a time. Wait for its end, and start this one again.`,
    { context: { pipeline, other }, retryable: false },
  );
}

/** Folder of the run that has, or had, a pipeline last. @throws LakegateError `corrupt`, and what the store throws */
export async function lockedRun(ports: Pick<PipelinePorts, 'store'>, url: string): Promise<string | undefined> {
  return (await readLock(ports, url))?.lock.run;
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
