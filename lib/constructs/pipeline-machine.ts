import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { machinePart } from '../../src/pipelines/machine.ts';
import type { PipelineName } from '../../src/pipelines/model.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import { acknowledgeWildcard, allow, type Grant } from './grants.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

export interface PipelineMachineProps {
  lake: StageLake;
  machine: PipelineName | 'run-all';
  definition: Record<string, unknown>;
  grants: readonly Grant[];
  /** What it is, in an alarm's sentence: `The pipeline bucketed`. */
  what: string;
  email?: ITopic;
}

/** A state machine of the pipelines, with a role that lists its rights, its log, traces, and alarms on executions that failed or took too long. */
export class PipelineMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { lake, machine, definition, grants, what, email }: PipelineMachineProps) {
    super(scope, id);
    const stateMachineName = stageNames(lake).of(machinePart(machine));
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    const policy = allow(role, grants);
    const logGroup = new LogGroup(this, 'Logs', {
      // Groups under this prefix need no resource policy of their own, of which an account may have ten.
      logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
      retention: lake.stage.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(JSON.stringify(definition)),
      role,
      tracingEnabled: true,
      logs: { destination: logGroup, level: LogLevel.ALL, includeExecutionData: true },
    });
    this.stateMachine.node.addDependency(policy);
    acknowledgeWildcard(
      role,
      '*',
      'Step Functions sets up its logs and traces by actions that take no narrower resource.',
    );
    Tags.of(this).add('part', machinePart(machine));
    const metric = { period: Duration.minutes(5), statistic: 'Sum' };
    const common = { threshold: 1, heading: 'A pipeline failed', ...(email && { email }) };
    // An execution that a person aborts is no news to them.
    new RunbookAlarm(this, 'Failed', {
      ...common,
      name: `${stateMachineName}-failed`,
      summary: `${what} could not do all of its work.`,
      metric: this.stateMachine.metricFailed(metric),
    });
    new RunbookAlarm(this, 'Late', {
      ...common,
      name: `${stateMachineName}-late`,
      summary: `${what} was ended because it took too long.`,
      metric: this.stateMachine.metricTimedOut(metric),
    });
  }
}
