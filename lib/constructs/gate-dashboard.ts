import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  LogQueryWidget,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { type StageLake, stageNames } from '../stage-names.ts';
import { gateMetric } from './gate-metrics.ts';
import type { LakegateFunction } from './lakegate-function.ts';
import type { QueueWorker } from './queue-worker.ts';
import type { TableUpkeep } from './table-upkeep.ts';

export interface GateDashboardProps {
  lake: StageLake;
  wap: QueueWorker;
  notify: QueueWorker;
  maintenance: LakegateFunction;
  upkeep?: TableUpkeep;
}

const PERIOD = Duration.minutes(5);

/** One page for a stage: what became of deliveries first, then what carries them. */
export class GateDashboard extends Construct {
  constructor(scope: Construct, id: string, { lake, wap, notify, maintenance, upkeep }: GateDashboardProps) {
    super(scope, id);
    const names = stageNames(lake);
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: names.prefix,
      periodOverride: PeriodOverride.AUTO,
      defaultInterval: Duration.days(1),
    });
    const counts = (...metrics: Parameters<typeof gateMetric>[2][]) =>
      metrics.map((metric) => gateMetric(lake, 'wap-audit', metric, { statistic: 'Sum', period: PERIOD }));
    const latency = (statistic: string) => gateMetric(lake, 'wap-audit', 'latency', { statistic, period: PERIOD });
    dashboard.addWidgets(
      new TextWidget({
        markdown: `# ${names.prefix}\nDrops: \`${lake.raw}\` · tables: \`${lake.warehouse}\` · events: log group \`${names.archive}\``,
        width: 24,
        height: 2,
      }),
    );
    dashboard.addWidgets(
      graph('Deliveries', counts('published', 'rejected', 'errored', 'unrouted')),
      graph('Time from drop to end (ms)', [latency('p50'), latency('p99')]),
      graph('Published', counts('rows'), counts('bytes')),
    );
    dashboard.addWidgets(...queueGraphs('Drops', wap), ...queueGraphs('Messages to people', notify));
    if (lake.partitions !== undefined) dashboard.addWidgets(...partitionGraphs(lake));
    const functions = [wap.worker, notify.worker, maintenance].map(({ function: handler }) => handler);
    const of = { period: PERIOD };
    dashboard.addWidgets(
      graph(
        'Errors and throttles',
        functions.flatMap((handler) => [handler.metricErrors(of), handler.metricThrottles(of)]),
      ),
      graph(
        'Longest run (ms)',
        functions.map((handler) => handler.metricDuration({ ...of, statistic: 'Maximum' })),
      ),
      ...(upkeep
        ? [graph('Table upkeep', [upkeep.stateMachine.metricSucceeded(of), upkeep.stateMachine.metricFailed(of)])]
        : []),
    );
    dashboard.addWidgets(
      new LogQueryWidget({
        title: 'Last news',
        logGroupNames: [names.archive],
        queryLines: [
          'fields @timestamp, `detail-type` as event, detail.table as table, detail.file as file, detail.reason as reason',
          'filter event != "delivery.published"',
          'sort @timestamp desc',
          'limit 20',
        ],
        width: 24,
        height: 6,
      }),
    );
  }
}

/** What became of partitions, by schedule and by events, and what Glue was asked for it. */
function partitionGraphs(lake: StageLake): IWidget[] {
  const sums = (...metrics: Parameters<typeof gateMetric>[2][]) =>
    (['partition-mgmt', 'partition-events'] as const).flatMap((part) =>
      metrics.map((metric) => gateMetric(lake, part, metric, { statistic: 'Sum', period: PERIOD })),
    );
  return [
    graph('Partitions', sums('partitionsCreated', 'partitionsRejected')),
    graph('Partitions that were not taken, tables that failed', sums('partitionErrors', 'partitionTablesFailed')),
    graph('Requests to Glue', sums('glueCalls'), sums('glueThrottled')),
  ];
}

function queueGraphs(title: string, { queue: { queue, dead } }: QueueWorker): IWidget[] {
  const maximum = { period: PERIOD, statistic: 'Maximum' };
  return [
    graph(
      `${title}: waiting and given up`,
      [queue, dead].map((one) => one.metricApproximateNumberOfMessagesVisible(maximum)),
      [],
      6,
    ),
    graph(`${title}: age of the oldest (s)`, [queue.metricApproximateAgeOfOldestMessage(maximum)], [], 6),
  ];
}

function graph(title: string, left: IMetric[], right: IMetric[] = [], width = 8): GraphWidget {
  return new GraphWidget({ title, left, right, width, height: 6 });
}
