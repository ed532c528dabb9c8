/** Tables as the split jobs write them, in folders: healthy ones, to plant faults in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';

export interface Rows {
  ids: (string | null)[];
  columns?: ColumnSource[];
}

/** A Parquet file of `customer_user_id` and an attribute. @param path under the folder */
export function plant(folder: string, path: string, { ids, columns }: Rows): void {
  const attribute: ColumnSource = { name: 'age', type: 'INT32', nullable: true, data: ids.map((_, row) => row % 90) };
  const columnData: ColumnSource[] = [
    { name: 'customer_user_id', type: 'STRING', nullable: true, data: ids },
    ...(columns ?? [attribute]),
  ];
  put(folder, path, new Uint8Array(parquetWriteBuffer({ columnData })));
}

export function put(folder: string, path: string, content: string | Uint8Array): void {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
}

/** `c<from>`, … */
export function ids(amount: number, from = 0): string[] {
  return Array.from({ length: amount }, (_, row) => `c${from + row}`);
}

/** Two snapshots of two files each, of 100 and 104 rows. */
export function plantHealthy(folder: string, table: string, days: { before: string; newest: string }): void {
  for (const [day, half] of [
    [days.before, 50],
    [days.newest, 52],
  ] as const) {
    plant(folder, `${table}/snapshot_dt=${day}/part-0.parquet`, { ids: ids(half) });
    plant(folder, `${table}/snapshot_dt=${day}/part-1.parquet`, { ids: ids(half, half) });
  }
  put(folder, `${table}/_SUCCESS`, '');
}
