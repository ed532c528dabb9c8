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
      // As AWS advises: six times the timeout, and the batch window. A message must not come again while it is worked on.
      visibility: 6 * props.timeout + window,
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
