import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS_NAMESPACE } from './lakegate-function.ts';

/** The functions' own metrics, as their logs carry them (EMF). The names are those of lambdas/. */
export const GATE_METRICS = {
  published: 'DeliveriesPublished',
  rejected: 'DeliveriesRejected',
  errored: 'DeliveriesErrored',
  unrouted: 'DropsUnrouted',
  rows: 'RowsPublished',
  bytes: 'BytesPublished',
  latency: 'DeliveryLatency',
} as const;

/** A metric of one function, over all tables. */
export function gateMetric(
  service: string,
  metric: keyof typeof GATE_METRICS,
  { statistic, period }: { statistic: string; period: Duration },
): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName: GATE_METRICS[metric],
    dimensionsMap: { service },
    statistic,
    period,
  });
}
