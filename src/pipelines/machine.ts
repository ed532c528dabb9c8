import type { PipelineName } from './model.ts';

/** End of a state machine's name: `<lake>-<stage>-<this>`. */
export function machinePart(machine: PipelineName | 'run-all'): string {
  return `tables-${machine}`;
}

/** End of the name of the EventBridge rule on a source's marker: `<lake>-<stage>-<this>`. */
export function markerRulePart(source: string): string {
  return `tables-marker-${source.replaceAll('_', '-')}`;
}

/** Name of what the pipelines' function throws when the same call may succeed later. A name is all that Lambda tells Step Functions of an error's kind. */
export const RETRYABLE = 'Lakegate.Retryable';

/** Name of what `validate` throws while another execution holds the pipeline's lock: it waits its turn. */
export const BUSY = 'Lakegate.Busy';

/**
 * Pieces of a source's copy at most. An execution's history has 25,000 events, of which a piece takes seven.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const MOST_PIECES = 500;
