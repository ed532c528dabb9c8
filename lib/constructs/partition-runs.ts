import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import { LakegateMachine } from './lakegate-machine.ts';
import { missedQueue } from './missed-queue.ts';
import { partitionDefinition } from './partition-definition.ts';

export interface PartitionRunsProps {
  lake: StageLake;
  partitions: PartitionsConfig;
  /** Name of the function that lists the databases and looks after each. */
  worker: string;
  email?: ITopic;
}

/** The kinds of run, by how often lake.yaml wants them. */
const SYNCS = [
  { sync: 'incremental', every: 'incrementalMs', does: 'Registers partitions that appeared lately' },
  { sync: 'full', every: 'fullMs', does: 'Registers partitions wherever they appeared' },
  { sync: 'reconcile', every: 'reconcileMs', does: 'Holds the catalogue against all folders' },
] as const;

/** End of the state machine's name. */
const PART = 'partition-runs';

/** The scheduled runs over all raw databases: a state machine, the schedules that start it, and the alarms on both. */
export class PartitionRuns extends LakegateMachine {
  constructor(scope: Construct, id: string, { lake, partitions, worker, email }: PartitionRunsProps) {
    const names = stageNames(lake);
    const workerArn = names.arn('lambda', `function:${worker}`);
    const ownArn = names.arn('states', `stateMachine:${names.of(PART)}`);
    const mail = email && { email };
    super(scope, id, {
      lake,
      part: PART,
      definition: partitionDefinition({
        worker: workerArn,
        stateMachine: ownArn,
        bus: names.bus,
        concurrency: partitions.concurrency,
      }),
      grants: [
        { actions: ['lambda:InvokeFunction'], resources: [workerArn] },
        { actions: ['events:PutEvents'], resources: [names.arn('events', `event-bus/${names.bus}`)] },
        { actions: ['states:StartExecution'], resources: [ownArn] },
      ],
      failed: {
        summary: 'A run of partition management could not look at some databases.',
        heading: 'Partition runs failed',
      },
      late: {
        summary: 'A run of partition management was ended because it took too long.',
        heading: 'Partition runs failed',
      },
      ...mail,
    });
    const notBegun = missedQueue(this, 'NotBegun', {
      queueName: names.of(`${PART}-dead`),
      summary: 'Scheduled runs of partition management could not be started.',
      heading: 'Partition runs did not begin',
      ...mail,
    });
    this.schedules(names.of('partitions'), partitions, notBegun);
  }

  private schedules(name: string, { schedule }: PartitionsConfig, dead: Queue): void {
    for (const { sync, every, does } of SYNCS) {
      const ms = schedule[every];
      if (ms === undefined) continue;
      const period = Duration.minutes(ms / 60_000);
      new Rule(this, sync, {
        ruleName: `${name}-${sync}`,
        description: does,
        schedule: Schedule.rate(period),
        targets: [
          new SfnStateMachine(this.stateMachine, {
            input: RuleTargetInput.fromObject({ sync }),
            deadLetterQueue: dead,
            // The next run does the same work: an old one is not worth waiting for.
            maxEventAge: Duration.minutes(Math.min(ms / 60_000, 24 * 60)),
            retryAttempts: 2,
          }),
        ],
      });
    }
  }
}
