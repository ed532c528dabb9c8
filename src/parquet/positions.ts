import type { RangeReader } from '../storage/store.ts';
import { provenNulls } from './evidence.ts';
import { readPageLevels } from './level-pages.ts';
import { leavesUnder } from './logical.ts';
import type { LogicalField, ParquetFooter } from './model.ts';
import { cheapestLeaf } from './nulls.ts';
import { ChunkPages } from './pages.ts';

/**
 * The first rows, file-wide and zero-based, in which a field is null (a nested one: null at least once with its parent present). Row groups
 * that the footer clears are skipped, and reading stops at the last row asked for.
 * @param openReader called once, and only when there can be nulls; the reader is closed
 * @param limit at most so many rows
 * @throws LakegateError `corrupt`, and what the reader throws
 */
export async function nullRows(
  footer: ParquetFooter,
  openReader: () => Promise<RangeReader>,
  field: LogicalField,
  limit: number,
): Promise<number[]> {
  const suspects = footer.rowGroups.flatMap((group, index) => (provenNulls(group, field) === 0 ? [] : [index]));
  if (suspects.length === 0 || limit <= 0) return [];
  const leaves = leavesUnder(field).map((each) => each.leaf!);
  const rows: number[] = [];
  const reader = await openReader();
  try {
    for (const rowGroup of suspects) {
      const leaf = cheapestLeaf(footer, rowGroup, leaves);
      const pages = new ChunkPages(footer, reader, rowGroup, leaf, false);
      await addNullRows(pages, footer.rowGroups[rowGroup]!.firstRow, field.definitionLevel - 1, limit, rows);
      if (rows.length >= limit) break;
    }
    return rows;
  } finally {
    await reader.close();
  }
}

async function addNullRows(
  pages: ChunkPages,
  firstRow: number,
  nullLevel: number,
  limit: number,
  rows: number[],
): Promise<void> {
  // The row of the entry before: entries of one row follow each other, also from one page into the next.
  let row = firstRow - 1;
  for (let page = await pages.nextPage(); page !== undefined; page = await pages.nextPage()) {
    if (page.kind !== 'data' && page.kind !== 'dataV2') continue;
    if (page.v2?.nulls === 0 && pages.leaf.maxRepetitionLevel === 0) {
      row += page.numValues;
      continue;
    }
    const { definition, repetition } = await readPageLevels(pages, page);
    for (let i = 0; i < definition.length; i++) {
      if (repetition === undefined || repetition[i] === 0) row++;
      if (definition[i] !== nullLevel || rows.at(-1) === row) continue;
      rows.push(row);
      if (rows.length >= limit) return;
    }
  }
}
