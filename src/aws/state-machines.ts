import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { LakegateError } from '../errors.ts';
import { awsFault, isMissing } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

/** How an execution of a state machine stands. */
export interface ExecutionFacts {
  /** As Step Functions has it. */
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';
  /** Of one that failed: its error's name, and what was said of it. */
  error?: string;
  cause?: string;
}

/** Something that happened in an execution. */
export type ExecutionStep =
  | { kind: 'entered'; state: string }
  | { kind: 'exited'; state: string; output: unknown }
  /** An item of a Map has ended, well or not. */
  | { kind: 'item'; map: string }
  /** Another execution was started by it. */
  | { kind: 'started'; execution: string }
  /** Another one was to be started, or has failed, and nothing says which it is. */
  | ({ kind: 'unstarted' } & Pick<ExecutionFacts, 'error' | 'cause'>);

/** State machines of a stage, as far as starting and watching goes. Every operation @throws LakegateError `config` | `unavailable` */
export interface StateMachines {
  /** Starts an execution. @returns its ARN. @throws LakegateError `config` where there is no such state machine */
  start(machine: string, input: unknown): Promise<string>;
  look(execution: string): Promise<ExecutionFacts>;
  /** What happened since the call before, in order. */
  news(execution: string): Promise<ExecutionStep[]>;
  close(): void;
}

/** Events in an answer: the most that it takes. */
const PAGE = 1000;

export function openStateMachines({ region, account }: { region: string; account: string }): StateMachines {
  const client = new SFNClient(clientSettings(region));
  const seen = new Map<string, number>();
  return {
    async start(machine, input) {
      const stateMachineArn = `arn:${partitionOf(region)}:states:${region}:${account}:stateMachine:${machine}`;
      try {
        const { executionArn } = await client.send(
          new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
        );
        return executionArn!;
      } catch (error) {
        if (isMissing(error) || (error as Error).name === 'StateMachineDoesNotExist') {
          throw new LakegateError(
            'config',
            `there is no state machine ${machine} in ${region}: deploy the stage with that pipeline in lake.yaml`,
          );
        }
        throw awsFault(error, `start the state machine ${machine}`);
      }
    },
    async look(execution) {
      try {
        const { status, error, cause } = await client.send(new DescribeExecutionCommand({ executionArn: execution }));
        return {
          status: status!,
          ...(error !== undefined && { error }),
          ...(cause !== undefined && { cause }),
        };
      } catch (error) {
        throw awsFault(error, `look at the execution ${execution}`);
      }
    },
    async news(execution) {
      const known = seen.get(execution) ?? 0;
      const events: HistoryEvent[] = [];
      try {
        // Newest first, up to what was seen: a history may have 25,000 events.
        let nextToken: string | undefined;
        do {
          const page = await client.send(
            new GetExecutionHistoryCommand({
              executionArn: execution,
              reverseOrder: true,
              maxResults: PAGE,
              ...(nextToken !== undefined && { nextToken }),
            }),
          );
          const fresh = (page.events ?? []).filter(({ id }) => id! > known);
          events.push(...fresh);
          nextToken = fresh.length === page.events?.length ? page.nextToken : undefined;
        } while (nextToken !== undefined);
      } catch (error) {
        throw awsFault(error, `read the history of ${execution}`);
      }
      seen.set(execution, Math.max(known, ...events.map(({ id }) => id!)));
      return events.reverse().flatMap(stepOf);
    },
    close: () => client.destroy(),
  };
}

/** What an event of an execution's history means for who watches; nothing, mostly. */
export function stepOf(event: HistoryEvent): ExecutionStep[] {
  const entered = event.stateEnteredEventDetails?.name;
  if (entered !== undefined) return [{ kind: 'entered', state: entered }];
  const exited = event.stateExitedEventDetails;
  if (exited?.name !== undefined) return [{ kind: 'exited', state: exited.name, output: parsed(exited.output) }];
  const item = event.mapIterationSucceededEventDetails ?? event.mapIterationFailedEventDetails;
  if (item?.name !== undefined) return [{ kind: 'item', map: item.name }];
  return childOf(event);
}

/**
 * Of a task that runs another execution: which one. It says so when it was submitted, and again in its result, or in the cause of its failure.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
 */
function childOf(event: HistoryEvent): ExecutionStep[] {
  const given = event.taskSubmittedEventDetails ?? event.taskSucceededEventDetails;
  const failed =
    event.taskFailedEventDetails ?? event.taskSubmitFailedEventDetails ?? event.taskStartFailedEventDetails;
  const isChild = (given ?? failed)?.resource?.includes('startExecution') ?? false;
  if (!isChild) return [];
  const told = parsed(given === undefined ? failed?.cause : given.output);
  const { ExecutionArn: execution } = (told ?? {}) as { ExecutionArn?: unknown };
  if (typeof execution === 'string') return [{ kind: 'started', execution }];
  if (failed === undefined) return [];
  const { error, cause } = failed;
  return [{ kind: 'unstarted', ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) }];
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    // Output that is too long comes cut, and a cause may be words.
    return null;
  }
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
