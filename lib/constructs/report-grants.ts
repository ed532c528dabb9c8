import { type StageLake, stageNames } from '../stage-names.ts';
import { catalogGrants } from './catalog-grants.ts';
import type { Grant } from './grants.ts';
import { readRaw, writeLake, writeResults } from './storage-grants.ts';

/** Reading what Clean Rooms, Entity Resolution and Glue say of the tables of one database. Nothing is changed there. */
export function cleanRoomsReading(
  lake: StageLake,
  { database, region }: { database: string; region?: string },
): Grant[] {
  const { arn } = stageNames(lake);
  // The report may be about another region than the stage's.
  const at = (text: string) => text.replace(`:${lake.stage.region}:`, `:${region ?? lake.stage.region}:`);
  const rooms = (resource: string) => at(arn('cleanrooms', resource));
  const entities = (resource: string) => at(arn('entityresolution', resource));
  const glue = (resource: string) => at(arn('glue', resource));
  const anyAccount = (resource: string) => rooms(resource).replace(`:${lake.stage.account}:`, ':*:');
  return [
    {
      actions: ['cleanrooms:ListConfiguredTables', 'cleanrooms:ListMemberships'],
      resources: ['*'],
      wildcard: 'Listing what an account has knows no resources.',
    },
    {
      actions: [
        'cleanrooms:GetConfiguredTable',
        'cleanrooms:GetConfiguredTableAnalysisRule',
        'cleanrooms:GetConfiguredTableAssociationAnalysisRule',
        'cleanrooms:GetIdMappingTable',
        'cleanrooms:GetIdNamespaceAssociation',
        'cleanrooms:GetMembership',
        'cleanrooms:ListConfiguredTableAssociations',
        'cleanrooms:ListIdMappingTables',
        'cleanrooms:ListIdNamespaceAssociations',
      ],
      resources: [rooms('configuredtable/*'), rooms('membership/*')],
      wildcard: 'Tables and memberships are made by people in Clean Rooms, and their ids are known only there.',
    },
    {
      actions: [
        'cleanrooms:BatchGetSchemaAnalysisRule',
        'cleanrooms:GetCollaboration',
        'cleanrooms:GetSchema',
        'cleanrooms:GetSchemaAnalysisRule',
        'cleanrooms:ListMembers',
        'cleanrooms:ListSchemas',
      ],
      resources: [anyAccount('collaboration/*'), anyAccount('membership/*')],
      wildcard: 'A collaboration, and what others brought into it, belong to the accounts that made them.',
    },
    {
      actions: ['entityresolution:ListIdNamespaces', 'entityresolution:ListSchemaMappings'],
      resources: ['*'],
      wildcard: 'Listing what an account has knows no resources.',
    },
    {
      actions: ['entityresolution:GetIdNamespace', 'entityresolution:GetSchemaMapping'],
      resources: [entities('idnamespace/*'), entities('schemamapping/*')],
      wildcard: 'Namespaces and mappings are made by people in Entity Resolution; the report shows all of them.',
    },
    {
      actions: ['glue:GetTables'],
      resources: [glue('catalog'), glue(`database/${database}`), glue(`table/${database}/*`)],
      wildcard: 'Tables of the database come and go with its snapshots.',
    },
  ];
}

/** Reading tables, their files and their partitions, where lake.yaml says that they are. */
export function monitorReading(
  lake: StageLake,
  {
    databases,
    folders,
  }: { databases: readonly { name: string; buckets: readonly string[] }[]; folders: readonly string[] },
): Grant[] {
  const { arn, bucketArn } = stageNames(lake);
  const named = [
    ...folders.flatMap((url) => /^s3:\/\/([^/]+)\//.exec(url)?.[1] ?? []),
    ...databases.flatMap(({ buckets }) => buckets),
  ];
  const buckets = [...new Set(named)];
  const own = [lake.stage.buckets.raw.name, lake.stage.buckets.lake.name, lake.stage.buckets.results.name];
  const others = buckets.filter((name) => !own.includes(name));
  return [
    ...readRaw(lake),
    ...readOnly(writeLake(lake)),
    ...readOnly(catalogGrants(lake)),
    ...(databases.length === 0
      ? []
      : [
          {
            actions: ['glue:GetPartitions', 'glue:GetTables'],
            resources: [
              arn('glue', 'catalog'),
              ...databases.flatMap(({ name }) => [arn('glue', `database/${name}`), arn('glue', `table/${name}/*`)]),
            ],
            wildcard: 'Tables of the watched databases come and go.',
          },
        ]),
    ...(others.length === 0
      ? []
      : [
          { actions: ['s3:ListBucket'], resources: others.map((name) => bucketArn(name)) },
          {
            actions: ['s3:GetObject'],
            resources: others.map((name) => bucketArn(name, '*')),
            wildcard: 'Files are named by those who write the tables; the bucket is the boundary.',
          },
        ]),
  ];
}

/** Writing reports, and reading the ones before. */
export function reportWriting(lake: StageLake): Grant[] {
  return writeResults(lake);
}

/** What of these rights only reads. */
function readOnly(grants: readonly Grant[]): Grant[] {
  return grants
    .map((grant) => ({ ...grant, actions: grant.actions.filter((action) => /:(Get|List|Decrypt)/.test(action)) }))
    .filter(({ actions }) => actions.length > 0);
}
