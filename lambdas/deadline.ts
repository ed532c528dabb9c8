import type { GatePorts } from '../src/gate/ports.ts';

/** The part of an invocation's time that is kept back for the step under way and for giving back what was begun. */
const KEPT_PART = 0.2;
const KEPT_MOST_MS = 30_000;

/**
 * Milliseconds left for work in this invocation; below zero when what is left is needed to end in time.
 * @param remainingMs Lambda's own count, called when the invocation begins
 * @param keptMostMs kept back of a long invocation
 */
export function workTime(remainingMs: () => number, keptMostMs = KEPT_MOST_MS): () => number {
  const kept = Math.min(keptMostMs, remainingMs() * KEPT_PART);
  return () => remainingMs() - kept;
}

/** The gate for one invocation: it stops in time, commits included. */
export function withDeadline(ports: GatePorts, remainingMs: () => number): GatePorts {
  const left = workTime(remainingMs);
  return { ...ports, remainingMs: left, commitDeadlineMs: Math.max(0, Math.min(ports.commitDeadlineMs, left())) };
}
