import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { RunbookAlarm } from './runbook-alarm.ts';

export interface MissedQueueProps {
  queueName: string;
  /** What its messages are, in the alarm's sentence: `The pipelines could not be started.` */
  summary: string;
  /** Heading in the runbook. */
  heading: string;
  email?: ITopic;
}

/** A queue that keeps the events of runs that failed for good or never began, and an alarm on the first of them (`<id>Alarm`). */
export function missedQueue(
  scope: Construct,
  id: string,
  { queueName, summary, heading, email }: MissedQueueProps,
): Queue {
  const queue = new Queue(scope, id, {
    queueName,
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    // As long as SQS keeps anything: two weeks to find out what is wrong and send it back.
    retentionPeriod: Duration.days(14),
    removalPolicy: RemovalPolicy.DESTROY,
  });
  Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is a dead-letter queue itself.' });
  new RunbookAlarm(scope, `${id}Alarm`, {
    name: queueName,
    summary,
    heading,
    metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: 'Maximum' }),
    threshold: 1,
    ...(email && { email }),
  });
  return queue;
}
