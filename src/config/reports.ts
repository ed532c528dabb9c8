import { parseDuration } from './duration.ts';
import { monitorConfig } from './monitor.ts';
import type { MonitorConfig } from './monitor-model.ts';
import type { LakeYaml } from './schema.ts';

/** The reports that a lake has. */
export interface ReportsConfig {
  cleanrooms?: CleanRoomsReportConfig;
  monitor?: MonitorConfig;
}

/** What the Clean Rooms report is about, and how its files are called. */
export interface CleanRoomsReportConfig {
  /** Glue database, in lower case as Glue keeps it: rights on it are by this name. */
  database: string;
  /** Tables whose names start with this are reported. */
  tablePrefix: string;
  /** Tables left out, lower case. */
  skipTables: string[];
  /** Tables that `report check` demands; absent: every table of the report. */
  mustBeReady?: string[];
  /** Id of the one membership; absent: every active one. */
  membership?: string;
  region?: string;
  /** What associations' names have before the table's. */
  associationPrefix: string;
  /** Names of the ID namespaces that are reported; absent: all. */
  idNamespaces?: string[];
  /** Schema mapping of input sources that name none. */
  schemaMapping: string;
  /** Account id → description. */
  accounts: Record<string, string>;
  namePrefix: string;
  naming: 'timestamp' | 'day';
  /** Absent: where a run covers several memberships. */
  collaborationInName?: boolean;
  /** Folder in the results bucket, ending in `/`. */
  folder: string;
  /** Milliseconds between scheduled runs. */
  everyMs: number;
  channel?: string;
}

const DAY_MS = 24 * 60 * 60_000;

/** `reports:` of a faultless lake.yaml, with every default filled in. @param folder absolute path that relative folders start from */
export function reportsConfig(reports: NonNullable<LakeYaml['reports']>, folder: string): ReportsConfig {
  const { cleanrooms, monitor } = reports;
  return {
    ...(cleanrooms && { cleanrooms: cleanRoomsConfig(cleanrooms) }),
    ...(monitor && { monitor: monitorConfig(monitor, folder) }),
  };
}

type CleanRoomsYaml = NonNullable<NonNullable<LakeYaml['reports']>['cleanrooms']>;

function cleanRoomsConfig(yaml: CleanRoomsYaml): CleanRoomsReportConfig {
  return {
    database: yaml.database.toLowerCase(),
    tablePrefix: yaml.table_prefix ?? 'part_',
    skipTables: (yaml.skip_tables ?? ['part_addressable_ids', 'part_addressable_ids_er']).map((name) =>
      name.toLowerCase(),
    ),
    ...(yaml.must_be_ready && { mustBeReady: yaml.must_be_ready }),
    ...(yaml.membership !== undefined && { membership: yaml.membership }),
    ...(yaml.region !== undefined && { region: yaml.region }),
    associationPrefix: yaml.association_prefix ?? 'acx_',
    ...(yaml.id_namespaces && { idNamespaces: yaml.id_namespaces }),
    schemaMapping: yaml.schema_mapping ?? 'ACX_SCHEMA',
    accounts: yaml.accounts ?? {},
    namePrefix: yaml.name_prefix ?? 'ACX',
    naming: yaml.naming ?? 'timestamp',
    ...(yaml.collaboration_in_name !== undefined && { collaborationInName: yaml.collaboration_in_name }),
    folder: `${(yaml.folder ?? 'cleanrooms-reports').replace(/\/+$/, '')}/`,
    everyMs: (yaml.every === undefined ? undefined : parseDuration(yaml.every)) ?? DAY_MS,
    ...(yaml.channel !== undefined && { channel: yaml.channel }),
  };
}
