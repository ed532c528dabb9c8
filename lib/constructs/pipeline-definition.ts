import { type EVENT_NAMES, EVENT_SOURCE, REPORT_WANTED } from '../../src/notify/event-source.ts';
import type { PipelineJob } from '../../src/pipelines/model.ts';
import { oneSource } from './pipeline-source.ts';
import { call, caught, type PipelineParts, type State, type States } from './pipeline-states.ts';
import { retryOf } from './step-retries.ts';

const PIPELINE_FAILED = 'pipeline.failed' satisfies (typeof EVENT_NAMES)[number];

/** Until it is asked again whether the execution that has the pipeline has ended. The function says when that was often enough. */
const TURN_SECONDS = 300;

/** Sources worked on at the same time. */
const SOURCES = 2;

const DAY_SECONDS = 86_400;

/**
 * How long an execution may take: a day for waiting and for all that is no split, and as long as Glue's runs take that come one after the other.
 * @returns seconds
 */
export function longestSeconds({ splits, timeoutMinutes }: Pick<PipelineParts, 'splits' | 'timeoutMinutes'>): number {
  return DAY_SECONDS + Math.ceil(splits / SOURCES) * timeoutMinutes * 60;
}

/**
 * The state machine of a pipeline, in Amazon States Language with JSONPath. `Validate` looks at everything that is cheap to look at before anything
 * is paid for; then each source is audited, split, and its tables are registered. A step that fails is written down by the function and holds back
 * no other source or table; `Finish` sums up and tells of them, and the execution fails at its end. State names are unique in the whole definition.
 *
 * Input: `RunInput` of src/pipelines/model.ts, all of it optional.
 */
export function pipelineDefinition(parts: PipelineParts): Record<string, unknown> {
  const { pipeline, worker, bus } = parts;
  return {
    Comment: `Splits wide snapshots into the ${pipeline} tables`,
    StartAt: 'Validate',
    TimeoutSeconds: longestSeconds(parts),
    States: {
      Validate: call(
        worker,
        {
          mode: 'validate',
          pipeline,
          'input.$': '$$.Execution.Input',
          'execution.$': '$$.Execution.Id',
          'since.$': '$$.Execution.StartTime',
        },
        { keeps: { as: 'plan' }, failed: 'TellInvalid', next: 'Turn' },
      ),
      // No error of the function: its alarm is for what a person has to look at.
      Turn: {
        Type: 'Choice',
        Choices: [{ Variable: '$.plan.busy', IsPresent: true, Next: 'WaitTurn' }],
        Default: 'Sources',
      },
      WaitTurn: { Type: 'Wait', Seconds: TURN_SECONDS, Next: 'Validate' },
      Sources: {
        Type: 'Map',
        ItemsPath: '$.plan.sources',
        MaxConcurrency: SOURCES,
        ItemSelector: { 'item.$': '$$.Map.Item.Value' },
        ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...oneSource(parts) },
        ResultPath: null,
        Catch: caught('TellBroken'),
        Next: 'Finish',
      },
      Finish: call(
        worker,
        { mode: 'finish', pipeline, 'run.$': '$.plan.run', 'execution.$': '$$.Execution.Id' },
        { keeps: { as: 'summary' }, failed: 'TellBroken', next: 'Reports' },
      ),
      Reports: {
        Type: 'Map',
        ItemsPath: '$.summary.reports',
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'AskForReport',
          States: {
            AskForReport: {
              ...put(bus, REPORT_WANTED, { 'report.$': '$.report' }),
              End: true,
            },
          },
        },
        ResultPath: null,
        Next: 'AllDone',
      },
      AllDone: {
        Type: 'Choice',
        Choices: [{ Variable: '$.summary.failed[0]', IsPresent: true, Next: 'SomeFailed' }],
        Default: 'Done',
      },
      SomeFailed: {
        Type: 'Fail',
        Error: 'TablesFailed',
        CausePath:
          "States.Format('{} failed, the others are done. The first: {}', States.ArrayLength($.summary.failed), States.JsonToString($.summary.failed[0]))",
      },
      Done: { Type: 'Succeed' },
      ...telling('Invalid', 'validate', parts),
      ...telling('Broken', 'run', parts),
    },
  };
}

/** Tells the bus of what ends the run at once, and ends it. The execution fails in any case, and its alarm tells a person. */
function telling(what: string, job: PipelineJob | 'run', { pipeline, bus }: PipelineParts): States {
  return {
    [`Tell${what}`]: {
      ...put(bus, PIPELINE_FAILED, {
        event: PIPELINE_FAILED,
        'at.$': '$$.State.EnteredTime',
        pipeline,
        'execution.$': '$$.Execution.Id',
        count: 1,
        failures: [{ job, 'reason.$': 'States.JsonToString($.failure)' }],
      }),
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: `Run${what}` }],
      Next: `Run${what}`,
    },
    [`Run${what}`]: { Type: 'Fail', Error: `Run${what}`, CausePath: '$.failure.Cause' },
  };
}

function put(bus: string, type: string, detail: Record<string, unknown>): State {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::events:putEvents',
    Parameters: { Entries: [{ EventBusName: bus, Source: EVENT_SOURCE, DetailType: type, Detail: detail }] },
    ResultPath: null,
    Retry: [retryOf(['States.ALL'], 6, 2)],
  };
}
