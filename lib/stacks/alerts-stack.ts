import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, ResourcePolicy, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { EVENT_SOURCE } from '../../src/notify/event-source.ts';
import { secretGrants } from '../constructs/catalog-grants.ts';
import { QueueWorker } from '../constructs/queue-worker.ts';
import { noteState } from '../constructs/storage-grants.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

export interface AlertsStackProps extends StackProps {
  lake: StageLake;
  /** Folder with the notify function's bundle. */
  code: string;
  /** Encrypts the topic of alarm e-mails. */
  key: IKey;
}

/** Who hears what: the bus that domain events go to, their archive, the function that tells people, and e-mail for alarms. */
export class AlertsStack extends Stack {
  /** Alarms go here where the stage names an address. */
  readonly email?: ITopic;
  readonly notify: QueueWorker;

  constructor(scope: Construct, id: string, { lake, code, key, ...props }: AlertsStackProps) {
    super(scope, id, props);
    const { stage, notify } = lake;
    const names = stageNames(lake);
    const bus = new EventBus(this, 'Bus', { eventBusName: names.bus, description: `Domain events of ${names.prefix}` });
    if (stage.alarmEmail !== undefined) this.email = this.topic(names.of('alarms'), stage.alarmEmail, key);
    this.archive(lake, bus);

    const secrets = [notify.slack?.tokenSecret, notify.teams?.webhook].filter((secret) => secret !== undefined);
    this.notify = new QueueWorker(this, 'Notify', {
      lake,
      name: 'notify',
      queueName: 'notify',
      description: 'Tells people in Slack and Teams what became of deliveries',
      code,
      memory: 512,
      timeout: 120,
      batchSize: 50,
      // Events of one batch are told together, by table.
      batchWindow: 10,
      concurrency: 2,
      attempts: 5,
      tooOld: 1800,
      headings: { dead: 'Messages to people were given up', old: 'Messages to people wait' },
      grants: [...noteState(lake), ...secretGrants(lake, secrets)],
      ...(this.email && { email: this.email }),
    });
    const { queue, dead } = this.notify.queue;
    const target = new SqsQueue(queue, { deadLetterQueue: dead, maxEventAge: Duration.hours(24) });
    new Rule(this, 'Events', {
      ruleName: names.of('notify-events'),
      description: 'Domain events to the notify function',
      eventBus: bus,
      eventPattern: { source: [EVENT_SOURCE] },
      targets: [target],
    });
    new Rule(this, 'Alarms', {
      ruleName: names.of('notify-alarms'),
      description: 'Alarms to the notify function, but for its own: it could not tell them',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        detail: {
          alarmName: ALARMING.map((part) => ({ prefix: names.of(`${part}-`) })),
          state: { value: ['ALARM', 'OK'] },
        },
      },
      targets: [target],
    });
  }

  private topic(topicName: string, address: string, key: IKey): Topic {
    const topic = new Topic(this, 'AlarmMail', { topicName, masterKey: key, enforceSSL: true });
    topic.addSubscription(new EmailSubscription(address));
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    return topic;
  }

  /** Every domain event as one line of a log group: what was told, and what would have been. */
  private archive(lake: StageLake, bus: EventBus): void {
    const names = stageNames(lake);
    const logGroup = new LogGroup(this, 'Archive', {
      logGroupName: names.archive,
      retention: lake.stage.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const policy = new ResourcePolicy(this, 'ArchivePolicy', {
      resourcePolicyName: names.of('events-to-logs'),
      policyStatements: [
        new PolicyStatement({
          principals: [
            new ServicePrincipal('events.amazonaws.com'),
            new ServicePrincipal('delivery.logs.amazonaws.com'),
          ],
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [names.arn('logs', `log-group:${names.archive}:*`)],
        }),
      ],
    });
    const rule = new Rule(this, 'ArchiveRule', {
      ruleName: names.of('archive'),
      description: 'Domain events to their log group',
      eventBus: bus,
      eventPattern: { source: [EVENT_SOURCE] },
      // CDK's own target brings a Lambda function to write the policy above.
      targets: [{ bind: () => ({ arn: names.arn('logs', `log-group:${names.archive}`) }) }],
    });
    rule.node.addDependency(logGroup, policy);
  }
}

/** Parts of a stage whose alarms are told in Slack too, as their alarms' names start. */
const ALARMING = ['gate', 'wap-audit', 'maintenance', 'table-upkeep', 'nessie', 'partition', 'report', 'tables'];
