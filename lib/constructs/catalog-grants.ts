import type { CatalogConfig, SecretSource } from '../../src/config/model.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import type { Grant } from './grants.ts';

/** A table's catalogue on this stage, its namespace and its own name; a lake's automatic tables have no names yet. */
interface TablePlace {
  catalog: CatalogConfig;
  namespace: string;
  table?: string;
}

/** Where the tables of a stage lie. */
function tablePlaces(lake: StageLake): TablePlace[] {
  const catalogOf = (name: string | undefined) => lake.catalogs[name ?? lake.defaultCatalog]!;
  return [
    ...lake.tables.map(({ name, catalog }) => {
      const end = name.lastIndexOf('.');
      return { catalog: catalogOf(catalog), namespace: name.slice(0, end), table: name.slice(end + 1) };
    }),
    ...(lake.autoTables ? [{ catalog: catalogOf(lake.autoTables.catalog), namespace: lake.autoTables.namespace }] : []),
  ];
}

/** Glue databases of the stage's own account that its tables lie in, sorted. */
export function glueDatabases(lake: StageLake): string[] {
  const own = tablePlaces(lake).filter(({ catalog }) => isOwnGlue(lake, catalog));
  return [...new Set(own.map(({ namespace }) => namespace))].sort();
}

function isOwnGlue({ stage }: StageLake, catalog: CatalogConfig): boolean {
  return (
    catalog.type === 'glue' &&
    (catalog.catalogId ?? stage.account) === stage.account &&
    (catalog.region ?? stage.region) === stage.region
  );
}

/** The catalogues that tables of the stage lie in, with secrets that open them. */
export function usedCatalogs(lake: StageLake): CatalogConfig[] {
  return [...new Set(tablePlaces(lake).map(({ catalog }) => catalog))];
}

/** What creating, loading and committing the stage's tables takes. */
export function catalogGrants(lake: StageLake): Grant[] {
  return usedCatalogs(lake).flatMap((catalog): Grant[] => {
    if (catalog.type === 'glue') {
      return [glueGrant(lake, catalog, catalog.catalogId ?? lake.stage.account, catalog.region ?? lake.stage.region)];
    }
    if (catalog.type === 'sql') return [];
    const secrets = catalog.auth.kind === 'bearer' ? [catalog.auth.token] : [];
    if (catalog.auth.kind === 'oauth2') secrets.push(catalog.auth.credential);
    const signed = catalog.auth.kind === 'sigv4' && catalog.type === 'rest' ? signedGrant(lake, catalog) : [];
    return [...signed, ...secretGrants(lake, secrets)];
  });
}

/** Tables by name where lake.yaml names them; all of a database where its tables are made of the folders that appear. */
function glueGrant(lake: StageLake, catalog: CatalogConfig, account: string, region: string): Grant {
  const { stage } = lake;
  const there = (resource: string) =>
    stageNames({ ...lake, stage: { ...stage, account, region } }).arn('glue', resource);
  const places = tablePlaces(lake).filter((place) => place.catalog === catalog);
  const resources = places.flatMap(({ namespace, table }) => [
    there(`database/${namespace}`),
    there(`table/${namespace}/${table ?? '*'}`),
  ]);
  return {
    actions: [
      'glue:GetDatabase',
      // The gate makes a database that is missing; the stack makes those that it knows to be new.
      'glue:CreateDatabase',
      'glue:GetTable',
      'glue:CreateTable',
      'glue:UpdateTable',
    ],
    resources: [there('catalog'), ...new Set(resources)],
    ...(places.some(({ table }) => table === undefined) && {
      wildcard: 'Tables of this database are named by the folders that people drop into.',
    }),
  };
}

/** Amazon S3 Tables, Glue's own Iceberg endpoint, or a catalogue behind API Gateway. */
function signedGrant(lake: StageLake, catalog: Extract<CatalogConfig, { type: 'rest' }>): Grant[] {
  const { auth } = catalog;
  if (auth.kind !== 'sigv4') return [];
  if (auth.service === 's3tables') {
    const bucket = catalog.serverWarehouse!;
    return [
      {
        actions: [
          's3tables:GetTableBucket',
          's3tables:ListNamespaces',
          's3tables:GetNamespace',
          's3tables:CreateNamespace',
          's3tables:ListTables',
        ],
        resources: [bucket],
      },
      {
        actions: [
          's3tables:CreateTable',
          's3tables:GetTable',
          's3tables:GetTableMetadataLocation',
          's3tables:UpdateTableMetadataLocation',
          's3tables:GetTableData',
          's3tables:PutTableData',
        ],
        resources: [bucket, `${bucket}/table/*`],
        wildcard: 'S3 Tables names its tables by ids that it draws when they are created.',
      },
    ];
  }
  if (auth.service === 'glue') return [glueGrant(lake, catalog, lake.stage.account, auth.region)];
  const api = new URL(catalog.uri).hostname.split('.')[0]!;
  return [
    {
      actions: ['execute-api:Invoke'],
      resources: [stageNames(lake).arn('execute-api', `${api}/*`)],
      wildcard: 'The paths of Iceberg’s REST interface name its tables; the API is the boundary.',
    },
  ];
}

/**
 * Reading secrets by name. Secrets Manager ends an ARN with six characters that it draws, so a name is followed by six single wildcards.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
 */
export function secretGrants(lake: StageLake, sources: readonly SecretSource[]): Grant[] {
  const { arn } = stageNames(lake);
  const resources = sources.flatMap((source) => {
    if (!('secret' in source)) return [];
    return [source.secret.startsWith('arn:') ? source.secret : arn('secretsmanager', `secret:${source.secret}-??????`)];
  });
  return resources.length === 0
    ? []
    : [{ actions: ['secretsmanager:GetSecretValue'], resources: [...new Set(resources)] }];
}

/** What Athena takes from Glue to rewrite the tables of the stage's own account; nothing where none lies there. */
export function upkeepGlueGrants(lake: StageLake): Grant[] {
  return usedCatalogs(lake)
    .filter((catalog) => isOwnGlue(lake, catalog))
    .map((catalog) => glueGrant(lake, catalog, lake.stage.account, lake.stage.region))
    .map((grant) => ({
      ...grant,
      actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetTables', 'glue:UpdateTable'],
    }));
}

/** Listing the tables that drops made by themselves; those that lake.yaml names are asked for by name. */
export function glueListing(lake: StageLake): Grant[] {
  const { arn } = stageNames(lake);
  const places = tablePlaces(lake).filter(({ table, catalog }) => table === undefined && isOwnGlue(lake, catalog));
  if (places.length === 0) return [];
  return [
    {
      actions: ['glue:GetTables'],
      resources: [
        arn('glue', 'catalog'),
        ...places.flatMap(({ namespace }) => [
          arn('glue', `database/${namespace}`),
          arn('glue', `table/${namespace}/*`),
        ]),
      ],
      wildcard: 'Tables of this database are named by the folders that people drop into.',
    },
  ];
}
