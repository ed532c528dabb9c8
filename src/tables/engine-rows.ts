import { createHash } from 'node:crypto';
import type { Buckets } from './check-buckets.ts';
import type { PlannedFile, SourceFile, SplitTable, TablePlan } from './model.ts';
import { type Place, tablePlan } from './place-outputs.ts';

export interface RowsOptions extends Place {
  /** Bytes of an output, measured by the source's column chunks. */
  targetBytes: number;
  /** Rows go to Hive's buckets of the key, one file for each; else they are cut by number. */
  buckets?: Buckets;
}

/** Rows of a source file, from `from` up to and without `to`. */
export interface RowRange {
  file: SourceFile;
  from: number;
  to: number;
}

/** A table to be made by an engine that decodes rows. */
export interface DecodedTable {
  plan: TablePlan;
  /** Rows of all outputs. */
  rows: number;
  /** What each output is made of; all of the source where rows are bucketed. */
  ranges: ReadonlyMap<string, readonly RowRange[]>;
  buckets?: Buckets;
}

/** Changes whenever the same plan would make other files. */
const FORMAT = 'rows-1';

/**
 * Plans tables for an engine that reads rows and writes them anew: as many outputs as their column chunks come to in the source, alike in rows. Pure;
 * the same input gives the same names, so that a run that was broken off finds what it has done.
 */
export function planRows(
  tables: readonly SplitTable[],
  files: readonly SourceFile[],
  options: RowsOptions,
): DecodedTable[] {
  return tables.map((table) => decodedTable(table, files, options));
}

function decodedTable(table: SplitTable, files: readonly SourceFile[], options: RowsOptions): DecodedTable {
  const { buckets, targetBytes } = options;
  const bytes = files.reduce((sum, file) => sum + bytesOf(table, file), 0);
  const rows = files.reduce((sum, file) => sum + rowsOf(file), 0);
  const wanted = buckets?.count ?? Math.max(1, Math.ceil(bytes / targetBytes));
  // More files than rows would be files without rows.
  const count = buckets === undefined ? Math.min(wanted, Math.max(1, rows)) : wanted;
  const cuts = Array.from({ length: count + 1 }, (_, index) => Math.floor((rows * index) / count));
  const plan = tablePlan(
    table,
    options,
    idOf(table, files, count, buckets),
    cuts.slice(1).map((end, index) => ({ slice: [], rows: end - cuts[index]!, bytes: Math.round(bytes / count) })),
  );
  if (buckets === undefined) {
    const ranges = plan.outputs.map(
      ({ name }, index) => [name, rangesOf(files, cuts[index]!, cuts[index + 1]!)] as const,
    );
    return { plan, rows, ranges: new Map(ranges) };
  }
  const outputs = plan.outputs.map((output, bucket) => ({ ...output, name: bucketName(output.name, bucket) }));
  const all = rangesOf(files, 0, rows);
  return { plan: { ...plan, outputs }, rows, buckets, ranges: new Map(outputs.map(({ name }) => [name, all])) };
}

/** Named as Hive names a bucket's file: readers take its number from there. */
function bucketName(name: string, bucket: number): string {
  return `${String(bucket).padStart(6, '0')}_0-${name.slice(name.lastIndexOf('-') + 1)}`;
}

/** Rows of the files, one after the other, from `start` up to and without `end`. */
function rangesOf(files: readonly SourceFile[], start: number, end: number): RowRange[] {
  let first = 0;
  return files.flatMap((file): RowRange[] => {
    const rows = rowsOf(file);
    const [from, to] = [Math.max(0, start - first), Math.min(rows, end - first)];
    first += rows;
    return from < to ? [{ file, from, to }] : [];
  });
}

/** Rows of a source file. */
export function rowsOf({ rowGroups }: SourceFile): number {
  return rowGroups.reduce((sum, { rows }) => sum + rows, 0);
}

function bytesOf({ columns }: SplitTable, file: SourceFile): number {
  const wanted = new Set(columns.map(({ source }) => source.toLowerCase()));
  const indexes = file.columns.flatMap(({ name }, index) => (wanted.has(name.toLowerCase()) ? [index] : []));
  return file.rowGroups.reduce(
    (sum, { columnBytes }) => indexes.reduce((own, index) => own + columnBytes[index]!, sum),
    0,
  );
}

function idOf(table: SplitTable, files: readonly PlannedFile[], count: number, buckets: Buckets | undefined): string {
  const made = files.map(({ url, size, etag, version = '' }) => [url, size, etag, version]);
  const columns = table.columns.map(({ source, name }) => [source, name]);
  const text = JSON.stringify([FORMAT, table.name, columns, made, count, buckets?.column ?? '']);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
