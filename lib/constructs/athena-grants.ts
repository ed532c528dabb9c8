import { type StageLake, stageNames } from '../stage-names.ts';
import type { Grant } from './grants.ts';
import { writeResults } from './storage-grants.ts';

/** Running queries in the stage's workgroup, which alone says where their results go. */
export function athenaGrants(lake: StageLake): Grant[] {
  const { arn, workgroup } = stageNames(lake);
  return [
    {
      actions: [
        'athena:StartQueryExecution',
        'athena:GetQueryExecution',
        'athena:GetQueryResults',
        'athena:StopQueryExecution',
      ],
      resources: [arn('athena', `workgroup/${workgroup}`)],
    },
    { actions: ['athena:GetDataCatalog'], resources: [arn('athena', 'datacatalog/AwsDataCatalog')] },
    ...writeResults(lake),
  ];
}
