import { formatValue } from './format-value.ts';
import { type AuditedFile, type AuditValue, MAX_POSITIONS } from './rule.ts';

/** What a decode of a column found. */
export interface Scan {
  /** Offending values over all files. */
  count: number;
  /** Rows of the first offending values, all in `file`. */
  rows: number[];
  file?: AuditedFile;
  /** The first different offending values, for a person. */
  samples: string[];
}

/** Decodes one column of each file and counts the values that offend; nulls never do. Memory is one batch. */
export async function scanValues(
  files: readonly AuditedFile[],
  column: string,
  type: string,
  offends: (value: AuditValue) => boolean,
): Promise<Scan> {
  const scan: Scan = { count: 0, rows: [], samples: [] };
  for (const file of files) {
    for await (const { firstRow, values } of file.values(column)) {
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (value === undefined || !offends(value)) continue;
        scan.count += 1;
        scan.file ??= file;
        if (scan.file === file && scan.rows.length < MAX_POSITIONS) scan.rows.push(firstRow + i);
        if (scan.samples.length >= MAX_POSITIONS || scan.count > 1000) continue;
        const sample = formatValue(value, type);
        if (!scan.samples.includes(sample)) scan.samples.push(sample);
      }
    }
  }
  return scan;
}
