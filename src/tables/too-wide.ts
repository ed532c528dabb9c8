import type { HiveColumn } from './hive-type.ts';

/** What is done with a table that has more columns than allowed: it fails, or its last columns are left out, and named. */
export type TooWide = 'fail' | 'cut';

export interface Width {
  /** Columns that a table may have, partition keys counted: 100 in a Clean Room (AWS Clean Rooms quotas). */
  maxColumns: number;
  tooWide: TooWide;
}

/**
 * Holds columns to the width allowed. Nothing is ever left out without being named.
 * @param partitionKeys how many there are
 * @returns the columns that stay, and the names of those that were cut; or why the table cannot be
 */
export function withinWidth(
  columns: readonly HiveColumn[],
  partitionKeys: number,
  { maxColumns, tooWide }: Width,
): { columns: readonly HiveColumn[]; cut: string[] } | { reason: string } {
  const width = columns.length + partitionKeys;
  if (width <= maxColumns) return { columns, cut: [] };
  if (tooWide === 'fail') {
    const keys = partitionKeys === 0 ? '' : `, partition keys counted`;
    return {
      reason: `it has ${width} columns${keys}: expected at most ${maxColumns}. Split it in the map, raise the limit, or have the last ones cut`,
    };
  }
  const kept = Math.max(0, maxColumns - partitionKeys);
  return { columns: columns.slice(0, kept), cut: columns.slice(kept).map(({ name }) => name) };
}
