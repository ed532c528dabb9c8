import { createHash } from 'node:crypto';
import type { PipelineName } from './model.ts';

/** End of a state machine's name: `<lake>-<stage>-<this>`. */
export function machinePart(machine: PipelineName | 'run-all'): string {
  return `tables-${machine}`;
}

/** What a rule's name has room for behind the longest names of a lake and a stage, and `tables-on-`: EventBridge takes 64 characters. */
const RULE_ROOM = 20;

/** End of the name of the EventBridge rule on a source's marker: `<lake>-<stage>-<this>`. */
export function markerRulePart(source: string): string {
  const name = source.replaceAll('_', '-');
  if (name.length <= RULE_ROOM) return `tables-on-${name}`;
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 6);
  return `tables-on-${name.slice(0, RULE_ROOM - hash.length - 1)}-${hash}`;
}

/** Name of what the pipelines' function throws when the same call may succeed later. A name is all that Lambda tells Step Functions of an error's kind. */
export const RETRYABLE = 'Lakegate.Retryable';

/**
 * Pieces of a source's copy at most. An execution's history has 25,000 events, of which a piece takes seven.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const MOST_PIECES = 500;
