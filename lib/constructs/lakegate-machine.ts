import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type StageLake, stageNames } from '../stage-names.ts';
import { acknowledgeWildcard, allow, type Grant } from './grants.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

/** An alarm's sentence, and its heading in the runbook. */
interface AlarmWords {
  summary: string;
  heading: string;
}

export interface LakegateMachineProps {
  lake: StageLake;
  /** Its name is `<name>-<stage>-<part>`. */
  part: string;
  /** In Amazon States Language with JSONPath. */
  definition: Record<string, unknown>;
  grants: readonly Grant[];
  /** An execution failed. */
  failed: AlarmWords;
  /** An execution was ended because it took too long. */
  late: AlarmWords;
  email?: ITopic;
}

/** A state machine with a role that lists its rights, its log, traces, and alarms on executions that failed or took too long. */
export class LakegateMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { lake, part, definition, grants, ...alarms }: LakegateMachineProps) {
    super(scope, id);
    const stateMachineName = stageNames(lake).of(part);
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
    Tags.of(this).add('part', part);
    const { failed, late, email } = alarms;
    const metric = { period: Duration.minutes(5), statistic: 'Sum' };
    const common = { threshold: 1, ...(email && { email }) };
    // An execution that a person aborts is no news to them.
    new RunbookAlarm(this, 'Failed', {
      ...common,
      ...failed,
      name: `${stateMachineName}-failed`,
      metric: this.stateMachine.metricFailed(metric),
    });
    new RunbookAlarm(this, 'Late', {
      ...common,
      ...late,
      name: `${stateMachineName}-late`,
      metric: this.stateMachine.metricTimedOut(metric),
    });
  }
}
