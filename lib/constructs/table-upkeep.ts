import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type StageLake, stageNames } from '../stage-names.ts';
import { athenaGrants } from './athena-grants.ts';
import { upkeepGlueGrants } from './catalog-grants.ts';
import { acknowledgeWildcard, allow } from './grants.ts';
import { RunbookAlarm } from './runbook-alarm.ts';
import { writeLake } from './storage-grants.ts';
import { upkeepDefinition } from './upkeep-definition.ts';

export interface TableUpkeepProps {
  lake: StageLake;
  /** Name of the maintenance function. */
  planner: string;
  /** Nightly runs that could not be started. */
  dead: IQueue;
  email?: ITopic;
}

/** Tables at the same time: Athena runs 20 DDL and 20 to 200 DML queries for an account, and people want theirs. */
const CONCURRENCY = 2;

/** Athena's OPTIMIZE and VACUUM over the stage's Glue tables, every night. */
export class TableUpkeep extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { lake, planner, dead, email }: TableUpkeepProps) {
    super(scope, id);
    const names = stageNames(lake);
    const stateMachineName = names.of('table-upkeep');
    const plannerArn = names.arn('lambda', `function:${planner}`);
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    const grants = allow(role, [
      { actions: ['lambda:InvokeFunction'], resources: [plannerArn] },
      { actions: ['events:PutEvents'], resources: [names.arn('events', `event-bus/${names.bus}`)] },
      ...athenaGrants(lake),
      ...upkeepGlueGrants(lake),
      ...writeLake(lake),
    ]);
    const logGroup = new LogGroup(this, 'Logs', {
      // Groups under this prefix need no resource policy of their own, of which an account may have ten.
      logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
      retention: lake.stage.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const definition = upkeepDefinition({
      planner: plannerArn,
      workgroup: names.workgroup,
      bus: names.bus,
      concurrency: CONCURRENCY,
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
    Tags.of(this).add('part', 'table-upkeep');
    new Rule(this, 'Nightly', {
      ruleName: names.of('table-upkeep'),
      description: 'Compacts tables and removes what no snapshot needs',
      schedule: Schedule.cron({ minute: '17', hour: '2' }),
      targets: [new SfnStateMachine(this.stateMachine, { deadLetterQueue: dead, maxEventAge: Duration.hours(4) })],
    });
    const metric = { period: Duration.minutes(5), statistic: 'Sum' };
    // An execution that a person aborts is no news to them.
    new RunbookAlarm(this, 'Failed', {
      name: `${stateMachineName}-failed`,
      summary: 'The nightly upkeep failed for some tables.',
      heading: 'Table upkeep failed',
      metric: this.stateMachine.metricFailed(metric),
      threshold: 1,
      ...(email && { email }),
    });
    new RunbookAlarm(this, 'Late', {
      name: `${stateMachineName}-late`,
      summary: 'The nightly upkeep was ended because it took too long.',
      heading: 'Table upkeep takes too long',
      metric: this.stateMachine.metricTimedOut(metric),
      threshold: 1,
      ...(email && { email }),
    });
  }
}
