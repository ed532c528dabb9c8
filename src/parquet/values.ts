import { LakegateError } from '../errors.ts';
import type { AuditValue } from '../rules/rule.ts';
import type { RangeReader } from '../storage/store.ts';
import { auditForm, type RowValue } from './convert.ts';
import { decodeDictionary, decodedPages } from './decode.ts';
import type { Leaf, LogicalField, ParquetFooter } from './model.ts';
import { ChunkPages } from './pages.ts';

/**
 * The values of one primitive, unrepeated column in row order, a page at a time; undefined where it, or a struct around it, is null. Other
 * columns are not read.
 * @param openReader called once; the reader is closed when the values end or the consumer stops
 * @throws LakegateError `unsupported` for another kind of column, `corrupt`, and what the reader throws
 */
export async function* readValues(
  footer: ParquetFooter,
  openReader: () => Promise<RangeReader>,
  field: LogicalField,
): AsyncGenerator<{ firstRow: number; values: (AuditValue | undefined)[] }> {
  const { leaf } = field;
  if (leaf === undefined || leaf.maxRepetitionLevel > 0) {
    const found = leaf === undefined ? `a ${field.kind}` : 'inside a list or map';
    const message = `Column \`${field.path}\` of ${footer.url} is ${found}, and its values are wanted row by row. Name a column with one value per row.`;
    throw new LakegateError('unsupported', message, { context: { url: footer.url, column: field.path } });
  }
  const form = auditForm(leaf);
  const reader = await openReader();
  try {
    for (const [rowGroup, group] of footer.rowGroups.entries()) {
      let row = group.firstRow;
      for await (const page of decodedPages(new ChunkPages(footer, reader, rowGroup, leaf, true))) {
        const values = new Array<AuditValue | undefined>(page.definition.length);
        for (let i = 0, next = 0; i < values.length; i++) {
          values[i] = page.definition[i] === leaf.maxDefinitionLevel ? form(page.values[next++]!) : undefined;
        }
        if (values.length > 0) yield { firstRow: row, values };
        row += values.length;
      }
    }
  } finally {
    await reader.close();
  }
}

/**
 * The distinct values of a leaf's dictionaries: a superset of the column's values, read without its data pages. Undefined unless the footer
 * proves that every data page of every row group is dictionary-encoded (row groups of nothing but nulls apart).
 * @param openReader called once, and only when the footer proves it; the reader is closed
 * @throws LakegateError `corrupt`, and what the reader throws
 */
export async function dictionaryValues(
  footer: ParquetFooter,
  openReader: () => Promise<RangeReader>,
  leaf: Leaf,
): Promise<AuditValue[] | undefined> {
  const rowGroups = footer.rowGroups.flatMap(({ columns }, index) => {
    const { numValues, nullCount } = columns[leaf.index]!;
    return numValues === 0 || nullCount === numValues ? [] : [index];
  });
  if (rowGroups.some((index) => footer.rowGroups[index]!.columns[leaf.index]!.allDictionary !== true)) return undefined;
  if (rowGroups.length === 0) return [];
  const distinct = new Map<unknown, RowValue>();
  const reader = await openReader();
  try {
    for (const rowGroup of rowGroups) {
      const pages = new ChunkPages(footer, reader, rowGroup, leaf, false);
      const page = await pages.nextPage();
      if (page?.kind !== 'dictionary') return undefined;
      for (const value of await decodeDictionary(pages, page)) distinct.set(identity(value), value);
    }
  } finally {
    await reader.close();
  }
  return Array.from(distinct.values(), auditForm(leaf));
}

/** What makes two values of one column the same to a Map. */
function identity(value: RowValue): unknown {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
    : value;
}

export { statisticsBounds } from './bounds.ts';
