import type { Decision } from './delivery.ts';

const BY_KEY = 'lakegate.published-by';
const REASON_KEY = 'lakegate.reason';

/** Summary keys of a snapshot that a person published. */
export const DECISION_KEYS: readonly string[] = [BY_KEY, REASON_KEY];

/** What a person's word adds to the summary of the snapshot that it puts on main. */
export function decisionSummary(decision: Decision | undefined): Record<string, string> {
  return decision === undefined ? {} : { [BY_KEY]: decision.by, [REASON_KEY]: decision.reason };
}
