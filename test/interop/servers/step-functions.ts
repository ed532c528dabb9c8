/**
 * Step Functions on this machine: synthesised definitions, run by aws-local-stepfunctions, behind the requests that the SDK sends. Tasks are done by
 * whoever a test names for their resource; errors reach Retry and Catch as Step Functions hands them on.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExecutionAbortedError, StateMachine } from 'aws-local-stepfunctions';
import { ACCOUNT, REGION } from '../emulators/emulator.ts';

type Definition = ConstructorParameters<typeof StateMachine>[0];
type Run = ReturnType<StateMachine['run']>;

/** What a task is given to do, and for which execution. */
export interface Task {
  parameters: Record<string, unknown>;
  state: string;
  execution: string;
}

/** Does a task. It throws `TaskFault` for what Step Functions would have for its error. */
export type Act = (task: Task) => Promise<unknown>;

/** An error of a task, by the name that Retry and Catch know it by; the cause is a service's own JSON, or words. */
export class TaskFault extends Error {
  constructor(name: string, cause: unknown) {
    super(typeof cause === 'string' ? cause : JSON.stringify(cause));
    this.name = name;
  }
}

export interface LocalExecution {
  arn: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  output?: unknown;
  error?: string;
  cause?: string;
  /** When it has ended, well or not. */
  ended: Promise<void>;
  /** States that were entered, in order, and those that were tried again. */
  entered: string[];
  retried: string[];
}

export interface StepFunctions {
  env: Record<string, string>;
  executions: Map<string, LocalExecution>;
  /** What it was asked for, by the names of the operations. */
  asked: string[];
  start(machine: string, input: unknown): LocalExecution;
  /** Ends an execution as a person does; calls that are under way come to their end by themselves. */
  abort(arn: string): Promise<void>;
  stop(): Promise<void>;
}

/** Seconds: aws-local-stepfunctions gives a task one minute where a definition says nothing, Step Functions three years. */
const LONGEST = 900;

/** How events name the task that runs another execution. */
const TO_CHILD = { resourceType: 'states', resource: 'startExecution.sync:2' };

interface State {
  Type: string;
  Resource?: string;
  Retry?: unknown[];
  States?: Record<string, State>;
  ItemProcessor?: { States: Record<string, State> };
  Branches?: { States: Record<string, State> }[];
}

/**
 * @param machines definitions by the machines' names
 * @param actors who does the tasks of a resource, such as `arn:aws:states:::glue:startJobRun.sync`; executions are started by itself
 */
export async function startStepFunctions(
  machines: Readonly<Record<string, unknown>>,
  actors: Readonly<Record<string, Act>>,
): Promise<StepFunctions> {
  const executions = new Map<string, LocalExecution>();
  const runs = new Map<string, Run>();
  const histories = new Map<string, HistoryEvent[]>();
  const asked: string[] = [];

  const startChild: Act = async ({ parameters, execution }) => {
    const name = String(parameters.StateMachineArn).split(':').at(-1)!;
    const child = start(name, parameters.Input);
    const output = JSON.stringify({ ExecutionArn: child.arn });
    record(histories.get(execution)!, 'TaskSubmitted', {
      taskSubmittedEventDetails: { ...TO_CHILD, output },
    });
    await child.ended;
    if (child.status === 'SUCCEEDED') return { ExecutionArn: child.arn, Status: child.status, Output: child.output };
    const cause = { ExecutionArn: child.arn, Status: child.status, Cause: child.cause };
    record(histories.get(execution)!, 'TaskFailed', {
      taskFailedEventDetails: { ...TO_CHILD, error: 'States.TaskFailed', cause: JSON.stringify(cause) },
    });
    throw new TaskFault('States.TaskFailed', cause);
  };

  function start(machine: string, input: unknown): LocalExecution {
    const definition = machines[machine] as Definition | undefined;
    if (definition === undefined) throw new Error(`no state machine ${machine}`);
    const arn = `arn:aws:states:${REGION}:${ACCOUNT}:execution:${machine}:${randomUUID()}`;
    const history: HistoryEvent[] = [];
    const { handlers, waits } = overridesOf(definition as unknown as { States: Record<string, State> }, (resource) => {
      const act = /:states:startExecution\.sync/.test(resource) ? startChild : actors[resource];
      if (act === undefined) throw new Error(`nobody does ${resource}`);
      return (state: string) => async (parameters: unknown) => {
        const given = withTexts(JSON.parse(JSON.stringify(parameters))) as Record<string, unknown>;
        return JSON.parse(JSON.stringify((await act({ parameters: given, state, execution: arn })) ?? null)) as never;
      };
    });
    const run = new StateMachine(withPlainCauses(adapted(definition) as Definition), {
      validationOptions: { checkArn: false },
    }).run(input as never, {
      context: {
        Execution: { Id: arn, Input: input as never, StartTime: new Date().toISOString() },
        State: { EnteredTime: '2026-02-01T03:00:00Z' },
      },
      overrides: {
        taskResourceLocalHandlers: handlers,
        retryIntervalOverrides: waits,
        // Who waits for another execution looks again soon.
        waitTimeOverrides: { WaitTurn: 200 },
      },
    });
    const execution: LocalExecution = { arn, status: 'RUNNING', entered: [], retried: [], ended: Promise.resolve() };
    const watched = watch(run, execution, history);
    execution.ended = run.result
      .then(
        (output) => Object.assign(execution, { output, status: 'SUCCEEDED' }),
        (error: Error) => {
          if (error instanceof ExecutionAbortedError) return Object.assign(execution, { status: 'ABORTED' });
          const { name, message } = (error.cause ?? error) as Error;
          return Object.assign(execution, { status: 'FAILED', error: name, cause: message });
        },
      )
      .then(() => watched);
    executions.set(arn, execution);
    runs.set(arn, run);
    histories.set(arn, history);
    return execution;
  }

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += String(data);
    });
    request.on('end', () => {
      const answer = (status: number, value: unknown) => {
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(JSON.stringify(value));
      };
      const given = JSON.parse(body) as Record<string, string>;
      const known = executions.get(given.executionArn ?? '');
      const operation = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
      asked.push(operation);
      switch (operation) {
        case 'StartExecution': {
          const machine = given.stateMachineArn!.split(':').at(-1)!;
          if (!(machine in machines)) return answer(400, { __type: 'StateMachineDoesNotExist', message: machine });
          const { arn } = start(machine, JSON.parse(given.input!));
          return answer(200, { executionArn: arn, startDate: 1_767_225_600 });
        }
        case 'DescribeExecution': {
          if (known === undefined) return answer(400, { __type: 'ExecutionDoesNotExist', message: 'none' });
          const { arn, status, error, cause } = known;
          return answer(200, { executionArn: arn, status, error, cause, startDate: 1_767_225_600 });
        }
        case 'GetExecutionHistory':
          return answer(200, { events: [...(histories.get(given.executionArn!) ?? [])].reverse() });
        default:
          return answer(400, { __type: 'UnknownOperationException', message: operation });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    env: { AWS_ENDPOINT_URL_SFN: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    executions,
    asked,
    start,
    async abort(arn) {
      runs.get(arn)!.abort();
      await executions.get(arn)!.ended;
    },
    async stop() {
      for (const [arn, { status }] of executions) if (status === 'RUNNING') runs.get(arn)!.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const TEXT = '(text of)';

/**
 * `States.JsonToString` in what tasks are given: aws-local-stepfunctions takes every backslash out of its result, which is no JSON any more. The value
 * itself is handed on, and becomes its text before the task is done. And tasks get the time that they have.
 */
function adapted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(adapted);
  if (typeof value !== 'object' || value === null) return value;
  if ('Type' in value && value.Type === 'Task' && !('TimeoutSeconds' in value)) {
    return adapted({ ...value, TimeoutSeconds: LONGEST });
  }
  const entries = Object.entries(value).map(([key, item]) => {
    const path = key.endsWith('.$') ? /^States\.JsonToString\((\$[^()]*)\)$/.exec(String(item))?.[1] : undefined;
    return path === undefined ? [key, adapted(item)] : [key.slice(0, -2), { [`${TEXT}.$`]: path }];
  });
  return Object.fromEntries(entries);
}

function withTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTexts);
  if (typeof value !== 'object' || value === null) return value;
  if (TEXT in value) return JSON.stringify(value[TEXT]);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTexts(item)]));
}

