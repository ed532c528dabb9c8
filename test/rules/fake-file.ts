import { compareValues, equalityKey } from '../../src/rules/compare.ts';
import type { AuditedFile, AuditValue } from '../../src/rules/rule.ts';

export interface FakeColumn {
  type: string;
  values: (AuditValue | undefined)[];
  nested?: boolean;
}

export interface FakeOptions {
  url?: string;
  /** Answer from bounds and dictionaries, or make every rule decode. */
  statistics?: boolean;
  /** Bounds that hold without being reached. */
  loose?: boolean;
  /** Rows per batch of values. */
  batch?: number;
  /** Thrown by the named question. */
  faults?: Partial<Record<'fields' | 'nulls' | 'nullRows' | 'bounds' | 'dictionary' | 'values', Error>>;
}

/** A file of values in memory. `asked` lists every question put to it, in order. */
export function fakeFile(
  columns: Record<string, FakeColumn>,
  options: FakeOptions = {},
): AuditedFile & { asked: string[] } {
  const { url = 'memory:/a.parquet', statistics = false, loose = false, batch = 3, faults = {} } = options;
  const rows = Object.values(columns)[0]?.values.length ?? 0;
  const asked: string[] = [];
  const ask = (question: keyof typeof faults, detail = ''): void => {
    asked.push(detail === '' ? question : `${question} ${detail}`);
    if (faults[question]) throw faults[question];
  };
  const present = (name: string): AuditValue[] => columns[name]!.values.filter((value) => value !== undefined);
  return {
    url,
    rows,
    asked,
    async fields() {
      ask('fields');
      return Object.entries(columns).map(([name, { type, nested = false }]) => ({
        name,
        type,
        required: false,
        nested,
      }));
    },
    async nulls(names) {
      ask('nulls', names === '*' ? '*' : names.join());
      return Object.keys(columns)
        .filter((name) => names === '*' || names.includes(name))
        .map((name) => ({ name, nulls: rows - present(name).length, from: 'statistics' }));
    },
    async nullRows(name, limit) {
      ask('nullRows', name);
      return columns[name]!.values.flatMap((value, row) => (value === undefined ? [row] : [])).slice(0, limit);
    },
    async bounds(name) {
      ask('bounds', name);
      // As writers do, NaN is left out of the bounds.
      const sorted = present(name)
        .filter((value) => !Number.isNaN(value))
        .sort((a, b) => compareValues(a, b)!);
      if (!statistics || sorted.length === 0) return undefined;
      const upper = sorted.at(-1)!;
      return {
        lower: sorted[0]!,
        upper: loose && typeof upper === 'string' ? `${upper}!` : upper,
        exact: !loose,
      };
    },
    async dictionary(name) {
      ask('dictionary', name);
      if (!statistics) return undefined;
      return [...new Map(present(name).map((value) => [equalityKey(value), value])).values()];
    },
    async *values(name) {
      ask('values', name);
      for (let firstRow = 0; firstRow < rows; firstRow += batch) {
        yield { firstRow, values: columns[name]!.values.slice(firstRow, firstRow + batch) };
      }
    },
  };
}

/** Microseconds since the epoch of an ISO date or timestamp. */
export function micros(iso: string): { micros: bigint } {
  return { micros: BigInt(Date.parse(iso)) * 1000n };
}
