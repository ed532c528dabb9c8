/** What lies in the bucket and in the catalogue when a benchmark begins. The same for every database and table. */
export interface World {
  databases: number;
  /** Of each database. */
  tables: number;
  /** Partition keys, in their order. */
  keys: readonly string[];
  /** Values of each partition that is registered already. */
  registered: readonly (readonly string[])[];
  /** Values of those whose folders are there while the catalogue does not know them yet. */
  fresh: readonly (readonly string[])[];
  /** Objects in each folder, which matter to who lists objects. */
  files: number;
}

const DAY_MS = 86_400_000;

/** @param last of so many days up to this one */
function days(count: number, last: string): string[] {
  const end = Date.parse(last);
  return Array.from({ length: count }, (_, i) => new Date(end - (count - 1 - i) * DAY_MS).toISOString().slice(0, 10));
}

const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'));

const product = (left: readonly string[], right: readonly string[]) =>
  left.flatMap((one) => right.map((other) => [one, other]));

/** The worlds by name: those of the issue, and a small one to try the benchmark itself. */
export const WORLDS: Record<string, World> = {
  /** 60 databases of 20 tables with 365 days each, of which one is new. */
  wide: world(60, 20, 365),
  small: world(4, 5, 30),
  /** One table, 5,000 new partitions over two levels. */
  backfill: {
    databases: 1,
    tables: 1,
    keys: ['region', 'dt'],
    registered: [],
    fresh: product(
      Array.from({ length: 50 }, (_, i) => `r${String(i).padStart(2, '0')}`),
      days(100, '2026-11-20'),
    ),
    files: 50,
  },
  /** One table with 10,008 hours, and the 24 of the next day. */
  hourly: {
    databases: 1,
    tables: 1,
    keys: ['dt', 'hour'],
    registered: product(days(417, '2026-11-19'), HOURS),
    fresh: product(['2026-11-20'], HOURS),
    files: 50,
  },
};

function world(databases: number, tables: number, count: number): World {
  const all = days(count, '2026-11-20').map((day) => [day]);
  return { databases, tables, keys: ['dt'], registered: all.slice(0, -1), fresh: all.slice(-1), files: 50 };
}

export const RAW_BUCKET = 'bench-raw';
export const LAKE_BUCKET = 'bench-lake';

export function databaseName(index: number): string {
  return `source${String(index).padStart(3, '0')}_raw`;
}

export function tableName(index: number): string {
  return `table${String(index).padStart(3, '0')}`;
}
