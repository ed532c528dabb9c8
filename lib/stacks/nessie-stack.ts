import { CfnOutput, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { FunctionNetwork } from '../constructs/lakegate-function.ts';
import { NessieFargate } from '../constructs/nessie-fargate.ts';
import { NessieLightsail } from '../constructs/nessie-lightsail.ts';
import { nessieTables } from '../constructs/nessie-settings.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

export interface NessieStackProps extends StackProps {
  lake: StageLake;
  kind: 'fargate' | 'lightsail';
  email?: ITopic;
}

/** A Nessie catalogue of the stage's own. Its versions are in DynamoDB, which outlives the stack: without them the tables' files say little. */
export class NessieStack extends Stack {
  /** How the gate's functions come to the server. */
  readonly reach: { endpoint: string; network?: FunctionNetwork };

  constructor(scope: Construct, id: string, { lake, kind, email, ...props }: NessieStackProps) {
    super(scope, id, props);
    const destroy = lake.stage.destroyData && this.node.tryGetContext('destroyData') === lake.stage.name;
    // As with databases: where the lake bucket is there already, so is its catalogue.
    const tables = lake.stage.buckets.lake.existing
      ? []
      : nessieTables(lake).names.map(
          (tableName) =>
            new Table(this, tableName.endsWith('_refs') ? 'References' : 'Objects', {
              tableName,
              partitionKey: { name: 'k', type: AttributeType.STRING },
              billingMode: BillingMode.PAY_PER_REQUEST,
              encryption: TableEncryption.AWS_MANAGED,
              pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
              deletionProtection: !destroy,
              removalPolicy: destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
            }),
        );
    const server =
      kind === 'fargate'
        ? new NessieFargate(this, 'Fargate', { lake, ...(email && { email }) })
        : new NessieLightsail(this, 'Lightsail', { lake });
    server.node.addDependency(...tables);
    this.reach = {
      endpoint: server.endpoint,
      ...(server instanceof NessieFargate && { network: server.network }),
    };
    new CfnOutput(this, 'Endpoint', { value: server.endpoint, description: `Nessie of ${stageNames(lake).prefix}` });
  }

  /** The first two zones that the account has: CloudFormation knows them, so that synthesis has to ask nobody. */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs(this.region)));
  }
}
