import { RETRYABLE } from '../../lambdas/partition-mgmt/retryable.ts';
import { type EVENT_NAMES, EVENT_SOURCE } from '../../src/notify/event-source.ts';
import { RETRY_LAMBDA, retryOf } from './step-retries.ts';

/** What the state machine's definition refers to. */
export interface PartitionRunParts {
  /** ARN of the partition function: it lists the databases, looks after one, and sums up. */
  worker: string;
  /** ARN of the state machine itself, which a run of very many databases starts again for the rest of them. */
  stateMachine: string;
  /** Event bus that hears of databases that failed. */
  bus: string;
  /** Databases worked on at the same time. */
  concurrency: number;
}

/** `DetailType` of what is told of a database that failed; the notify function knows it. */
export const PARTITIONS_FAILED = 'partitions.failed' satisfies (typeof EVENT_NAMES)[number];

/** A database is looked at again from its state, so that nothing is done twice. */
const RETRY_WORK = retryOf([RETRYABLE, 'Sandbox.Timedout', 'Lambda.Unknown'], 3, 20);

/**
 * The state machine of scheduled partition management, in Amazon States Language with JSONPath: asks for the databases, looks after each of them
 * until it is finished, and sums up. A database that fails is told to the bus and holds back no other; the execution fails at its end, when all
 * have had their turn. The function hands over so many databases at a time, so that neither the state nor the history of an execution outgrows its
 * limit; the rest are an execution of their own.
 *
 * Input: `{ "sync": "incremental" | "full" | "reconcile", "databases": ["web_raw"] }`, both optional.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export function partitionDefinition(parts: PartitionRunParts): Record<string, unknown> {
  const { worker, stateMachine, concurrency } = parts;
  return {
    Comment: 'Registers the partitions that appeared in the raw databases',
    StartAt: 'List',
    TimeoutSeconds: 12 * 3600,
    States: {
      List: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: worker, Payload: { mode: 'databases', 'request.$': '$' } },
        ResultSelector: {
          'sync.$': '$.Payload.sync',
          'items.$': '$.Payload.items',
          'rest.$': '$.Payload.rest',
        },
        Retry: [RETRY_LAMBDA, RETRY_WORK],
        Next: 'Databases',
      },
      Databases: {
        Type: 'Map',
        ItemsPath: '$.items',
        MaxConcurrency: concurrency,
        ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...oneDatabase(parts) },
        ResultPath: '$.outcomes',
        Next: 'AnyLeft',
      },
      AnyLeft: {
        Type: 'Choice',
        Choices: [{ Not: { Variable: '$.rest', IsNull: true }, Next: 'GoOn' }],
        Default: 'Summary',
      },
      GoOn: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution',
        Parameters: {
          StateMachineArn: stateMachine,
          'Input.$': '$.rest',
        },
        ResultPath: null,
        Retry: [retryOf(['States.ALL'], 6, 2)],
        Next: 'Summary',
      },
      Summary: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: {
          FunctionName: worker,
          Payload: {
            mode: 'summary',
            'sync.$': '$.sync',
            'outcomes.$': '$.outcomes',
            'execution.$': '$$.Execution.Id',
          },
        },
        ResultSelector: { 'summary.$': '$.Payload' },
        Retry: [RETRY_LAMBDA, RETRY_WORK],
        Next: 'AllDone',
      },
      AllDone: {
        Type: 'Choice',
        Choices: [{ Variable: '$.summary.failed[0]', IsPresent: true, Next: 'SomeFailed' }],
        Default: 'Done',
      },
      SomeFailed: {
        Type: 'Fail',
        Error: 'DatabasesFailed',
        Cause: 'Databases could not be looked at; the output of Summary names them, the events on the bus say why',
      },
      Done: { Type: 'Succeed' },
    },
  };
}

/** One database, called again as long as the function hands back where to go on. */
function oneDatabase({ worker, bus }: PartitionRunParts): Record<string, unknown> {
  return {
    StartAt: 'Sync',
    States: {
      Sync: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: worker, Payload: { mode: 'database', 'item.$': '$' } },
        ResultSelector: { 'answer.$': '$.Payload' },
        ResultPath: '$.step',
        Retry: [RETRY_LAMBDA, RETRY_WORK],
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Tell' }],
        Next: 'Finished',
      },
      Finished: {
        Type: 'Choice',
        Choices: [{ Not: { Variable: '$.step.answer.continuation', IsNull: true }, Next: 'Again' }],
        Default: 'DatabaseDone',
      },
      Again: { Type: 'Pass', InputPath: '$.step.answer', Next: 'Sync' },
      DatabaseDone: { Type: 'Pass', InputPath: '$.step.answer.outcome', End: true },
      Tell: {
        Type: 'Task',
        Resource: 'arn:aws:states:::events:putEvents',
        Parameters: {
          Entries: [
            {
              EventBusName: bus,
              Source: EVENT_SOURCE,
              DetailType: PARTITIONS_FAILED,
              Detail: {
                event: PARTITIONS_FAILED,
                'at.$': '$$.State.EnteredTime',
                'database.$': '$.database',
                count: 1,
                failures: [{ 'reason.$': '$.error.Cause' }],
              },
            },
          ],
        },
        ResultPath: null,
        Retry: [retryOf(['States.ALL'], 6, 2)],
        // The execution fails in any case, and its alarm tells a person.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'DatabaseFailed' }],
        Next: 'DatabaseFailed',
      },
      DatabaseFailed: {
        Type: 'Pass',
        Parameters: { 'database.$': '$.database', 'error.$': '$.error.Error' },
        End: true,
      },
    },
  };
}
