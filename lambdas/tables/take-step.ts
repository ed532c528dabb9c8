import type { PipelinesConfig } from '../../src/config/pipelines-model.ts';
import { LakegateError } from '../../src/errors.ts';
import { shorten } from '../../src/notify/printable.ts';
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

/**
 * Characters of a message that leaves the function. Lambda sends it twice, the second time in the trace, as JSON; Step Functions takes 32,768 of a cause.
 * @see https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html
 */
const LONGEST = 12_000;

/**
 * The error as it leaves the function: its name is all that Lambda tells of its kind, and what the state machine tries again by. Faults of a source with
 * thousands of columns are a long list: what a state machine has no room for is in the function's log alone.
 */
export function asThrown(error: unknown): unknown {
  if (!(error instanceof LakegateError)) return error;
  if (error.retryable) error.name = RETRYABLE;
  if (error.message.length <= LONGEST) return error;
  const shown: string[] = [];
  const lines = error.message.split('\n');
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > LONGEST) break;
    shown.push(line);
  }
  const told =
    shown.length === 0
      ? shorten(error.message, LONGEST)
      : `${shown.join('\n')}\n  and ${lines.length - shown.length} lines more, in the function's log`;
  const short = new Error(told);
  short.name = error.name;
  // The trace would say the message again.
  short.stack = `${short.name}: ${shorten(lines[0]!, 200)}`;
  return short;
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
