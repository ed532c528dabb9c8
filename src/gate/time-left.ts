import { LakegateError } from '../errors.ts';
import type { GatePorts } from './ports.ts';

type Clock = Pick<GatePorts, 'remainingMs'>;

/** Whether the time of this run is over. */
export function isTimeOver(ports: Clock): boolean {
  return (ports.remainingMs?.() ?? 1) <= 0;
}

/** Between two steps: stops a run that has no time for the next. @throws LakegateError `unavailable`, context `outOfTime: true` */
export function checkTime(ports: Clock): void {
  if (!isTimeOver(ports)) return;
  throw new LakegateError('unavailable', 'the time of this run was over; the next run goes on with it', {
    context: { outOfTime: true },
  });
}
