import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DnsRecordType, PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type StageLake, stageNames } from '../stage-names.ts';
import { allow } from './grants.ts';
import type { FunctionNetwork } from './lakegate-function.ts';
import { NESSIE_IMAGE, NESSIE_PORT, nessieEnvironment, nessieGrants } from './nessie-settings.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

export interface NessieFargateProps {
  lake: StageLake;
  email?: ITopic;
}

/**
 * Nessie in a network of its own, reached by the gate's functions alone: no public address, found by a private DNS name.
 * A load balancer would cost more than the server; the server keeps nothing, so a name that leads to the running task is enough.
 */
export class NessieFargate extends Construct {
  readonly endpoint: string;
  /** Functions in it reach the server. */
  readonly network: FunctionNetwork;

  constructor(scope: Construct, id: string, { lake, email }: NessieFargateProps) {
    super(scope, id);
    const names = stageNames(lake);
    const vpc = this.privateNetwork(lake);
    const clients = new SecurityGroup(this, 'Clients', { vpc, description: `May reach ${names.of('nessie')}` });
    const server = new SecurityGroup(this, 'Server', { vpc, description: names.of('nessie') });
    server.addIngressRule(Peer.securityGroupId(clients.securityGroupId), Port.tcp(NESSIE_PORT), 'The gate');
    this.network = { vpc, securityGroup: clients };

    const namespace = new PrivateDnsNamespace(this, 'Names', { vpc, name: `${names.prefix}.internal` });
    const cluster = new Cluster(this, 'Cluster', {
      vpc,
      clusterName: names.of('nessie'),
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    const service = new FargateService(this, 'Service', {
      cluster,
      serviceName: names.of('nessie'),
      taskDefinition: this.task(lake),
      desiredCount: 1,
      // A new task serves before the old one goes.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      assignPublicIp: false,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [server],
      cloudMapOptions: {
        cloudMapNamespace: namespace,
        name: 'nessie',
        dnsRecordType: DnsRecordType.A,
        dnsTtl: Duration.seconds(10),
      },
      propagateTags: PropagatedTagSource.SERVICE,
    });
    this.endpoint = `http://nessie.${names.prefix}.internal:${NESSIE_PORT}`;
    new RunbookAlarm(this, 'Down', {
      name: names.of('nessie-down'),
      summary: 'No Nessie server runs: drops wait in the queue.',
      heading: 'Nessie is down',
      metric: new Metric({
        namespace: 'ECS/ContainerInsights',
        metricName: 'RunningTaskCount',
        dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: service.serviceName },
        statistic: 'Minimum',
        period: Duration.minutes(1),
      }),
      threshold: 1,
      below: true,
      periods: 5,
      ...(email && { email }),
    });
  }

  /** Two zones, one NAT gateway for the image and AWS's interfaces, and free ways to S3 and DynamoDB. */
  private privateNetwork(lake: StageLake): Vpc {
    const names = stageNames(lake);
    const flowLogs = new LogGroup(this, 'FlowLogs', {
      logGroupName: `/aws/vpc/${names.of('nessie')}`,
      retention: lake.stage.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const vpc = new Vpc(this, 'Vpc', {
      vpcName: names.of('nessie'),
      maxAzs: 2,
      natGateways: 1,
      // CDK empties the default group by a Lambda function; nothing of ours is in that group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false, cidrMask: 26 },
        { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      ],
      gatewayEndpoints: {
        s3: { service: GatewayVpcEndpointAwsService.S3 },
        dynamodb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
    });
    vpc.addFlowLog('Flow', {
      destination: FlowLogDestination.toCloudWatchLogs(flowLogs),
      trafficType: FlowLogTrafficType.REJECT,
    });
    return vpc;
  }

  private task(lake: StageLake): FargateTaskDefinition {
    const names = stageNames(lake);
    const principal = new ServicePrincipal('ecs-tasks.amazonaws.com');
    const taskRole = new Role(this, 'TaskRole', { assumedBy: principal });
    allow(taskRole, nessieGrants(lake));
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/ecs/${names.of('nessie')}`,
      retention: lake.stage.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const task = new FargateTaskDefinition(this, 'Task', {
      family: names.of('nessie'),
      cpu: 512,
      memoryLimitMiB: 1024,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      taskRole,
      executionRole: new Role(this, 'StartRole', { assumedBy: principal }),
    });
    task.addContainer('nessie', {
      image: ContainerImage.fromRegistry(NESSIE_IMAGE),
      environment: nessieEnvironment(lake),
      portMappings: [{ containerPort: NESSIE_PORT }],
      logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'nessie' }),
    });
    Validations.of(task).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason: 'The variables are settings; the server takes its credentials from its role and has no secrets.',
    });
    return task;
  }
}