/** Fail states whose cause is put together: aws-local-stepfunctions takes a path there alone, so that a Pass state does it before. */
function withPlainCauses(definition: Definition): Definition {
  const states: Record<string, unknown> = {};
  for (const [name, state] of Object.entries(definition.States)) {
    if (state.Type !== 'Fail' || !state.CausePath?.startsWith('States.')) {
      states[name] = state;
      continue;
    }
    const failing = `${name} with its cause`;
    states[name] = { Type: 'Pass', Parameters: { 'cause.$': state.CausePath }, Next: failing };
    states[failing] = { ...state, CausePath: '$.cause' };
  }
  return { ...definition, States: states } as Definition;
}

type HistoryEvent = { id: number; type: string; timestamp: number } & Record<string, unknown>;

function record(history: HistoryEvent[], type: string, details: Record<string, unknown>): void {
  history.push({ id: history.length + 1, type, timestamp: 1_767_225_600, ...details });
}

async function watch({ eventLogs }: Run, execution: LocalExecution, history: HistoryEvent[]): Promise<void> {
  for await (const event of eventLogs) {
    if (event.type === 'StateEntered') {
      execution.entered.push(event.state.name);
      record(history, 'TaskStateEntered', { stateEnteredEventDetails: { name: event.state.name } });
    } else if (event.type === 'StateExited') {
      const output = JSON.stringify(event.state.output);
      record(history, 'TaskStateExited', { stateExitedEventDetails: { name: event.state.name, output } });
    } else if (event.type === 'StateRetried') {
      execution.retried.push(event.state.name);
    } else if (event.type === 'MapIterationSucceeded') {
      const { name } = event.parentState;
      record(history, 'MapIterationSucceeded', { mapIterationSucceededEventDetails: { name, index: event.index } });
    }
  }
}

/** Handlers and waits by the names of states, which are unique in a whole definition. */
function overridesOf(
  definition: { States: Record<string, State> },
  actorOf: (resource: string) => (state: string) => (parameters: unknown) => Promise<never>,
) {
  const handlers: Record<string, (parameters: unknown) => Promise<never>> = {};
  const waits: Record<string, number[]> = {};
  const visit = (states: Record<string, State>): void => {
    for (const [name, state] of Object.entries(states)) {
      if (state.Resource !== undefined) {
        if (name in handlers) throw new Error(`two states ${name}`);
        handlers[name] = actorOf(state.Resource)(name);
        // Their waits are Step Functions' own, which need no test.
        waits[name] = (state.Retry ?? []).map(() => 5);
      }
      if (state.ItemProcessor !== undefined) visit(state.ItemProcessor.States);
      for (const branch of state.Branches ?? []) visit(branch.States);
    }
  };
  visit(definition.States);
  return { handlers, waits };
}
