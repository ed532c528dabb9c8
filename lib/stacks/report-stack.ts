import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { ReportsConfig } from '../../src/config/reports.ts';
import { REPORT_WANTED } from '../../src/notify/event-source.ts';
import { gateMetric } from '../constructs/gate-metrics.ts';
import { type FunctionNetwork, LakegateFunction } from '../constructs/lakegate-function.ts';
import { missedQueue } from '../constructs/missed-queue.ts';
import { cleanRoomsReading, monitorReading, reportWriting } from '../constructs/report-grants.ts';
import { RunbookAlarm } from '../constructs/runbook-alarm.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

export interface ReportStackProps extends StackProps {
  lake: StageLake;
  reports: ReportsConfig;
  /** Folder with the function's bundle. */
  code: string;
  email?: ITopic;
  /** Where a Nessie of our own is, and the network that leads there. */
  nessie?: { endpoint: string; network?: FunctionNetwork };
}

/** Seconds that a report may take: as long as Lambda lets it. Clean Rooms takes five requests a second, about two for each table. */
const TIMEOUT = 900;

/** Megabytes: footers of a few tables and a page of a few hundred rows. */
const MEMORY = 1024;

/** The reports that lake.yaml asks for: on schedule, and when an event on the bus asks for one, as a pipeline does at its end. */
export class ReportStack extends Stack {
  constructor(scope: Construct, id: string, { lake, reports, code, email, nessie, ...props }: ReportStackProps) {
    super(scope, id, props);
    const names = stageNames(lake);
    const { cleanrooms, monitor } = reports;
    const dead = missedQueue(this, 'Missed', {
      queueName: names.of('report-dead'),
      summary: 'A report failed twice or could not be started.',
      heading: 'Reports were not made',
      ...(email && { email }),
    });
    const report = new LakegateFunction(this, 'Report', {
      lake,
      name: 'report',
      description: 'Makes the Clean Rooms and data monitor reports',
      code,
      memory: MEMORY,
      timeout: TIMEOUT,
      grants: [
        ...reportWriting(lake),
        ...(cleanrooms ? cleanRoomsReading(lake, cleanrooms) : []),
        ...(monitor ? monitorReading(lake, monitor) : []),
        { actions: ['events:PutEvents'], resources: [names.arn('events', `event-bus/${names.bus}`)] },
      ],
      ...(email && { email }),
      ...(monitor && nessie && { environment: { NESSIE_ENDPOINT: nessie.endpoint } }),
      ...(monitor && nessie?.network && { network: nessie.network }),
    });
    report.function.configureAsyncInvoke({
      retryAttempts: 1,
      maxEventAge: Duration.hours(1),
      onFailure: new SqsDestination(dead),
    });
    const wanted = [...(cleanrooms ? ['cleanrooms'] : []), ...(monitor ? ['monitor'] : [])];
    const target = (event: RuleTargetInput) =>
      new LambdaFunction(report.function, { event, deadLetterQueue: dead, maxEventAge: Duration.hours(1) });
    for (const [name, settings] of Object.entries({ cleanrooms, monitor })) {
      if (settings === undefined) continue;
      new Rule(this, `Schedule-${name}`, {
        ruleName: names.of(`report-${name}`),
        description: `Makes the ${name} report`,
        // EventBridge counts in whole minutes.
        schedule: Schedule.rate(Duration.minutes(Math.round(settings.everyMs / 60_000))),
        targets: [target(RuleTargetInput.fromObject({ report: name }))],
      });
    }
    new Rule(this, 'Wanted', {
      ruleName: names.of('report-wanted'),
      description: 'Makes the report that an event on the bus asks for',
      eventBus: EventBus.fromEventBusName(this, 'Bus', names.bus),
      eventPattern: { detailType: [REPORT_WANTED], detail: { report: wanted } },
      targets: [target(RuleTargetInput.fromObject({ report: EventField.fromPath('$.detail.report') }))],
    });
    new RunbookAlarm(this, 'Unknowns', {
      name: names.of('report-unknowns'),
      summary: 'A report could not find everything out.',
      heading: 'Reports know less than they should',
      metric: gateMetric(lake, 'report', 'reportUnknowns', { statistic: 'Sum', period: Duration.minutes(5) }),
      threshold: 1,
      ...(email && { email }),
    });
  }
}
