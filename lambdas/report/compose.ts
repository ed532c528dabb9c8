import { setTimeout as sleep } from 'node:timers/promises';
import { createAwsSource } from '../../src/reports/cleanrooms/aws.ts';
import { openGlueTables } from '../../src/reports/monitor/glue-tables.ts';
import type { StageLakeConfig } from '../stage-config.ts';
import type { ReportPorts } from './make-report.ts';

/** What the reports ask of AWS, in the stage's region unless lake.yaml names another. */
export function awsReportPorts({ stage, reports }: StageLakeConfig): Pick<ReportPorts, 'cleanRooms' | 'glue'> {
  const region = reports?.cleanrooms?.region ?? stage.region;
  return {
    cleanRooms: () =>
      createAwsSource({
        region,
        now: () => performance.now(),
        sleep: (ms) => sleep(ms),
        random: Math.random,
      }),
    glue: async () => openGlueTables(stage.region),
  };
}
