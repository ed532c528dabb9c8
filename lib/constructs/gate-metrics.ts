import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, METRICS_NAMESPACE } from '../../lambdas/metric-names.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

/** A metric that a function writes into its own log (EMF), over all tables. */
export function gateMetric(
  lake: StageLake,
  functionName: 'wap-audit' | 'notify' | 'maintenance' | 'partition-mgmt' | 'partition-events' | 'report',
  metric: keyof typeof METRICS,
  figure: { statistic: string; period: Duration },
): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName: METRICS[metric],
    dimensionsMap: { service: stageNames(lake).of(functionName) },
    ...figure,
  });
}
