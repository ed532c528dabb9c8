import { LakegateError } from '../../src/errors.ts';
import { isObject } from '../../src/events/fields.ts';

/** What the function can be asked to do. */
export const MODES = ['resume', 'reconcile', 'expire', 'plan-optimize', 'all'] as const;
export type Mode = (typeof MODES)[number];

export interface MaintenanceRequest {
  mode: Mode;
  /** For `reconcile`: looks at everything put in so many hours, whatever earlier runs looked at. */
  lookbackHours?: number;
}

/**
 * @param event `{ "mode": "resume" }`; a schedule's own event without input asks for all
 * @throws LakegateError `usage` for a mode that there is not
 */
export function parseRequest(event: unknown): MaintenanceRequest {
  const { mode = 'all', lookbackHours } = isObject(event) ? event : {};
  const known = MODES.find((each) => each === mode);
  if (known === undefined) {
    throw new LakegateError('usage', `mode: expected one of ${MODES.join(', ')}, found ${JSON.stringify(mode)}`);
  }
  if (lookbackHours === undefined) return { mode: known };
  if (typeof lookbackHours !== 'number' || !(lookbackHours > 0)) {
    throw new LakegateError(
      'usage',
      `lookbackHours: expected a number of hours, found ${JSON.stringify(lookbackHours)}`,
    );
  }
  return { mode: known, lookbackHours };
}
