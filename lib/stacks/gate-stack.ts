import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { athenaGrants } from '../constructs/athena-grants.ts';
import { catalogGrants, glueDatabases, glueListing } from '../constructs/catalog-grants.ts';
import { dropsPattern } from '../constructs/drops-pattern.ts';
import { GateDashboard } from '../constructs/gate-dashboard.ts';
import { gateMetric } from '../constructs/gate-metrics.ts';
import type { Grant } from '../constructs/grants.ts';
import { type FunctionNetwork, LakegateFunction } from '../constructs/lakegate-function.ts';
import { MaintenanceSchedules } from '../constructs/maintenance-schedules.ts';
import { missedQueue } from '../constructs/missed-queue.ts';
import { QueueWorker } from '../constructs/queue-worker.ts';
import { RunbookAlarm } from '../constructs/runbook-alarm.ts';
import { readRaw, writeLake } from '../constructs/storage-grants.ts';
import { TableUpkeep } from '../constructs/table-upkeep.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

export interface GateStackProps extends StackProps {
  lake: StageLake;
  /** Folders with the functions' bundles. */
  code: Record<'wap-audit' | 'maintenance', string>;
  /** The notify function's parts, for the dashboard. */
  notify: QueueWorker;
  email?: ITopic;
  /** Where a Nessie of our own is, and the network that leads there. */
  nessie?: { endpoint: string; network?: FunctionNetwork };
}

/** Seconds that a maintenance run may take: as long as Lambda lets it. */
const MAINTENANCE_TIMEOUT = 900;

/** Seconds that an event may wait before somebody should look: an hour, or two rounds of the slowest invocation. */
const TOO_OLD = 3600;

/** The gate: drops go from the raw bucket by EventBridge and a queue to the function that audits and publishes them; schedules tidy up. */
export class GateStack extends Stack {
  constructor(scope: Construct, id: string, { lake, code, notify, email, nessie, ...props }: GateStackProps) {
    super(scope, id, props);
    const names = stageNames(lake);
    const { gate } = lake.stage;
    const common = {
      lake,
      ...(nessie && { environment: { NESSIE_ENDPOINT: nessie.endpoint } }),
      ...(email && { email }),
      ...(nessie?.network && { network: nessie.network }),
    };
    const wap = new QueueWorker(this, 'WapAudit', {
      ...common,
      name: 'wap-audit',
      queueName: 'gate',
      description: 'Writes drops to a branch, audits them, publishes what passes',
      code: code['wap-audit'],
      memory: gate.memory,
      timeout: gate.timeout,
      batchSize: gate.batchSize,
      batchWindow: gate.batchWindow,
      concurrency: gate.concurrency,
      attempts: gate.attempts,
      tooOld: Math.max(TOO_OLD, 12 * gate.timeout),
      headings: { dead: 'Drops were given up', old: 'Drops wait' },
      grants: deliveryGrants(lake),
    });
    const { queue, dead } = wap.queue;
    new Rule(this, 'Drops', {
      ruleName: names.of('drops'),
      description: 'Objects created in the raw bucket, to the gate',
      eventPattern: dropsPattern(lake),
      // What cannot be put into the queue goes where given-up events go, in the same form: it is sent back in the same way.
      targets: [new SqsQueue(queue, { deadLetterQueue: dead, maxEventAge: Duration.hours(24) })],
    });

    const missed = missedQueue(this, 'MissedRuns', {
      queueName: names.of('maintenance-dead'),
      summary: 'Scheduled maintenance failed or could not be started.',
      heading: 'Maintenance did not run',
      ...(email && { email }),
    });
    const maintenance = new LakegateFunction(this, 'Maintenance', {
      ...common,
      name: 'maintenance',
      description: 'Takes up dead runs, finds drops that no event told of, expires branches and snapshots',
      code: code.maintenance,
      memory: gate.memory,
      timeout: MAINTENANCE_TIMEOUT,
      grants: [...deliveryGrants(lake), ...glueListing(lake)],
    });
    maintenance.function.configureAsyncInvoke({
      retryAttempts: 1,
      maxEventAge: Duration.hours(1),
      onFailure: new SqsDestination(missed),
    });
    new MaintenanceSchedules(this, 'Schedules', {
      handler: maintenance.function,
      name: names.of('maintenance'),
      dead: missed,
    });
    const upkeep =
      glueDatabases(lake).length > 0
        ? new TableUpkeep(this, 'TableUpkeep', {
            lake,
            planner: names.of('maintenance'),
            dead: missed,
            ...(email && { email }),
          })
        : undefined;
    upkeep?.node.addDependency(maintenance);

    this.outcomeAlarms(lake, email);
    new GateDashboard(this, 'Dashboard', { lake, wap, notify, maintenance, ...(upkeep && { upkeep }) });
  }

  /** What the functions say of their own work, beside what AWS says of them. */
  private outcomeAlarms(lake: StageLake, email: ITopic | undefined): void {
    const names = stageNames(lake);
    const figure = { statistic: 'Sum', period: Duration.minutes(5) };
    const common = { threshold: 1, ...(email && { email }) };
    new RunbookAlarm(this, 'Errored', {
      ...common,
      name: names.of('wap-audit-errored'),
      summary: 'Deliveries ended in state errored: they could not be checked, and nothing of them is on main.',
      heading: 'Deliveries ended in error',
      metric: gateMetric(lake, 'wap-audit', 'errored', figure),
    });
    new RunbookAlarm(this, 'Untold', {
      ...common,
      name: names.of('wap-audit-untold'),
      summary: 'The event bus did not take what became of deliveries.',
      heading: 'Events were not told',
      metric: gateMetric(lake, 'wap-audit', 'eventsUntold', figure),
    });
    new RunbookAlarm(this, 'TasksFailed', {
      ...common,
      name: names.of('maintenance-tasks-failed'),
      summary: 'Maintenance could not do a part of its work.',
      heading: 'Maintenance left work undone',
      metric: gateMetric(lake, 'maintenance', 'tasksFailed', figure),
    });
  }
}

/** What taking a delivery from its drop to main needs. */
function deliveryGrants(lake: StageLake): Grant[] {
  const { arn, bus } = stageNames(lake);
  const hasSql = [...lake.tables, ...(lake.autoTables ? [lake.autoTables] : [])].some(({ rules }) =>
    rules.some(({ rule }) => rule === 'sql'),
  );
  return [
    ...readRaw(lake),
    ...writeLake(lake),
    ...catalogGrants(lake),
    ...(hasSql ? athenaGrants(lake) : []),
    { actions: ['events:PutEvents'], resources: [arn('events', `event-bus/${bus}`)] },
  ];
}
