import type { Transform } from '../iceberg/model.ts';
import type { RuleSpec } from '../rules/rule.ts';
import type { PartitionsConfig } from './partitions-model.ts';
import type { PipelinesConfig } from './pipelines-model.ts';
import type { ReportsConfig } from './reports.ts';

/** lake.yaml, validated and with every default filled in. Paths are absolute URLs (`file:///…`). */
export interface LakeConfig {
  /** Where lake.yaml is, or undefined for the embedded default. */
  source?: string;
  /** The raw area: drops land under it. URL ending in `/`. */
  raw: string;
  /** Table files lie under it. URL ending in `/`. */
  warehouse: string;
  /** Delivery records lie under it. URL ending in `/`. */
  records: string;
  /** Catalogue used where a table or the command names none. */
  defaultCatalog: string;
  catalogs: Record<string, CatalogConfig>;
  tables: TableConfig[];
  /** With no lake.yaml (or `auto_tables`): a drop under `<raw>/<name>/` belongs to table `<namespace>.<name>` with these settings. */
  autoTables?: Omit<TableConfig, 'name' | 'prefix'> & { namespace: string };
  notify: NotifyConfig;
  reports?: ReportsConfig;
  /** Partitions of Glue databases; absent: none are managed. */
  partitions?: PartitionsConfig;
  /** Wide snapshots split into tables; absent: none are. */
  pipelines?: PipelinesConfig;
  /** Names stacks, buckets and functions: `<name>-<stage>-…`. Default: `lakegate`. */
  name: string;
  /** Names of the stages that lake.yaml describes. */
  stages: string[];
  /** The deployed stage that this configuration is for (`--stage`); absent on a laptop. */
  stage?: StageConfig;
}

export type CatalogConfig = SqlCatalogConfig | GlueCatalogConfig | RestCatalogConfig | NessieCatalogConfig;

/** PyIceberg's SqlCatalog on SQLite. */
export interface SqlCatalogConfig {
  type: 'sql';
  /** PyIceberg's uri: `sqlite:////abs/path.db`. */
  uri: string;
  /** `catalog_name` in the catalogue's rows. */
  catalogName: string;
  warehouse: string;
}

/** The AWS Glue Data Catalog by its own API. A namespace is a Glue database. */
export interface GlueCatalogConfig {
  type: 'glue';
  warehouse: string;
  region?: string;
  /** Account whose catalogue it is. Default: the caller's. */
  catalogId?: string;
}

/** An Iceberg REST catalogue; also Amazon S3 Tables and Glue's Iceberg endpoint, which are reached with SigV4. */
export interface RestCatalogConfig {
  type: 'rest';
  /** Without `/v1`. */
  uri: string;
  /** What the server calls the warehouse (its `warehouse` parameter): an S3 Tables bucket ARN, a Glue catalogue id, a name. */
  serverWarehouse?: string;
  /** Where new tables go, URL ending in `/`. Default: the server chooses (S3 Tables always does). */
  warehouse?: string;
  auth: CatalogAuth;
}

/** Project Nessie: branches of the whole catalogue, and Iceberg REST under `<uri>/iceberg`. */
export interface NessieCatalogConfig {
  type: 'nessie';
  /** Root of the server, without `/api/v2` or `/iceberg`. */
  uri: string;
  /** Branch that readers see. Default: `main`. */
  branch: string;
  serverWarehouse?: string;
  auth: CatalogAuth;
}

export type CatalogAuth =
  | { kind: 'none' }
  | { kind: 'bearer'; token: SecretSource }
  /** OAuth 2 client credentials. */
  | { kind: 'oauth2'; credential: SecretSource; serverUri?: string; scope?: string }
  | { kind: 'sigv4'; service: 'glue' | 's3tables' | 'execute-api'; region: string };

/** Where a secret is; never the secret itself. `secret`: name or ARN in Secrets Manager, `key`: a field where the entry is JSON. */
export type SecretSource = { env: string } | { secret: string; key?: string };

export interface TableConfig {
  /** `namespace.table`. */
  name: string;
  catalog?: string;
  /** Drops whose key starts with this belong to the table: relative to `raw`, ending in `/`. */
  prefix: string;
  /** By extension when 'auto'. */
  format: 'auto' | 'parquet' | 'csv' | 'jsonl';
  ingest: 'copy' | 'register';
  mode: 'append' | 'overwrite' | 'overwrite_partitions';
  schemaPolicy: 'strict' | 'add_columns';
  /** Declared columns for a new table: name → Iceberg type; undefined: from the first file. */
  columns?: Record<string, { type: string; required: boolean }>;
  partitionBy: { column: string; transform: Transform; name?: string }[];
  onFailure: 'keep_branch' | 'discard';
  /** Kept branches expire this long after the failure. Milliseconds. */
  keepBranchMs: number;
  rules: RuleSpec[];
  owner?: string;
  /** Slack channel for this table; the lake's otherwise. */
  channel?: string;
  csv: { delimiter: string; quote: string; header: boolean; nullValue: string[] };
  /** Extra Iceberg table properties set at creation. */
  properties: Record<string, string>;
}

export interface NotifyConfig {
  slack?: {
    channel: string;
    /** Name of the environment variable that holds the bot token. */
    tokenEnv: string;
    /** Where the token is on AWS. */
    tokenSecret?: SecretSource;
  };
  teams?: { webhook: SecretSource };
  /** The same trouble of the same table is not told again for this long. Milliseconds; 0: told each time. */
  suppressMs: number;
}

/** One deployment of the lake: its account, region, buckets and sizes. */
export interface StageConfig {
  /** `dev`, `beta`, `prod`: lower case letters, digits, hyphens. */
  name: string;
  /** Twelve digits. */
  account: string;
  region: string;
  buckets: Record<'raw' | 'lake' | 'results', BucketConfig>;
  gate: GateSizes;
  /** Days that logs are kept; one of CloudWatch's choices. */
  logDays: number;
  /** Hears of alarms, beside Slack. */
  alarmEmail?: string;
  /** Nessie as part of the deployment: on Fargate (private), or a Lightsail container service (cheap, public endpoint). */
  nessie?: 'fargate' | 'lightsail';
  /** Whether `cdk destroy` may delete data. Takes effect only together with the context flag `-c destroyData=<stage>`. */
  destroyData: boolean;
}

export interface BucketConfig {
  name: string;
  /** Is there already, and is only used: neither created nor deleted. */
  existing: boolean;
}

export interface GateSizes {
  /** Megabytes. */
  memory: number;
  /** Seconds that one invocation may take, at most 900. */
  timeout: number;
  /** Drops handed over at once, 1 to 10,000. */
  batchSize: number;
  /** Seconds a batch waits to fill, 1 to 300. */
  batchWindow: number;
  /** Invocations at the same time, at least 2 (the queue's `MaximumConcurrency`). */
  concurrency: number;
  /** Attempts before an event goes to the dead-letter queue. */
  attempts: number;
}
