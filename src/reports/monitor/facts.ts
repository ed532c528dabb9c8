/** What was found out about a table, before it is judged. Plain data. */

/** Something that is known, or why it is not. */
export type Fact<T> = { known: T } | { unknown: string };

export interface Column {
  name: string;
  /** By Iceberg's name, or the file's own where Iceberg has none. */
  type: string;
}

export interface FileFact {
  url: string;
  /** Bytes. */
  size: number;
  /** Folder or tuple of its partition, in one text; empty where the table has none. */
  partition: string;
}

export interface SnapshotRows {
  id: string;
  rows: number;
}

/** What the newest state of a table is. */
export interface SnapshotFact {
  /** Tells it from every other state: a snapshot id, a value of the snapshot key, or a fingerprint of the files. */
  id: string;
  /** When its data is from, milliseconds since the epoch. */
  at: Fact<number>;
  /** Whether it came about by adding rows to the state before. */
  isAppend: boolean;
}

export interface KeyFacts {
  columns: string[];
  /** Those that the table, or one of its files, does not have. */
  missing: string[];
  nulls: Fact<number>;
  duplicates: Fact<number>;
}

export interface TableFacts {
  table: string;
  kind: 'iceberg' | 'parquet';
  location: string;
  owner?: string;
  channel?: string;
  /** Known and undefined: the table holds nothing yet. */
  snapshot: Fact<SnapshotFact | undefined>;
  /** Rows of the newest snapshot. */
  rows: Fact<number>;
  /** The snapshot before. Known and undefined: there is none in the table; a report before may know one. */
  previous: Fact<SnapshotRows | undefined>;
  partitions: Fact<number>;
  /** What is wrong with the partitions besides their number. */
  partitionFaults: Fact<string[]>;
  columns: Fact<Column[]>;
  /** How the columns differ from those declared; known and undefined: none are. */
  schemaFaults: Fact<string[] | undefined>;
  /** Files of the newest snapshot. */
  files: Fact<FileFact[]>;
  /** Absent: no key is configured. */
  key?: KeyFacts;
}

/** A table that could not be looked at, for the one reason given. */
export function unknownFacts(
  table: Pick<TableFacts, 'table' | 'kind' | 'location' | 'owner' | 'channel'>,
  reason: string,
  key: readonly string[],
): TableFacts {
  const unknown = { unknown: reason };
  return {
    ...table,
    snapshot: unknown,
    rows: unknown,
    previous: unknown,
    partitions: unknown,
    partitionFaults: unknown,
    columns: unknown,
    schemaFaults: unknown,
    files: unknown,
    ...(key.length > 0 && { key: { columns: [...key], missing: [], nulls: unknown, duplicates: unknown } }),
  };
}

/** What a known fact becomes; what is not known stays so. */
export function mapFact<T, R>(fact: Fact<T>, change: (value: T) => R): Fact<R> {
  return 'known' in fact ? { known: change(fact.known) } : fact;
}

/** The value, or undefined where it is not known. */
export function knownOf<T>(fact: Fact<T>): T | undefined {
  return 'known' in fact ? fact.known : undefined;
}
