import type { PipelinesConfig } from '../../src/config/pipelines-model.ts';
import { LakegateError } from '../../src/errors.ts';
import { RETRYABLE } from '../../src/pipelines/machine.ts';
import type { PipelineAnswers, PipelineRequest } from '../../src/pipelines/model.ts';
import type { PipelinePorts } from '../../src/pipelines/ports.ts';
import { runStep } from '../../src/pipelines/run-step.ts';
import type { Observer } from '../observer.ts';

export interface StepPorts {
  config: PipelinesConfig;
  ports: PipelinePorts;
  observer: Observer;
}

/** Takes a step, and says so in one log line. @throws LakegateError as `runStep` */
export async function takeStep(
  { config, ports, observer }: StepPorts,
  request: PipelineRequest,
): Promise<PipelineAnswers[keyof PipelineAnswers]> {
  const what = describe(request);
  try {
    const answer = await runStep(ports, config, request);
    observer.info('pipeline-step', { ...what, answer });
    return answer;
  } catch (error) {
    observer.warn('pipeline-step-failed', { ...what, error });
    throw error;
  }
}

/** The error as it leaves the function: its name is all that Lambda tells of its kind, and what the state machine tries again by. */
export function asThrown(error: unknown): unknown {
  if (error instanceof LakegateError && error.retryable) error.name = RETRYABLE;
  return error;
}

function describe(request: PipelineRequest): Record<string, unknown> {
  const { mode } = request;
  if (mode === 'validate' || mode === 'finish') {
    return { mode, pipeline: request.pipeline, execution: request.execution };
  }
  const { item } = request;
  return {
    mode,
    pipeline: item.pipeline,
    run: item.run,
    source: item.source,
    ...('table' in request && { table: request.table }),
    ...('share' in request && { share: request.share }),
    ...('piece' in request && { piece: request.piece }),
    ...('error' in request && request.error !== null && { caught: request.error }),
  };
}
