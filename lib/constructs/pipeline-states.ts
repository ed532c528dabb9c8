import { RETRYABLE } from '../../src/pipelines/machine.ts';
import type { PipelineName, PipelineRequest } from '../../src/pipelines/model.ts';
import { RETRY_LAMBDA, retryOf } from './step-retries.ts';

/** What a pipeline's definition refers to. */
export interface PipelineParts {
  pipeline: PipelineName;
  /** ARN of the pipelines' function. */
  worker: string;
  /** Name of the Glue job that splits; none where the copy engine does it. */
  glueJob?: string;
  /** Athena workgroup; none where no statement is ever run. */
  workgroup?: string;
  /** Event bus that hears of what failed, and is asked for reports. */
  bus: string;
  /** Tables, or pieces of a copy, that are worked on at the same time. */
  concurrency: number;
  /** Whether Entity Resolution's table is made. */
  er: boolean;
  /** Sources that the Glue job splits, a run for each. */
  splits: number;
  /** Longest run of the Glue job. */
  timeoutMinutes: number;
}

/** A state of the Amazon States Language. */
export type State = Record<string, unknown>;
export type States = Record<string, State>;

/** A request of the function as a state gives it: what ends in `.$` is a path into the state. */
type Payload = { mode: PipelineRequest['mode'] } & Record<string, unknown>;

export interface Call {
  /** What is kept of the answer, and where; without it the state stays as it was. */
  keeps?: { as: string; path?: string };
  /** Goes on there after an error, which is at `$.failure` then. */
  failed?: string;
  next: string;
}

/** A step is done again from what it left: nothing is done twice. */
const RETRY_WORK = retryOf([RETRYABLE, 'Sandbox.Timedout', 'Lambda.Unknown'], 4, 20);

/** A state that asks the function. */
export function call(worker: string, Payload: Payload, { keeps, failed, next }: Call): State {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: worker, Payload },
    ...(keeps === undefined
      ? { ResultPath: null }
      : keeps.path === undefined
        ? { ResultSelector: { [`${keeps.as}.$`]: '$.Payload' } }
        : { ResultSelector: { [`${keeps.as}.$`]: `$.Payload.${keeps.as}` }, ResultPath: keeps.path }),
    Retry: [RETRY_LAMBDA, RETRY_WORK],
    ...(failed !== undefined && { Catch: caught(failed) }),
    Next: next,
  };
}

export function caught(next: string): State[] {
  return [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: next }];
}
