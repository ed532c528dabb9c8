import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as Handler } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** What the maintenance function is asked to do, how often. Each run is bounded and takes up where the last one stopped. */
const SCHEDULES = [
  { mode: 'resume', every: Duration.minutes(15), does: 'Takes up deliveries whose run died' },
  {
    mode: 'reconcile',
    every: Duration.hours(1),
    does: 'Delivers drops that no event told of, reports those that no table claims',
  },
  { mode: 'expire', every: Duration.days(1), does: 'Expires kept branches and old snapshots' },
] as const;

export interface MaintenanceSchedulesProps {
  handler: Handler;
  /** Start of the rules' names. */
  name: string;
  /** Runs that could not be started. */
  dead: IQueue;
}

/** The schedules of the maintenance function. */
export class MaintenanceSchedules extends Construct {
  constructor(scope: Construct, id: string, { handler, name, dead }: MaintenanceSchedulesProps) {
    super(scope, id);
    for (const { mode, every, does } of SCHEDULES) {
      new Rule(this, mode, {
        ruleName: `${name}-${mode}`,
        description: does,
        schedule: Schedule.rate(every),
        targets: [
          new LambdaFunction(handler, {
            event: RuleTargetInput.fromObject({ mode }),
            deadLetterQueue: dead,
            // The next run does the same work: an old one is not worth waiting for.
            maxEventAge: every.toMilliseconds() < Duration.hours(24).toMilliseconds() ? every : Duration.hours(24),
            retryAttempts: 2,
          }),
        ],
      });
    }
  }
}
