import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import type { Grant } from './grants.ts';

const TABLES = 'lake.yaml names databases by pattern; their tables come and go without a deployment.';

/** Reading the managed databases' tables, and registering their partitions: what an event takes. */
export function registerPartitions(lake: StageLake, { databases }: PartitionsConfig): Grant[] {
  const { arn } = stageNames(lake);
  return [
    {
      actions: ['glue:GetDatabases'],
      resources: [arn('glue', 'catalog'), arn('glue', 'database/*')],
      wildcard:
        'Listing the names of all databases is how those that match are found; nothing else of the others is read.',
    },
    glue(lake, databases, ['glue:GetTables', 'glue:BatchCreatePartition']),
  ];
}

/** Besides, holding partitions against folders; taking them out or giving them their table's columns where lake.yaml asks for it. */
export function reconcilePartitions(lake: StageLake, partitions: PartitionsConfig): Grant[] {
  const some = [partitions, ...partitions.tables];
  const removes = some.some(({ remove }) => remove);
  const repairs = some.some(({ updateSchema }) => updateSchema);
  const actions = [
    'glue:GetPartitions',
    ...(removes || repairs ? ['glue:BatchGetPartition'] : []),
    ...(repairs ? ['glue:BatchUpdatePartition'] : []),
    ...(removes ? ['glue:BatchDeletePartition'] : []),
  ];
  return [...registerPartitions(lake, partitions), glue(lake, partitions.databases, actions)];
}

/** IAM's `*` is lake.yaml's: any text. */
function glue(lake: StageLake, databases: readonly string[], actions: readonly string[]): Grant {
  const { arn } = stageNames(lake);
  const names = databases.map((name) => name.toLowerCase());
  return {
    actions,
    resources: [
      arn('glue', 'catalog'),
      ...names.flatMap((name) => [arn('glue', `database/${name}`), arn('glue', `table/${name}/*`)]),
    ],
    wildcard: TABLES,
  };
}
