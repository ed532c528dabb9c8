import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AlertsStack } from './stacks/alerts-stack.ts';
import { GateStack } from './stacks/gate-stack.ts';
import { LakeStack } from './stacks/lake-stack.ts';
import { NessieStack } from './stacks/nessie-stack.ts';
import { PartitionStack } from './stacks/partition-stack.ts';
import { ReportStack } from './stacks/report-stack.ts';
import { TablesStack } from './stacks/tables-stack.ts';
import { type StageLake, stageNames } from './stage-names.ts';

/** Folders with the bundles of a stage's functions, its configuration in each. */
export type StageCode = Record<'wap-audit' | 'notify' | 'maintenance' | 'partition-mgmt' | 'report' | 'tables', string>;

/** The stacks of one stage. */
export interface StageStacks {
  lake: LakeStack;
  alerts: AlertsStack;
  nessie?: NessieStack;
  gate: GateStack;
  /** With `partitions:` in lake.yaml. */
  partitions?: PartitionStack;
  /** With `reports:` in lake.yaml. */
  reports?: ReportStack;
  /** With `pipelines:` in lake.yaml. */
  tables?: TablesStack;
}

/** Puts a stage's stacks into the app, in the order in which they are deployed. */
export function addStage(app: App, lake: StageLake, code: StageCode): StageStacks {
  const { stage } = lake;
  const names = stageNames(lake);
  const of = (part: string, description: string) => ({
    stackName: names.of(part),
    description,
    env: { account: stage.account, region: stage.region },
    tags: { project: lake.name, stage: stage.name },
  });
  const data = new LakeStack(app, names.of('lake'), { lake, ...of('lake', `Data of the lake ${names.prefix}`) });
  const alerts = new AlertsStack(app, names.of('alerts'), {
    lake,
    code: code.notify,
    key: data.key,
    ...of('alerts', `Events and messages of the lake ${names.prefix}`),
  });
  alerts.addStackDependency(data);
  const nessie = stage.nessie
    ? new NessieStack(app, names.of('nessie'), {
        lake,
        kind: stage.nessie,
        ...(alerts.email && { email: alerts.email }),
        ...of('nessie', `Nessie catalogue of the lake ${names.prefix}`),
      })
    : undefined;
  nessie?.addStackDependency(data);
  const gate = new GateStack(app, names.of('gate'), {
    lake,
    code,
    notify: alerts.notify,
    ...(alerts.email && { email: alerts.email }),
    ...(nessie && { nessie: nessie.reach }),
    ...of('gate', `Write-audit-publish gate of the lake ${names.prefix}`),
  });
  gate.addStackDependency(data);
  gate.addStackDependency(alerts);
  if (nessie) gate.addStackDependency(nessie);
  const partitions = lake.partitions
    ? new PartitionStack(app, names.of('partitions'), {
        lake,
        partitions: lake.partitions,
        code: code['partition-mgmt'],
        ...(alerts.email && { email: alerts.email }),
        ...of('partitions', `Partitions of the raw databases of ${names.prefix}`),
      })
    : undefined;
  partitions?.addStackDependency(data);
  partitions?.addStackDependency(alerts);
  const reports =
    lake.reports?.cleanrooms || lake.reports?.monitor
      ? new ReportStack(app, names.of('reports'), {
          lake,
          reports: lake.reports,
          code: code.report,
          ...(alerts.email && { email: alerts.email }),
          ...(nessie && { nessie: nessie.reach }),
          ...of('reports', `Reports on the lake ${names.prefix}`),
        })
      : undefined;
  reports?.addStackDependency(data);
  reports?.addStackDependency(alerts);
  if (nessie) reports?.addStackDependency(nessie);
  const tables = lake.pipelines
    ? new TablesStack(app, names.of('tables'), {
        lake,
        pipelines: lake.pipelines,
        code: code.tables,
        key: data.key,
        ...(alerts.email && { email: alerts.email }),
        ...of('tables', `Tables of the wide snapshots of ${names.prefix}`),
      })
    : undefined;
  tables?.addStackDependency(data);
  tables?.addStackDependency(alerts);
  return {
    lake: data,
    alerts,
    gate,
    ...(nessie && { nessie }),
    ...(partitions && { partitions }),
    ...(reports && { reports }),
    ...(tables && { tables }),
  };
}

/** Has cdk-nag look at everything at synthesis, which fails on a finding that nobody has given a reason for. */
export function checkByNag(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
