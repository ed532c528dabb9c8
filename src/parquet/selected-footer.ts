import type { RangeReader } from '../storage/store.ts';
import { readingOf } from './fault.ts';
import { readFooterBytes } from './footer.ts';
import { footerParts, rowGroupParts, withoutRowGroups } from './footer-parts.ts';
import { parseMetadata, parseWholeChunk } from './metadata.ts';
import type { ColumnChunk, LogicalField, ParquetFooter, RowGroup } from './model.ts';

/**
 * A footer with the chunks of some columns alone, at the places that they have among all: the others, which are most of a wide file's footer, are not
 * read, and nothing of the footer's bytes is held.
 * @param wanted says of a top-level column whether it is read
 * @throws LakegateError as `readFooter` does
 */
export async function readSelectedFooter(
  reader: RangeReader,
  name: string,
  wanted: (column: string) => boolean,
): Promise<ParquetFooter> {
  const { bytes, footerStart } = await readFooterBytes(reader, name);
  const place = { url: reader.url, name, fileSize: reader.byteLength, footerStart };
  const parts = footerParts(bytes, name);
  const footer = parseMetadata(withoutRowGroups(parts), place);
  const leaves = footer.fields.filter((field) => wanted(field.name)).flatMap(leavesOf);
  let numRows = 0;
  const rowGroups = parts.rowGroups.map((group, index) =>
    readingOf(name, `row group ${index}`, (): RowGroup => {
      const own = rowGroupParts(group);
      if (own.chunks.length !== footer.leaves.length) {
        throw new Error(`has ${own.chunks.length} column chunks where the schema has ${footer.leaves.length} columns`);
      }
      const columns: ColumnChunk[] = [];
      for (const leaf of leaves) {
        columns[leaf] = detached(parseWholeChunk(own.chunks[leaf]!, footer.leaves[leaf]!, own.numRows, place));
      }
      const firstRow = numRows;
      numRows += own.numRows;
      return { numRows: own.numRows, firstRow, columns };
    }),
  );
  return { ...footer, numRows, rowGroups };
}

function leavesOf({ leaf, children }: LogicalField): number[] {
  return leaf === undefined ? children.flatMap(leavesOf) : [leaf.index];
}

/** Values of statistics are views into the footer's bytes, and would keep all of them. */
function detached({ minValue, maxValue, ...chunk }: ColumnChunk): ColumnChunk {
  return {
    ...chunk,
    ...(minValue && { minValue: minValue.slice() }),
    ...(maxValue && { maxValue: maxValue.slice() }),
  };
}
