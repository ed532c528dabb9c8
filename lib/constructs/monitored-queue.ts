import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { RunbookAlarm } from './runbook-alarm.ts';

export interface MonitoredQueueProps {
  /** Physical name; the dead-letter queue's is `<name>-dead`. */
  name: string;
  /** Seconds that a message is hidden while it is worked on. */
  visibility: number;
  /** Receptions before a message goes to the dead-letter queue. */
  attempts: number;
  /** Seconds: when the oldest message is older than this, nobody is coming for it. */
  tooOld: number;
  /** Headings in the runbook. */
  headings: { dead: string; old: string };
  email?: ITopic;
}

/**
 * A queue with its dead-letter queue, and an alarm on each: messages that were given up, and messages that wait too long.
 * Encrypted with SQS's own keys: EventBridge can then write without a grant on a key, and no request to KMS is paid for each batch.
 */
export class MonitoredQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;

  constructor(scope: Construct, id: string, props: MonitoredQueueProps) {
    super(scope, id);
    const { name, attempts, email } = props;
    this.dead = new Queue(this, 'Dead', {
      queueName: `${name}-dead`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // As long as SQS keeps anything: two weeks to find out what is wrong and send it back.
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.queue = new Queue(this, 'Queue', {
      queueName: name,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(props.visibility),
      // Time in the queue counts against the time in the dead-letter queue.
      retentionPeriod: Duration.days(7),
      deadLetterQueue: { queue: this.dead, maxReceiveCount: attempts },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const common = { ...(email && { email }) };
    const period = Duration.minutes(1);
    new RunbookAlarm(this, 'DeadLetters', {
      ...common,
      name: `${name}-dead-letters`,
      summary: `Messages of ${name} were given up after ${attempts} attempts and wait in ${name}-dead.`,
      heading: props.headings.dead,
      metric: this.dead.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
      threshold: 1,
    });
    new RunbookAlarm(this, 'Age', {
      ...common,
      name: `${name}-age`,
      summary: `The oldest message of ${name} is older than ${props.tooOld} seconds.`,
      heading: props.headings.old,
      metric: this.queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum' }),
      threshold: props.tooOld,
      periods: 5,
    });
  }
}
