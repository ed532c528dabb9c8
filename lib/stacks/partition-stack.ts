import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import { gateMetric } from '../constructs/gate-metrics.ts';
import type { Grant } from '../constructs/grants.ts';
import { LakegateFunction } from '../constructs/lakegate-function.ts';
import { reconcilePartitions, registerPartitions } from '../constructs/partition-grants.ts';
import { PartitionRuns } from '../constructs/partition-runs.ts';
import { QueueWorker } from '../constructs/queue-worker.ts';
import { RunbookAlarm } from '../constructs/runbook-alarm.ts';
import { listRaw, partitionState } from '../constructs/storage-grants.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

export interface PartitionStackProps extends StackProps {
  lake: StageLake;
  partitions: PartitionsConfig;
  /** Folder with the function's bundle. */
  code: string;
  email?: ITopic;
}

/** Seconds that a call for one database may take: as long as Lambda lets it. What is left is for the next call. */
const RUN_TIMEOUT = 900;

/** Seconds that a batch of events may take: some requests to Glue, more when it throttles. */
const EVENTS_TIMEOUT = 120;

/** Megabytes: a state of a thousand tables with a thousand partitions each, as text and as objects. */
const MEMORY = 1024;

/** Objects come in bursts of files for one partition: waiting a little makes one request of many. */
const BATCH = { batchSize: 1000, batchWindow: 5, concurrency: 4, attempts: 5 };

/** Seconds that an event may wait: the incremental run finds its partition by then. */
const TOO_OLD = 1800;

/** Partition management of the raw databases: by events within seconds, and by scheduled runs that find what no event told of. */
export class PartitionStack extends Stack {
  constructor(scope: Construct, id: string, { lake, partitions, code, email, ...props }: PartitionStackProps) {
    super(scope, id, props);
    const names = stageNames(lake);
    const buckets = [...new Set([lake.stage.buckets.raw.name, ...partitions.buckets])];
    const tell: Grant = { actions: ['events:PutEvents'], resources: [names.arn('events', `event-bus/${names.bus}`)] };
    const common = { lake, code, memory: MEMORY, ...(email && { email }) };
    // Two functions of one bundle: a queue waits twice its function's timeout before it hands a message over again, and an event needs fewer rights.
    const events = new QueueWorker(this, 'Events', {
      ...common,
      ...BATCH,
      name: 'partition-events',
      queueName: 'partition-events',
      description: 'Registers the partitions of objects that were created',
      timeout: EVENTS_TIMEOUT,
      tooOld: TOO_OLD,
      headings: { dead: 'Partition events were given up', old: 'Partition events wait' },
      grants: [...registerPartitions(lake, partitions), tell],
    });
    new Rule(this, 'Created', {
      ruleName: names.of('partition-events'),
      description: 'Objects created in raw buckets, to partition management',
      eventPattern: { source: ['aws.s3'], detailType: ['Object Created'], detail: { bucket: { name: buckets } } },
      targets: [
        new SqsQueue(events.queue.queue, { deadLetterQueue: events.queue.dead, maxEventAge: Duration.hours(24) }),
      ],
    });

    const worker = new LakegateFunction(this, 'Worker', {
      ...common,
      name: 'partition-mgmt',
      description: 'Lists the raw databases, and registers the partitions of each',
      timeout: RUN_TIMEOUT,
      grants: [...reconcilePartitions(lake, partitions), ...listRaw(lake, buckets), ...partitionState(lake), tell],
    });
    const runs = new PartitionRuns(this, 'Runs', {
      lake,
      partitions,
      worker: names.of('partition-mgmt'),
      ...(email && { email }),
    });
    runs.node.addDependency(worker);
    this.refusedAlarms(lake, email);
  }

  /** What Glue or the buckets refuse ends no function with an error: the others' partitions are registered all the same. */
  private refusedAlarms(lake: StageLake, email: ITopic | undefined): void {
    const figure = { statistic: 'Sum', period: Duration.minutes(5) };
    for (const part of ['partition-mgmt', 'partition-events'] as const) {
      for (const [metric, end, summary] of [
        ['partitionErrors', 'refused', 'Glue did not take partitions.'],
        ['partitionTablesFailed', 'tables-failed', 'Tables could not be looked at.'],
      ] as const) {
        new RunbookAlarm(this, `${part}-${end}`, {
          name: stageNames(lake).of(`${part}-${end}`),
          summary,
          heading: 'Partitions were refused',
          metric: gateMetric(lake, part, metric, figure),
          threshold: 1,
          ...(email && { email }),
        });
      }
    }
  }
}
