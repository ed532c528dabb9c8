import { catalogConfig, secretSource } from './catalogs.ts';
import { columnType } from './column-type.ts';
import { LAKE_NAME, tableDefaults } from './defaults.ts';
import { parseDuration } from './duration.ts';
import { type Environment, type Overrides, tokenVariable } from './environment.ts';
import { resolveFolder, sound } from './location.ts';
import type { CatalogConfig, LakeConfig, TableConfig } from './model.ts';
import { parsePartitionField } from './partition-field.ts';
import { partitionsConfig } from './partitions.ts';
import { pipelinesConfig } from './pipelines.ts';
import { normalizePrefix } from './prefix.ts';
import { reportsConfig } from './reports.ts';
import { ruleSpec } from './rule-spec.ts';
import type { LakeYaml } from './schema.ts';

export interface Origin {
  path: string;
  folder: string;
  env: Environment;
  overrides: Overrides;
  otherCatalogs: Readonly<Record<string, CatalogConfig>>;
}

type DefaultsYaml = NonNullable<LakeYaml['defaults']>;
type TableYaml = NonNullable<LakeYaml['tables']>[string];

/** A faultless lake.yaml in the terms of the program: absolute URLs, milliseconds, every default filled in. */
export function lakeConfig(lake: LakeYaml, origin: Origin): LakeConfig {
  const { folder, overrides } = origin;
  const raw = overrides.raw ?? sound(resolveFolder(lake.raw ?? './raw', folder));
  const warehouse = overrides.warehouse ?? sound(resolveFolder(lake.warehouse ?? './warehouse', folder));
  const region = origin.env.AWS_REGION ?? origin.env.AWS_DEFAULT_REGION;
  const own = Object.entries(lake.catalogs ?? { local: { type: 'sql' as const } }).map(([name, catalog]) => [
    name,
    catalogConfig(name, catalog, { folder, warehouse, ...(region && { region }) }),
  ]);
  const defaults = lake.defaults ?? {};
  const automatic = lake.auto_tables;
  const channel = overrides.channel ?? lake.notify?.slack?.channel;
  const webhook = secretSource(lake.notify?.teams?.webhook_env, lake.notify?.teams?.webhook_secret);
  return {
    source: origin.path,
    raw,
    warehouse,
    records:
      lake.records === undefined ? `${warehouse}.lakegate/deliveries/` : sound(resolveFolder(lake.records, folder)),
    defaultCatalog: lake.catalog ?? String(own[0]![0]),
    catalogs: { ...origin.otherCatalogs, ...Object.fromEntries(own) },
    tables: Object.entries(lake.tables ?? {}).map(([name, table]) => ({
      name,
      prefix: tablePrefix(table.from),
      ...tableSettings(table, defaults),
    })),
    ...(automatic && { autoTables: { namespace: automatic.namespace, ...tableSettings(automatic, defaults) } }),
    notify: {
      ...(channel !== undefined && {
        slack: { channel, tokenEnv: tokenVariable(origin.env, lake.notify?.slack?.token_env) },
      }),
      ...(webhook !== undefined && { teams: { webhook } }),
      suppressMs: 0,
    },
    ...(lake.partitions && { partitions: partitionsConfig(lake.partitions, `${warehouse}.lakegate/partitions/`) }),
    ...(lake.pipelines && {
      pipelines: pipelinesConfig(lake.pipelines, {
        folder,
        raw,
        base: sound(resolveFolder('.', folder)),
        tables: sound(resolveFolder('tables', folder)),
        runs: `${warehouse}.lakegate/tables/`,
      }),
    }),
    ...(lake.reports && { reports: reportsConfig(lake.reports, folder) }),
    name: lake.name ?? LAKE_NAME,
    stages: Object.keys(lake.stages ?? {}),
  };
}

/** The table's own setting, else that of `defaults:`, else the built-in one. `csv` and `properties` are merged key by key. */
function tableSettings(table: Omit<TableYaml, 'from'>, defaults: DefaultsYaml): Omit<TableConfig, 'name' | 'prefix'> {
  const builtIn = tableDefaults();
  const keepBranchFor = table.keep_branch_for ?? defaults.keep_branch_for;
  const rules = table.rules ?? defaults.rules;
  const owner = table.owner ?? defaults.owner;
  const channel = table.channel ?? defaults.channel;
  const csv = { ...defaults.csv, ...table.csv };
  return {
    ...(table.catalog !== undefined && { catalog: table.catalog }),
    format: table.format ?? defaults.format ?? builtIn.format,
    ingest: table.ingest ?? defaults.ingest ?? builtIn.ingest,
    mode: table.mode ?? builtIn.mode,
    schemaPolicy: table.schema ?? defaults.schema ?? builtIn.schemaPolicy,
    ...(table.columns && { columns: declaredColumns(table.columns) }),
    partitionBy: (table.partition_by ?? []).map((entry) => {
      const field = parsePartitionField(typeof entry === 'string' ? entry : entry.field);
      if ('fault' in field) throw new TypeError(field.fault);
      return typeof entry === 'string' || entry.name === undefined ? field : { ...field, name: entry.name };
    }),
    onFailure: table.on_failure ?? defaults.on_failure ?? builtIn.onFailure,
    keepBranchMs: (keepBranchFor === undefined ? undefined : parseDuration(keepBranchFor)) ?? builtIn.keepBranchMs,
    rules: rules === undefined ? builtIn.rules : rules.map(ruleSpec),
    ...(owner !== undefined && { owner }),
    ...(channel !== undefined && { channel }),
    csv: {
      delimiter: csv.delimiter ?? builtIn.csv.delimiter,
      quote: csv.quote ?? builtIn.csv.quote,
      header: csv.header ?? builtIn.csv.header,
      nullValue: csv.null_value === undefined ? builtIn.csv.nullValue : [csv.null_value].flat(),
    },
    properties: Object.fromEntries(
      Object.entries({ ...defaults.properties, ...table.properties }).map(([key, value]) => [key, String(value)]),
    ),
  };
}

function tablePrefix(from: string): string {
  const result = normalizePrefix(from);
  if ('fault' in result) throw new TypeError(result.fault);
  return result.prefix;
}

function declaredColumns(columns: NonNullable<TableYaml['columns']>): NonNullable<TableConfig['columns']> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => {
      const { type, required = false } = typeof column === 'string' ? { type: column } : column;
      return [name, { type: String(columnType(type)), required }];
    }),
  );
}
