import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFooter } from '../../src/parquet/footer.ts';
import type { LogicalField, ParquetFooter } from '../../src/parquet/model.ts';
import type { RangeReader } from '../../src/storage/store.ts';

const FOLDER = join(__dirname, '../fixtures/parquet');

/** What generate.py put into the fixtures. */
export const expected: {
  nulls: Record<string, number>;
  nested: Record<string, unknown[]>;
  types: Record<string, unknown[]>;
} = JSON.parse(readFileSync(join(FOLDER, 'expected.json.golden'), 'utf8'));

export function fixture(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(FOLDER, name)));
}

/** Bytes as an object; `reads` collects the ranges asked for and `open` counts open readers. */
export function source(bytes: Uint8Array, cheapSeeks = true) {
  const seen = { reads: [] as [number, number][], opened: 0, closed: 0 };
  const open = async (): Promise<RangeReader> => {
    seen.opened++;
    return {
      url: 'memory:/drop.parquet',
      byteLength: bytes.length,
      cheapSeeks,
      read: async (start, end) => {
        seen.reads.push([start, Math.min(end, bytes.length)]);
        return bytes.slice(start, end);
      },
      close: async () => {
        seen.closed++;
      },
    };
  };
  return { open, seen, footer: async () => readFooter(await open(), 'drop.parquet') };
}

/** The footer as a writer of no statistics would have left it. */
export function withoutStatistics(footer: ParquetFooter): ParquetFooter {
  const rowGroups = footer.rowGroups.map((group) => ({
    ...group,
    columns: group.columns.map(
      ({ nullCount: _n, definitionLevelHistogram: _h, minValue: _a, maxValue: _b, ...rest }) => rest,
    ),
  }));
  return { ...footer, rowGroups };
}

export function fieldAt(footer: ParquetFooter, path: string): LogicalField {
  let fields = footer.fields;
  let found: LogicalField | undefined;
  while (found?.path !== path) {
    found = fields.find((field) => path === field.path || path.startsWith(`${field.path}.`));
    if (found === undefined) throw new Error(`no field ${path}`);
    fields = found.children;
  }
  return found;
}
