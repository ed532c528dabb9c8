import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { QueueFacts } from '../doctor/stage-probe.ts';
import { awsFault, isMissing } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

/** How far back a figure of a queue's age still says something; SQS reports one a minute. Milliseconds. */
const RECENT_MS = 10 * 60_000;

/** Reads how full queues of SQS are. @param now milliseconds since the epoch, UTC */
export function queueReader(region: string, now: () => number): (name: string) => Promise<QueueFacts | undefined> {
  const sqs = new SQSClient(clientSettings(region));
  const cloudWatch = new CloudWatchClient(clientSettings(region));

  /** A queue does not tell its oldest message's age itself. */
  async function oldest(name: string): Promise<number | undefined> {
    const { Datapoints = [] } = await cloudWatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'AWS/SQS',
        MetricName: 'ApproximateAgeOfOldestMessage',
        Dimensions: [{ Name: 'QueueName', Value: name }],
        StartTime: new Date(now() - RECENT_MS),
        EndTime: new Date(now()),
        Period: 60,
        Statistics: ['Maximum'],
      }),
    );
    const byTime = Datapoints.toSorted((a, b) => (b.Timestamp?.getTime() ?? 0) - (a.Timestamp?.getTime() ?? 0));
    return byTime[0]?.Maximum;
  }

  return async (name) => {
    try {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const];
      const [{ Attributes }, oldestSeconds] = await Promise.all([
        sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames })),
        oldest(name),
      ]);
      return {
        waiting: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
        inHand: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
        ...(oldestSeconds !== undefined && { oldestSeconds }),
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw awsFault(error, `look at the queue ${name}`);
    }
  };
}
