import pLimit from 'p-limit';
import type { LakeConfig } from '../../config/model.ts';
import { monitorDefaults, thresholdsOf } from '../../config/monitor.ts';
import type { MonitorConfig } from '../../config/monitor-model.ts';
import { isKind } from '../../errors.ts';
import type { GatePorts } from '../../gate/ports.ts';
import { tableOf } from '../../gate/route.ts';
import { type LakeTable, lakeTables } from '../../maintenance/tables.ts';
import { mapBounded } from '../../rules/bounded.ts';
import type { ObjectInfo, ObjectStore } from '../../storage/store.ts';
import { type Fact, type TableFacts, unknownFacts } from './facts.ts';
import { folderTables } from './folder-tables.ts';
import type { GlueTables } from './glue-tables.ts';
import { type Before, judge } from './judge.ts';
import { type IcebergPorts, observeIceberg } from './observe-iceberg.ts';
import { observeParquet, type ParquetPorts } from './observe-parquet.ts';
import { folderUrl, type ParquetTable } from './partition-folders.ts';
import { reasonOf } from './reason.ts';
import type { MonitorReport, TableReport } from './report.ts';

export interface MonitorPorts {
  gate: Pick<GatePorts, 'catalog' | 'store' | 'io' | 'now'>;
  /** Opens the Glue Data Catalog; called only where databases of it are watched. */
  glue(): Promise<GlueTables>;
  /** Hears of each table that was looked at. */
  onTable?(table: TableReport): void;
}

/** Tables looked at together, and footers read together over all of them: enough to hide S3's latency. */
const TABLES_AT_ONCE = 4;
const FOOTERS_AT_ONCE = 16;

/** A lake may be new, or watch others' tables alone. */
const OWN_TABLES = 'the tables of the lake';

/** A table that is to be looked at. */
interface Watched {
  name: string;
  about: Pick<TableFacts, 'kind' | 'location' | 'owner' | 'channel'>;
  observe(): Promise<TableFacts>;
}

/**
 * Looks at every table of the lake, of the databases and of the folders that lake.yaml names, and judges each. One that cannot be looked at does
 * not keep the others from it.
 * @param before the report before this one, if any; not known where it could not be read
 * @param wanted of these tables only
 */
export async function monitorLake(
  config: LakeConfig,
  ports: MonitorPorts,
  before: Fact<MonitorReport | undefined>,
  wanted: (table: string) => boolean = () => true,
): Promise<MonitorReport> {
  const monitor = config.reports?.monitor ?? monitorDefaults();
  const now = ports.gate.now();
  const { watched, notListed } = await watchedTables(config, monitor, ports);
  const tables = await mapBounded(
    watched.filter(({ name }) => wanted(name)),
    TABLES_AT_ONCE,
    async (table) => {
      const thresholds = thresholdsOf(monitor, table.name);
      const report = judge(await factsOf(table, thresholds.key), thresholds, beforeOf(before, table.name), now);
      ports.onTable?.(report);
      return report;
    },
  );
  const amount = (health: TableReport['health_status']) =>
    tables.filter((table) => table.health_status === health).length;
  return {
    version: 1,
    generated_at: new Date(now).toISOString(),
    lake: config.stage === undefined ? config.name : `${config.name}-${config.stage.name}`,
    summary: {
      tables: tables.length,
      healthy: amount('healthy'),
      unhealthy: amount('unhealthy'),
      unknown: amount('unknown'),
      findings: tables.flatMap(({ checks }) => checks).filter(({ status }) => status === 'finding').length,
    },
    tables: tables.sort((a, b) => (a.table_name < b.table_name ? -1 : 1)),
    not_listed: notListed,
  };
}

async function factsOf(table: Watched, key: readonly string[]): Promise<TableFacts> {
  try {
    return await table.observe();
  } catch (error) {
    const reason = reasonOf(error);
    const facts = unknownFacts({ table: table.name, ...table.about }, reason, key);
    // A table whose own metadata cannot be read is not fine: nobody else can read it either.
    return isKind(error, 'corrupt') ? { ...facts, schemaFaults: { known: [reason] } } : facts;
  }
}

function beforeOf(before: Fact<MonitorReport | undefined>, table: string): Fact<Before> {
  return 'unknown' in before ? before : { known: before.known?.tables.find(({ table_name: name }) => name === table) };
}

async function watchedTables(
  config: LakeConfig,
  monitor: MonitorConfig,
  ports: MonitorPorts,
): Promise<{ watched: Watched[]; notListed: MonitorReport['not_listed'] }> {
  const watched: Watched[] = [];
  const notListed: MonitorReport['not_listed'] = [];
  const listing = async (place: string, list: () => Promise<Watched[]>) => {
    try {
      const found = await list();
      // A name with a slip in it would otherwise be a place where all is well.
      if (found.length === 0 && place !== OWN_TABLES) notListed.push({ place, reason: 'it holds no such tables' });
      watched.push(...found);
    } catch (error) {
      notListed.push({ place, reason: reasonOf(error) });
    }
  };
  const { gate } = ports;
  const oneByOne = pLimit(1);
  const parquet: ParquetPorts = { store: gate.store, limit: pLimit(FOOTERS_AT_ONCE), oneByOne, now: gate.now };
  const observe = async (table: ParquetTable, objects: readonly ObjectInfo[]) =>
    observeParquet(table, objects, thresholdsOf(monitor, table.name), parquet);
  await listing(OWN_TABLES, async () =>
    (await lakeTables(gate, config)).map((table) => lakeTable(config, monitor, table, { io: gate.io, oneByOne })),
  );
  for (const database of monitor.databases) {
    await listing(`the Glue database ${database.name}`, async () => {
      const glue = await ports.glue();
      return (await glue.list(database)).map((table) => ({
        name: table.name,
        about: { kind: 'parquet', location: table.location },
        observe: async () => {
          const whole = await glue.withPartitions(table);
          return observe(whole, await filesOf(gate.store, whole));
        },
      }));
    });
  }
  for (const folder of monitor.folders) {
    await listing(`the folder ${folder}`, async () =>
      (await folderTables(gate.store, folder)).map(({ table, objects }) => ({
        name: table.name,
        about: { kind: 'parquet', location: table.location },
        observe: () => observe(table, objects),
      })),
    );
  }
  return { watched, notListed };
}

function lakeTable(
  config: LakeConfig,
  monitor: MonitorConfig,
  { name, identifier, catalog }: LakeTable,
  ports: IcebergPorts,
): Watched {
  const settings = tableOf(config, name);
  const { owner, channel } = settings ?? {};
  return {
    name,
    about: {
      kind: 'iceberg',
      location: '',
      ...(owner !== undefined && { owner }),
      ...(channel !== undefined && { channel }),
    },
    observe: async () =>
      observeIceberg(name, await catalog.loadTable(identifier), settings, thresholdsOf(monitor, name), ports),
  };
}

/** What lies in the table's folder, and in those of its partitions that lie elsewhere. */
async function filesOf(store: ObjectStore, { location, registered }: ParquetTable): Promise<ObjectInfo[]> {
  const elsewhere = new Set(
    (registered?.partitions ?? [])
      .map((partition) => folderUrl(partition.location))
      .filter((url) => !url.startsWith(location)),
  );
  const objects: ObjectInfo[] = [];
  for (const folder of [location, ...elsewhere]) for await (const info of store.list(folder)) objects.push(info);
  return objects;
}
