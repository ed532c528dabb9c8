import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { type StageLake, stageNames } from '../stage-names.ts';
import { athenaGrants } from './athena-grants.ts';
import { upkeepGlueGrants } from './catalog-grants.ts';
import { LakegateMachine } from './lakegate-machine.ts';
import { writeLake } from './storage-grants.ts';
import { upkeepDefinition } from './upkeep-definition.ts';

export interface TableUpkeepProps {
  lake: StageLake;
  /** Name of the maintenance function. */
  planner: string;
  /** Nightly runs that could not be started. */
  dead: IQueue;
  email?: ITopic;
}

/** Tables at the same time: Athena runs 20 DDL and 20 to 200 DML queries for an account, and people want theirs. */
const CONCURRENCY = 2;

/** Athena's OPTIMIZE and VACUUM over the stage's Glue tables, every night. */
export class TableUpkeep extends LakegateMachine {
  constructor(scope: Construct, id: string, { lake, planner, dead, email }: TableUpkeepProps) {
    const names = stageNames(lake);
    const plannerArn = names.arn('lambda', `function:${planner}`);
    super(scope, id, {
      lake,
      part: 'table-upkeep',
      definition: upkeepDefinition({
        planner: plannerArn,
        workgroup: names.workgroup,
        bus: names.bus,
        concurrency: CONCURRENCY,
      }),
      grants: [
        { actions: ['lambda:InvokeFunction'], resources: [plannerArn] },
        { actions: ['events:PutEvents'], resources: [names.arn('events', `event-bus/${names.bus}`)] },
        ...athenaGrants(lake),
        ...upkeepGlueGrants(lake),
        ...writeLake(lake),
      ],
      failed: { summary: 'The nightly upkeep failed for some tables.', heading: 'Table upkeep failed' },
      late: {
        summary: 'The nightly upkeep was ended because it took too long.',
        heading: 'Table upkeep takes too long',
      },
      ...(email && { email }),
    });
    new Rule(this, 'Nightly', {
      ruleName: names.of('table-upkeep'),
      description: 'Compacts tables and removes what no snapshot needs',
      schedule: Schedule.cron({ minute: '17', hour: '2' }),
      targets: [new SfnStateMachine(this.stateMachine, { deadLetterQueue: dead, maxEventAge: Duration.hours(4) })],
    });
  }
}
