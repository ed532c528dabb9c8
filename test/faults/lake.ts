/** A small lake in a folder, for tests that break it: one table, drops made here, and what readers of main see. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import type { LoadedTable } from '../../src/catalogs/catalog.ts';
import { type ComposeOptions, composeLake, type Lake } from '../../src/compose.ts';
import { tableDefaults } from '../../src/config/defaults.ts';
import type { LakeConfig, TableConfig } from '../../src/config/model.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import type { TableTarget } from '../../src/gate/ports.ts';
import { liveFiles } from '../../src/iceberg/published.ts';
import type { DomainEvent, Notifier } from '../../src/notify/notifier.ts';

const fail = (fault: Error): never => {
  throw fault;
};

export const TABLE = 'shop.orders';

/** @param folder absolute path */
export function lakeConfig(folder: string, table: Partial<TableConfig> = {}): LakeConfig {
  const warehouse = `file://${folder}/warehouse/`;
  return {
    raw: `file://${folder}/raw/`,
    warehouse,
    records: `file://${folder}/records/`,
    defaultCatalog: 'local',
    catalogs: { local: { type: 'sql', uri: `sqlite:///${folder}/catalog.db`, catalogName: 'local', warehouse } },
    tables: [{ ...tableDefaults(), name: TABLE, prefix: 'orders/', ...table }],
    notify: { suppressMs: 0 },
    name: 'lakegate',
    stages: [],
  };
}

/** Opens the lake with a notifier that writes a line for each event, so that a killed process leaves what it said. */
export function openLake(config: LakeConfig, options: Partial<ComposeOptions> = {}): Promise<Lake> {
  return composeLake(config, { env: {}, cwd: '/', notifier: fileNotifier(config), ...options });
}

function fileNotifier(config: LakeConfig): Notifier {
  return {
    async notify(events) {
      const lines = events.map((event) => `${JSON.stringify(event)}\n`);
      appendFileSync(toldPath(config), lines.join(''));
    },
  };
}

function toldPath(config: LakeConfig): string {
  return `${dirname(new URL(config.raw).pathname)}/told.jsonl`;
}

/** What people were told so far. */
export function told(config: LakeConfig): DomainEvent[] {
  const path = toldPath(config);
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DomainEvent);
}

/** Puts a file into the table's folder of the raw area. @returns its URL */
export function putDrop(config: LakeConfig, name: string, content: Uint8Array | string): string {
  const url = `${config.raw}${config.tables[0]!.prefix}${name}`;
  const path = url.slice('file://'.length);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return url;
}

/** A Parquet file of columns by name; numbers are INT32, bigints INT64, text STRING; all optional. */
export function parquet(columns: Record<string, unknown[]>): Uint8Array {
  const columnData = Object.entries(columns).map(
    ([name, data]): ColumnSource => ({ name, data, type: typeOf(data), nullable: true }),
  );
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function typeOf(data: readonly unknown[]): 'INT32' | 'INT64' | 'STRING' {
  const value = data.find((candidate) => candidate !== null);
  return typeof value === 'bigint' ? 'INT64' : typeof value === 'number' ? 'INT32' : 'STRING';
}

/** Rows `from` … `from + count - 1` with a note each; the notes of `nullAt` rows are null. */
export function orders(from: number, count: number, nullAt: readonly number[] = []): Record<string, unknown[]> {
  const ids = Array.from({ length: count }, (_, row) => from + row);
  return { id: ids, note: ids.map((id, row) => (nullAt.includes(row) ? null : `note ${id}`)) };
}

export function targetOf(lake: Lake): TableTarget {
  return { identifier: { namespace: ['shop'], name: 'orders' }, catalog: lake.ports.catalog('local') };
}

/** The table as it is now, past every cache of other processes. */
export async function loadTable(lake: Lake): Promise<LoadedTable> {
  const { catalog, identifier } = targetOf(lake);
  return catalog.loadTable(identifier);
}

/** The ids on main, sorted, as a reader that is not lakegate's reads them. */
export async function idsOnMain(lake: Lake, ref = 'main'): Promise<number[]> {
  const { catalog, identifier } = targetOf(lake);
  const table = await catalog.findTable(identifier);
  if (table === undefined) return [];
  const ids: number[] = [];
  for (const file of (await liveFiles(lake.ports.io, table, ref)).keys()) {
    const bytes = readFileSync(file.replace(/^file:\/\//, ''));
    const rows = await parquetReadObjects({ file: arrayBuffer(bytes), columns: ['id'], compressors });
    for (const row of rows) ids.push(Number(row.id));
  }
  return ids.sort((a, b) => a - b);
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** All delivery records. */
export async function allRecords(lake: Lake): Promise<DeliveryRecord[]> {
  const found: DeliveryRecord[] = [];
  for await (const { record } of lake.ports.records.list(fail)) found.push(record);
  return found;
}

/** The whole numbers from `from`, `count` of them. */
export function span(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
