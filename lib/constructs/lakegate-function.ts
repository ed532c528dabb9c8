import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../../lambdas/metric-names.ts';
import { configFingerprint, DEPLOYED_CONFIG, DEPLOYED_VERSION } from '../../src/config/fingerprint.ts';
import { VERSION } from '../../src/version.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import { allow, type Grant } from './grants.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

/** A network that a function has to be in. */
export interface FunctionNetwork {
  vpc: IVpc;
  securityGroup: ISecurityGroup;
}

export interface LakegateFunctionProps {
  lake: StageLake;
  /** Folder under lambdas/, and end of the function's name. */
  name: string;
  /** What it does, for the console. */
  description: string;
  /** Folder with the bundle: `handler.mjs`, its chunks and lake.json. */
  code: string;
  /** Megabytes. */
  memory: number;
  /** Seconds. */
  timeout: number;
  environment?: Record<string, string>;
  grants: readonly Grant[];
  network?: FunctionNetwork;
  email?: ITopic;
}

/**
 * A function as all of ours are: Node 24 on arm64, its own role that lists its rights, its own log group with the stage's retention, source
 * maps, and alarms on errors, throttles and invocations that come near their timeout.
 * X-Ray is off: a delivery's id is in every log line of every function, which follows it over queues and days where a trace ends.
 */
export class LakegateFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: LakegateFunctionProps) {
    super(scope, id);
    const { lake, name, email } = props;
    const names = stageNames(lake);
    const functionName = names.of(name);
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: lake.stage.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `${functionName}: ${props.description}`,
    });
    const grants = allow(role, [
      {
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [names.arn('logs', `log-group:/aws/lambda/${functionName}:*`)],
        wildcard: 'Lambda names the log streams of the function’s own group.',
      },
      ...(props.network ? [networkGrant()] : []),
      ...props.grants,
    ]);
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'handler.handler',
      code: Code.fromAsset(props.code),
      memorySize: props.memory,
      timeout: Duration.seconds(props.timeout),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        // The dimension of its metrics: stages that share an account are told apart.
        POWERTOOLS_SERVICE_NAME: functionName,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
        // For `lakegate doctor`, which cannot look into the bundle.
        [DEPLOYED_CONFIG]: configFingerprint(lake),
        [DEPLOYED_VERSION]: VERSION,
        ...props.environment,
      },
      ...(props.network && { vpc: props.network.vpc, securityGroups: [props.network.securityGroup] }),
    });
    // A function that starts before it may do anything fails its first events.
    this.function.node.addDependency(grants);
    Tags.of(this).add('part', name);
    this.alarms(names.of(name), props, email);
  }

  private alarms(name: string, { timeout }: LakegateFunctionProps, email: ITopic | undefined): void {
    const period = Duration.minutes(5);
    const common = { ...(email && { email }) };
    new RunbookAlarm(this, 'Errors', {
      ...common,
      name: `${name}-errors`,
      summary: `Function ${name} ended with an error.`,
      heading: 'A function ends with errors',
      metric: this.function.metricErrors({ period, statistic: 'Sum' }),
      threshold: 1,
    });
    new RunbookAlarm(this, 'Throttles', {
      ...common,
      name: `${name}-throttles`,
      summary: `Function ${name} was refused room to run for a quarter of an hour.`,
      heading: 'A function is throttled',
      metric: this.function.metricThrottles({ period, statistic: 'Sum' }),
      threshold: 1,
      periods: 3,
    });
    new RunbookAlarm(this, 'Duration', {
      ...common,
      name: `${name}-duration`,
      summary: `Function ${name} took more than nine tenths of its ${timeout} seconds.`,
      heading: 'A function runs near its timeout',
      metric: this.function.metricDuration({ period, statistic: 'Maximum' }),
      threshold: timeout * 900,
    });
  }
}

/** What Lambda needs to put a function into a VPC: these actions know no resources. */
function networkGrant(): Grant {
  return {
    actions: [
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ],
    resources: ['*'],
    wildcard:
      'Lambda makes the function’s network interfaces with its role, and EC2 takes no narrower resource for describing them.',
  };
}
