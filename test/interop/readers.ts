import type { Engine } from './engine.ts';
import type { TestLake } from './lake.ts';

/** What to read of a table. */
interface Reading {
  /** Snapshot id; the current main otherwise. */
  snapshot?: string;
  /** A condition that all engines understand. */
  where?: string;
  /** What PyIceberg is known to read instead. */
  pyiceberg?: readonly string[];
}

/** What every engine is asked alike. */
export interface Readers {
  engines: Engine;
  spark: Engine;
}

/** Tells Spark where a lake's tables are. */
export async function introduce({ spark }: Readers, { address }: TestLake): Promise<void> {
  await spark.ask('catalog', { name: address.catalog, database: address.database, warehouse: address.warehouse });
}

/** A table's name as Spark's SQL has it. */
export function sqlName(lake: TestLake, table: string): string {
  return `${lake.address.catalog}.${table}`;
}

/** The rows each engine reads, in the canonical form that is equal exactly when the values are. */
export async function readAll(
  { engines, spark }: Readers,
  lake: TestLake,
  table: string,
  { snapshot, where }: Reading = {},
): Promise<Record<'pyiceberg' | 'spark' | 'duckdb', string[]>> {
  const { metadataLocation } = await lake.table(table);
  const at = snapshot === undefined ? '' : ` version as of ${snapshot}`;
  const [pyiceberg, inSpark, duckdb] = await Promise.all([
    engines.ask<string[]>('pyiceberg_rows', { lake: lake.address, table, snapshot, where }),
    spark.ask<string[]>('rows', { sql: `select * from ${sqlName(lake, table)}${at} where ${where ?? 'true'}` }),
    engines.ask<string[]>('duckdb_rows', { metadata: metadataLocation, snapshot, where }),
  ]);
  return { pyiceberg, spark: inSpark, duckdb };
}

/** How many rows of a difference are shown: enough to see what it is. */
const SHOWN = 3;

/** How found rows differ from the expected: nothing missing and nothing surplus when they are equal. */
export function difference(found: readonly string[], expected: readonly string[]) {
  const open = new Map<string, number>();
  for (const row of expected) open.set(row, (open.get(row) ?? 0) + 1);
  const surplus = found.filter((row) => {
    const left = open.get(row) ?? 0;
    open.set(row, left - 1);
    return left <= 0;
  });
  const missing = [...open].filter(([, left]) => left > 0).map(([row]) => row);
  return { rows: found.length, missing: missing.slice(0, SHOWN), surplus: surplus.slice(0, SHOWN) };
}

/** Expects that every engine reads exactly these rows. */
export async function expectRows(
  readers: Readers,
  lake: TestLake,
  table: string,
  rows: readonly string[],
  reading: Reading = {},
): Promise<void> {
  const found = await readAll(readers, lake, table, reading);
  const equal = { rows: rows.length, missing: [], surplus: [] };
  expect({
    pyiceberg: difference(found.pyiceberg, reading.pyiceberg ?? rows),
    spark: difference(found.spark, rows),
    duckdb: difference(found.duckdb, rows),
  }).toEqual({ pyiceberg: equal, spark: equal, duckdb: equal });
}

/** Rows of several files, as one table has them. */
export function together(...parts: readonly (readonly string[])[]): string[] {
  return parts.flat();
}

/** A row's values, numbers as text. */
export type Row = Record<string, unknown>;

/** Rows changed one by one; those for which nothing is returned go. */
export function edit(rows: readonly string[], change: (row: Row) => Row | undefined): string[] {
  return rows.flatMap((text) => {
    const changed = change(JSON.parse(text) as Row);
    if (changed === undefined) return [];
    return [JSON.stringify(Object.fromEntries(Object.entries(changed).sort(([a], [b]) => (a < b ? -1 : 1))))];
  });
}

/** What happened to main, to hold every engine's history against. */
export function createHistory(readers: Readers, lake: TestLake, table: string) {
  const seen = new Map<string, { rows: string[]; pyiceberg: string[] }>();
  return {
    /** Notes main as it is now, and expects that all engines read it so. */
    async now(rows: string[], pyiceberg = rows): Promise<string> {
      const head = await lake.head(table);
      // A change of columns alone makes no snapshot: the older columns stay what this one has.
      if (!seen.has(head)) seen.set(head, { rows, pyiceberg });
      await expectRows(readers, lake, table, rows, { pyiceberg });
      return head;
    },
    /** Expects that every snapshot that main was at and that has not expired is read as it was. */
    async check(): Promise<number> {
      const { metadata } = await lake.table(table);
      let checked = 0;
      for (const [snapshot, { rows, pyiceberg }] of seen) {
        if (!metadata.snapshots.some(({ snapshotId }) => String(snapshotId) === snapshot)) continue;
        await expectRows(readers, lake, table, rows, { snapshot, pyiceberg });
        checked += 1;
      }
      return checked;
    },
  };
}

/** Makes files to drop and says what rows are in them. */
export function createDrops(engines: Engine, lake: TestLake) {
  return {
    /** @param file path under the raw area */
    async make(file: string, about: Record<string, unknown>): Promise<string> {
      const path = lake.inRaw(file);
      await engines.ask('drop', { path, ...about });
      return path;
    },
    /** @param columns all the table's, where files lack some */
    rows(paths: readonly string[], columns?: readonly string[], where?: string): Promise<string[]> {
      return engines.ask<string[]>('parquet_rows', { paths: paths.map(truthOf), columns, where });
    },
    /** As PyIceberg 0.12 reads them, from its own tables too: a null list of structs comes out as an empty one. */
    rowsByPyiceberg(paths: readonly string[], listsOfStructs: readonly string[], columns?: readonly string[]) {
      const without_null_lists = listsOfStructs;
      return engines.ask<string[]>('parquet_rows', { paths: paths.map(truthOf), columns, without_null_lists });
    },
  };
}

/** The Parquet file that says what is in a file of text. */
function truthOf(path: string): string {
  return /\.(csv|jsonl)/.test(path) ? `${path}.truth.parquet` : path;
}
