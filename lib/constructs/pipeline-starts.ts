import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { PipelineSource, PipelinesConfig } from '../../src/config/pipelines-model.ts';
import { markerRulePart } from '../../src/pipelines/machine.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import { missedQueue } from './missed-queue.ts';
import { pipelinesOf, placeOf } from './tables-grants.ts';

export interface PipelineStartsProps {
  lake: StageLake;
  pipelines: PipelinesConfig;
  /** Runs the pipelines side by side. */
  runAll: StateMachine;
  email?: ITopic;
}

/** What starts the pipelines besides a person: a schedule, and the markers of snapshots that arrive. What could not be started is kept, with an alarm. */
export class PipelineStarts extends Construct {
  constructor(scope: Construct, id: string, { lake, pipelines, runAll, email }: PipelineStartsProps) {
    super(scope, id);
    const { schedule, onMarker } = pipelines.start;
    const used = new Set(pipelinesOf(pipelines).flatMap(({ sources }) => sources));
    const marked = onMarker
      ? pipelines.sources.filter(({ name, marker }) => marker !== undefined && used.has(name))
      : [];
    if (schedule === undefined && marked.length === 0) return;
    const names = stageNames(lake);
    const notBegun = missedQueue(this, 'NotBegun', {
      queueName: names.of('tables-dead'),
      summary: 'The pipelines could not be started.',
      heading: 'Pipelines did not begin',
      ...(email && { email }),
    });
    const common = { deadLetterQueue: notBegun, maxEventAge: Duration.hours(24) };
    if (schedule !== undefined) {
      new Rule(this, 'Schedule', {
        ruleName: names.of('tables-schedule'),
        description: 'Runs the pipelines of wide snapshots',
        schedule: Schedule.expression(schedule),
        targets: [new SfnStateMachine(runAll, { ...common, input: RuleTargetInput.fromObject({}) })],
      });
    }
    for (const source of marked) {
      new Rule(this, `Marker-${source.name}`, {
        ruleName: names.of(markerRulePart(source.name)),
        description: `Runs the pipelines when a snapshot of ${source.name} is complete`,
        eventPattern: markerPattern(source),
        // The event itself says which snapshot of which source it is.
        targets: [new SfnStateMachine(runAll, common)],
      });
    }
  }
}

/**
 * S3's event of a source's marker, in the folder of any of its snapshots.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching
 */
function markerPattern({ path, marker }: PipelineSource) {
  const { bucket, prefix } = placeOf(path);
  // lake.yaml takes no path with wildcards of its own.
  const wildcard = `${prefix}snapshot_dt=*/${marker}`;
  return {
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: { bucket: { name: [bucket] }, object: { key: [{ wildcard }] } },
  };
}
