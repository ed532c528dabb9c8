import { Duration, RemovalPolicy, Tags, Validations } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import { acknowledgeWildcard, allow } from './grants.ts';
import { partitionDefinition } from './partition-definition.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

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

/** The scheduled runs over all raw databases: a state machine, the schedules that start it, and the alarms on both. */
export class PartitionRuns extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { lake, partitions, worker, email }: PartitionRunsProps) {
    super(scope, id);
    const names = stageNames(lake);
    const stateMachineName = names.of('partition-runs');
    const workerArn = names.arn('lambda', `function:${worker}`);
    const ownArn = names.arn('states', `stateMachine:${stateMachineName}`);
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    const grants = allow(role, [
      { actions: ['lambda:InvokeFunction'], resources: [workerArn] },
      { actions: ['events:PutEvents'], resources: [names.arn('events', `event-bus/${names.bus}`)] },
      { actions: ['states:StartExecution'], resources: [ownArn] },
    ]);
    const logGroup = new LogGroup(this, 'Logs', {
      // Groups under this prefix need no resource policy of their own, of which an account may have ten.
      logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
      retention: lake.stage.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const definition = partitionDefinition({
      worker: workerArn,
      stateMachine: ownArn,
      bus: names.bus,
      concurrency: partitions.concurrency,
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(JSON.stringify(definition)),
      role,
      tracingEnabled: true,
      logs: { destination: logGroup, level: LogLevel.ALL, includeExecutionData: true },
    });
    this.stateMachine.node.addDependency(grants);
    acknowledgeWildcard(
      role,
      '*',
      'Step Functions sets up its logs and traces by actions that take no narrower resource.',
    );
    Tags.of(this).add('part', 'partition-runs');
    this.schedules(names.of('partitions'), partitions, this.notBegun(stateMachineName, email));
    this.alarms(stateMachineName, email);
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

  /** Scheduled runs that could not be started. */
  private notBegun(name: string, email: ITopic | undefined): Queue {
    const queue = new Queue(this, 'NotBegun', {
      queueName: `${name}-dead`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is a dead-letter queue itself.' });
    new RunbookAlarm(this, 'NotBegunAlarm', {
      name: `${name}-dead`,
      summary: 'Scheduled runs of partition management could not be started.',
      heading: 'Partition runs did not begin',
      metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: 'Maximum' }),
      threshold: 1,
      ...(email && { email }),
    });
    return queue;
  }

  private alarms(name: string, email: ITopic | undefined): void {
    const metric = { period: Duration.minutes(5), statistic: 'Sum' };
    const common = { threshold: 1, ...(email && { email }) };
    // An execution that a person aborts is no news to them.
    new RunbookAlarm(this, 'Failed', {
      ...common,
      name: `${name}-failed`,
      summary: 'A run of partition management could not look at some databases.',
      heading: 'Partition runs failed',
      metric: this.stateMachine.metricFailed(metric),
    });
    new RunbookAlarm(this, 'Late', {
      ...common,
      name: `${name}-late`,
      summary: 'A run of partition management was ended because it took too long.',
      heading: 'Partition runs failed',
      metric: this.stateMachine.metricTimedOut(metric),
    });
  }
}
