import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { stageNames } from '../stage-names.ts';
import { LakegateFunction, type LakegateFunctionProps } from './lakegate-function.ts';
import { MonitoredQueue } from './monitored-queue.ts';

export interface QueueWorkerProps extends LakegateFunctionProps {
  /** End of the queue's name. */
  queueName: string;
  batchSize: number;
  /** Seconds that a batch waits to fill. */
  batchWindow: number;
  /** Invocations at the same time, at least 2. */
  concurrency: number;
  attempts: number;
  /** Seconds after which a waiting message is an alarm. */
  tooOld: number;
  headings: { dead: string; old: string };
}

/**
 * A message is hidden for as many timeouts of its worker, and the batch window: it must not come again while it is worked on, and what failed must
 * not wait long. AWS advises six, for functions that are throttled while messages wait in the poller's hands; a source with a maximum of invocations
 * takes no more messages than it can hand over.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export const VISIBILITY_TIMEOUTS = 2;

/** A function behind a queue: it is handed batches, answers which messages of a batch failed, and those alone come again. */
export class QueueWorker extends Construct {
  readonly queue: MonitoredQueue;
  readonly worker: LakegateFunction;

  constructor(scope: Construct, id: string, props: QueueWorkerProps) {
    super(scope, id);
    const names = stageNames(props.lake);
    const queueName = names.of(props.queueName);
    // A batch of more than ten has to wait a second at least.
    const window = Math.max(props.batchWindow, props.batchSize > 10 ? 1 : 0);
    this.queue = new MonitoredQueue(this, 'Queue', {
      name: queueName,
      visibility: VISIBILITY_TIMEOUTS * props.timeout + window,
      attempts: props.attempts,
      tooOld: props.tooOld,
      headings: props.headings,
      ...(props.email && { email: props.email }),
    });
    this.worker = new LakegateFunction(this, 'Worker', {
      ...props,
      grants: [
        {
          actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
          resources: [names.arn('sqs', queueName)],
        },
        ...props.grants,
      ],
    });
    const source = new EventSourceMapping(this, 'Source', {
      target: this.worker.function,
      eventSourceArn: this.queue.queue.queueArn,
      batchSize: props.batchSize,
      maxBatchingWindow: Duration.seconds(window),
      maxConcurrency: props.concurrency,
      reportBatchItemFailures: true,
    });
    source.node.addDependency(this.worker);
  }
}
