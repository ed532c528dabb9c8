import type { PipelineName } from '../../src/pipelines/model.ts';
import type { State } from './pipeline-states.ts';
import { retryOf } from './step-retries.ts';

/** What `run-all` refers to: the ARN of each pipeline's state machine, of one at least. */
export type RunAllParts = Readonly<Partial<Record<PipelineName, string>>>;

/** Step Functions takes no more executions or requests for the moment. A pipeline that fails is none of these. */
const RETRY_START = retryOf(
  [
    'StepFunctions.ExecutionLimitExceededException',
    'StepFunctions.AWSStepFunctionsException',
    'StepFunctions.ThrottlingException',
    'StepFunctions.SdkClientException',
  ],
  6,
  5,
);

/**
 * The state machine that runs the pipelines side by side, in Amazon States Language with JSONPath. One that fails does not stop the other; the
 * execution fails at its end and says which. Its input is each pipeline's.
 * @param longest seconds that the longest of them may take
 */
export function runAllDefinition(parts: RunAllParts, longest: number): Record<string, unknown> {
  const pipelines = Object.entries(parts) as [PipelineName, string][];
  const failed = pipelines.map((_, index) => `$.pipelines[${index}].failed`);
  return {
    Comment: 'Runs the pipelines of wide snapshots side by side',
    StartAt: 'Pipelines',
    // A little more, for those that are to be started again.
    TimeoutSeconds: longest + 600,
    States: {
      Pipelines: {
        Type: 'Parallel',
        Branches: pipelines.map(([pipeline, arn]) => branch(pipeline, arn)),
        ResultSelector: { 'pipelines.$': '$' },
        Next: 'AllEnded',
      },
      AllEnded: {
        Type: 'Choice',
        Choices: failed.map((path) => ({ Not: { Variable: path, StringEquals: '' }, Next: 'SomePipelinesFailed' })),
        Default: 'AllWell',
      },
      SomePipelinesFailed: {
        Type: 'Fail',
        Error: 'PipelinesFailed',
        CausePath: `States.Format('Failed:${failed.map(() => '{}').join('')}. Their own executions say why', ${failed.join(', ')})`,
      },
      AllWell: { Type: 'Succeed' },
    },
  };
}

/** @returns a branch that ends with `{ failed: " <its name>" | "" }` */
function branch(pipeline: PipelineName, arn: string): State {
  const name = `${pipeline[0]!.toUpperCase()}${pipeline.slice(1)}`;
  return {
    StartAt: name,
    States: {
      [name]: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: arn, 'Input.$': '$' },
        Retry: [RETRY_START],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: `${name}Failed` }],
        Next: `${name}Done`,
      },
      [`${name}Done`]: { Type: 'Pass', Result: { failed: '' }, End: true },
      [`${name}Failed`]: { Type: 'Pass', Result: { failed: ` ${pipeline}` }, End: true },
    },
  };
}
