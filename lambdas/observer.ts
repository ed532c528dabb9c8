import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { LakegateError } from '../src/errors.ts';
import { METRIC_UNITS, METRICS_NAMESPACE, type MetricName } from './metric-names.ts';

/** Values that go into a log line; errors among them are written out. */
type Fields = Readonly<Record<string, unknown>>;

/** What a function says of its work: log lines with stable names, and metrics. */
export interface Observer {
  /** @param event stable name, `delivery-ended` */
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** Metrics of one moment; several values of a name are kept apart. Nothing is written for a count of 0. */
  measure(values: Partial<Record<MetricName, number | readonly number[]>>, dimensions?: { table: string }): void;
}

/**
 * Structured logs (JSON lines) and metrics in the embedded metric format through Powertools.
 * The metrics' dimension is `service`, the function's own name (POWERTOOLS_SERVICE_NAME).
 * @param lake `<name>-<stage>`, said in every log line
 */
export function createObserver(lake: string): { observer: Observer; begin(context: Context): void } {
  const logger = new Logger({ persistentKeys: { lake } });
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (event: string, fields: Fields = {}) =>
      logger[level](event, Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)])));
  return {
    begin: (context) => logger.addContext(context),
    observer: {
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      measure(values, dimensions) {
        // Once over all tables, which is what alarms look at, and once for the table: Powertools leaves the first set out where there is a second.
        for (const own of dimensions ? [undefined, dimensions] : [undefined]) {
          const metrics = new Metrics({ namespace: METRICS_NAMESPACE });
          if (own) metrics.addDimensions(own);
          for (const [name, value] of Object.entries(values) as [MetricName, number | readonly number[]][]) {
            for (const each of typeof value === 'number' ? [value] : value) {
              if (each === 0 && METRIC_UNITS[name] === undefined) continue;
              metrics.addMetric(name, METRIC_UNITS[name] ?? 'Count', each);
            }
          }
          if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
        }
      },
    },
  };
}

/** Our errors say all that matters in a few fields; a stack and causes only where a bug may be behind it. */
function plain(value: unknown): unknown {
  if (!(value instanceof LakegateError) || value.kind === 'internal') return value;
  const { kind, message, retryable, context, cause } = value;
  const why = cause instanceof Error ? { cause: `${cause.name}: ${cause.message}` } : {};
  return { kind, message, retryable, ...(Object.keys(context).length > 0 && { context }), ...why };
}
