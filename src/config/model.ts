import type { Transform } from '../iceberg/model.ts';
import type { RuleSpec } from '../rules/rule.ts';

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
}

export interface CatalogConfig {
  type: 'sql';
  /** PyIceberg's uri: `sqlite:////abs/path.db`. */
  uri: string;
  /** `catalog_name` in the catalogue's rows. */
  catalogName: string;
  warehouse: string;
}

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
  slack?: { channel: string /** Name of the environment variable that holds the bot token. */; tokenEnv: string };
}
