/** The state machines of the pipelines as they are written: valid, with unique names, nothing left without a way on. How they run is tested by running them. */
import { StateMachine } from 'aws-local-stepfunctions';
import { pipelineDefinition } from '../../lib/constructs/pipeline-definition.ts';
import type { PipelineParts } from '../../lib/constructs/pipeline-states.ts';
import { runAllDefinition } from '../../lib/constructs/run-all-definition.ts';
import { EVENT_NAMES } from '../../src/notify/event-source.ts';

const ARN = 'arn:aws:states:eu-west-1:111111111111:stateMachine:acme-dev-tables-';

const copyAndSync: PipelineParts = {
  pipeline: 'partitioned',
  worker: 'arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-tables',
  bus: 'acme-dev',
  concurrency: 5,
  er: false,
  splits: 0,
  timeoutMinutes: 240,
};

const DEFINITIONS: Record<string, Record<string, unknown>> = {
  'copied and synced': pipelineDefinition(copyAndSync),
  'copied, with Entity Resolution': pipelineDefinition({ ...copyAndSync, workgroup: 'acme-dev', er: true }),
  'by Spark': pipelineDefinition({
    ...copyAndSync,
    pipeline: 'bucketed',
    glueJob: 'acme-dev-split',
    splits: 3,
  }),
  'staged for Athena': pipelineDefinition({ ...copyAndSync, pipeline: 'bucketed', workgroup: 'acme-dev' }),
  both: runAllDefinition({ bucketed: `${ARN}bucketed`, partitioned: `${ARN}partitioned` }, 86_400),
  one: runAllDefinition({ partitioned: `${ARN}partitioned` }, 86_400),
};

interface State {
  Type: string;
  Resource?: string;
  Next?: string;
  Default?: string;
  End?: boolean;
  Retry?: unknown[];
  Catch?: { Next: string }[];
  Choices?: { Next: string }[];
  ItemProcessor?: Machine;
  Branches?: Machine[];
}

interface Machine {
  StartAt: string;
  States: Record<string, State>;
}

/** A definition and all that lie in it. */
function machines(machine: Machine): Machine[] {
  const inner = Object.values(machine.States).flatMap(({ ItemProcessor, Branches }) => [
    ...(ItemProcessor ? [ItemProcessor] : []),
    ...(Branches ?? []),
  ]);
  return [machine, ...inner.flatMap(machines)];
}

const states = (name: string) =>
  machines(DEFINITIONS[name] as unknown as Machine).flatMap(({ States }) => Object.entries(States));

describe.each(Object.keys(DEFINITIONS))('%s', (name) => {
  const definition = DEFINITIONS[name]!;

  test('is valid', () => {
    expect(
      () => new StateMachine(definition as unknown as ConstructorParameters<typeof StateMachine>[0]),
    ).not.toThrow();
  });

  test('names each state once, and comes to each', () => {
    const names = states(name).map(([state]) => state);
    expect(new Set(names).size).toBe(names.length);
    for (const { StartAt, States } of machines(definition as unknown as Machine)) {
      const reached = new Set<string>();
      const open = [StartAt];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (reached.has(next)) continue;
        reached.add(next);
        const { Next, Default, Choices = [], Catch = [] } = States[next]!;
        open.push(
          ...[Next, Default, ...Choices.map((one) => one.Next), ...Catch.map((one) => one.Next)].filter(
            (at) => at !== undefined,
          ),
        );
      }
      expect([...reached].sort()).toEqual(Object.keys(States).sort());
    }
  });

  test('tries each task again, and lets none end it but those that tell of the others', () => {
    const tasks = states(name).filter(([, { Type }]) => Type === 'Task');
    expect(tasks.filter(([, { Retry }]) => (Retry ?? []).length === 0)).toEqual([]);
    const alone = tasks.filter(([, { Catch }]) => Catch === undefined).map(([state]) => state);
    // Audit fails its Map, which goes on; what cannot be written down, or no report be asked for, is a broken run.
    expect(alone.filter((state) => !/^(Note\w+|Audit|AskForReport)$/.test(state))).toEqual([]);
  });
});

test('an execution has the time that the runs of Glue take, two at a time', () => {
  const hours = (name: string) => Number(DEFINITIONS[name]!.TimeoutSeconds) / 3600;
  expect(hours('copied and synced')).toBe(24);
  expect(hours('by Spark')).toBe(24 + 2 * 4);
  expect(Number(DEFINITIONS.both!.TimeoutSeconds)).toBeGreaterThan(86_400);
});

test('what is no state machine would be found', () => {
  const broken = { StartAt: 'Here', States: { Here: { Type: 'Task', Next: 'Nowhere' } } };
  expect(() => new StateMachine(broken as unknown as ConstructorParameters<typeof StateMachine>[0])).toThrow(
    /invalid/i,
  );
});

test('a stage that needs neither Glue nor Athena asks neither', () => {
  const resources = states('copied and synced').flatMap(([, { Resource }]) => Resource ?? []);
  expect(new Set(resources)).toEqual(new Set(['arn:aws:states:::lambda:invoke', 'arn:aws:states:::events:putEvents']));
});

test('what the bus is told is what the notify function knows', () => {
  const told = states('by Spark').flatMap(([, state]) =>
    state.Resource?.includes('putEvents') ? [JSON.stringify(state).match(/"DetailType":"([^"]+)"/)![1]] : [],
  );
  expect(told.sort()).toEqual(['pipeline.failed', 'pipeline.failed', 'report.wanted']);
  expect(EVENT_NAMES).toContain('pipeline.failed');
});
