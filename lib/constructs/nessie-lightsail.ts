import { Annotations, Fn } from 'aws-cdk-lib';
import { CfnAccessKey, Policy, PolicyStatement, User } from 'aws-cdk-lib/aws-iam';
import { CfnContainer } from 'aws-cdk-lib/aws-lightsail';
import { Construct } from 'constructs';
import { type StageLake, stageNames } from '../stage-names.ts';
import { acknowledgeWildcard } from './grants.ts';
import { NESSIE_IMAGE, NESSIE_PORT, nessieEnvironment, nessieGrants } from './nessie-settings.ts';

/**
 * Nessie as a Lightsail container service: the cheap choice, for trying things out. Its address is public, and a server without an identity
 * provider lets everybody in who knows it; Lightsail has no roles either, so a user of its own with one key stands in for one.
 */
export class NessieLightsail extends Construct {
  /** Known when it is deployed. */
  readonly endpoint: string;

  constructor(scope: Construct, id: string, { lake }: { lake: StageLake }) {
    super(scope, id);
    const names = stageNames(lake);
    const user = new User(this, 'User', { userName: names.of('nessie') });
    const policy = new Policy(this, 'Grants', { users: [user] });
    for (const { actions, resources, conditions, wildcard } of nessieGrants(lake)) {
      policy.addStatements(
        new PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions && { conditions }) }),
      );
      for (const resource of resources) if (wildcard) acknowledgeWildcard(policy, resource, wildcard);
    }
    const key = new CfnAccessKey(this, 'Key', { userName: user.userName });
    const environment = {
      ...nessieEnvironment(lake),
      AWS_ACCESS_KEY_ID: key.ref,
      AWS_SECRET_ACCESS_KEY: key.attrSecretAccessKey,
    };
    const service = new CfnContainer(this, 'Service', {
      serviceName: names.of('nessie'),
      power: 'micro',
      scale: 1,
      containerServiceDeployment: {
        containers: [
          {
            containerName: 'nessie',
            image: NESSIE_IMAGE,
            environment: Object.entries(environment).map(([variable, value]) => ({ variable, value })),
            ports: [{ port: String(NESSIE_PORT), protocol: 'HTTP' }],
          },
        ],
        publicEndpoint: {
          containerName: 'nessie',
          containerPort: NESSIE_PORT,
          healthCheckConfig: { path: '/api/v2/config', successCodes: '200' },
        },
      },
    });
    service.node.addDependency(policy);
    // Lightsail ends the address with a slash.
    this.endpoint = Fn.join('', ['https://', Fn.select(2, Fn.split('/', service.attrUrl))]);
    Annotations.of(this).addWarningV2(
      'lakegate:nessie-is-public',
      `Nessie of stage ${lake.stage.name} is public: whoever knows its address can change the catalogue. For data that matters, use \`nessie: fargate\``,
    );
  }
}
