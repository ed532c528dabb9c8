import type { TableConfig } from '../config/model.ts';
import { type DetectedFormat, detectFormat } from '../formats/detect.ts';
import type { NestedField } from '../iceberg/model.ts';
import { readFooter } from '../parquet/footer.ts';
import type { ParquetFooter } from '../parquet/model.ts';
import type { ExpectedObject, ObjectStore } from '../storage/store.ts';

/** What a dropped file is, by as few of its bytes as tell it. */
export type Inspected =
  | { kind: 'parquet'; footer: ParquetFooter }
  /** `columns`: what the whole file's text was inferred to hold; only where it had to be known. */
  | { kind: 'text'; detected: DetectedFormat; columns?: NestedField[] };

/**
 * Looks at a dropped file: a Parquet footer, which is one ranged read unless it is large, or what kind of text it is.
 * @param inferText whether the columns of a text file are needed (a new table, or one that takes new columns): reads it whole
 * @param expected the version that is looked at; absent: the one that is there
 * @throws LakegateError `corrupt` | `unsupported` | `invalid` naming the file and the fault, `not_found` when that version is not there any more
 */
export async function inspect(
  store: ObjectStore,
  url: string,
  table: Pick<TableConfig, 'format' | 'csv'>,
  inferText: boolean,
  expected?: ExpectedObject,
): Promise<Inspected> {
  const reader = await store.open(url, expected);
  try {
    const detected = await detectFormat(reader, table.format);
    if (detected.format === 'parquet') return { kind: 'parquet', footer: await readFooter(reader, url) };
    if (!inferText) return { kind: 'text', detected };
    // Loaded only for text: the parsers are no part of a Parquet delivery's start.
    const { inferColumns } = await import('../formats/infer.ts');
    const { columns } = await inferColumns(reader, detected, table.csv);
    return { kind: 'text', detected, columns };
  } finally {
    await reader.close();
  }
}
