import type { ColumnChunk } from './model.ts';
import type { Span } from './placed-chunk.ts';

/** Bytes of a leaf's that are copied as they are: where they are in the source, and where they go. */
export interface Move {
  leaf: number;
  source: Span;
  to: number;
}

/** Where the parts of a row group go in a copy that has some of its columns. */
export interface RowGroupLayout {
  /** The chunks, in the order in which they are written: the copy's first column, then as they lie in the source. */
  chunks: Move[];
  bloomFilters: Move[];
  columnIndexes: Move[];
  /** Behind all else, since their length changes with what is in them. */
  offsetIndexes: { leaf: number; source: Span }[];
  /** Where the offset indexes begin. */
  end: number;
}

/**
 * Lays out a row group's copy. Its first column stands first, because readers take where that begins for where the row group does.
 * @param columns the row group's chunks by leaf
 * @param leaves the leaves that are copied, in the copy's order
 * @param at where the row group begins in the copy
 * @param dataEnd where the source's footer begins: what does not lie before it is left out
 */
export function rowGroupLayout(
  columns: ReadonlyMap<number, ColumnChunk>,
  leaves: readonly number[],
  at: number,
  dataEnd: number,
): RowGroupLayout {
  let end = at;
  const place = ({ leaf, source }: { leaf: number; source: Span }): Move => {
    const to = end;
    end += source.end - source.start;
    return { leaf, source, to };
  };
  const spans = leaves.map((leaf) => ({ leaf, source: chunkSpan(columns.get(leaf)!, dataEnd) }));
  const [first, ...rest] = spans;
  const chunks = (first === undefined ? [] : [first, ...inFileOrder(rest)]).map(place);
  const found = (spanOf: (chunk: ColumnChunk) => Span | undefined) =>
    inFileOrder(
      leaves.flatMap((leaf) => {
        const source = spanOf(columns.get(leaf)!);
        return source !== undefined && source.start >= 4 && source.end <= dataEnd ? [{ leaf, source }] : [];
      }),
    );
  const offsetIndexes = found((chunk) => span(chunk.offsetIndexOffset, chunk.offsetIndexLength));
  const paged = new Set(offsetIndexes.map(({ leaf }) => leaf));
  const bloomFilters = found((chunk) => span(chunk.bloomFilterOffset, chunk.bloomFilterLength)).map(place);
  // A column index is read through the offset index beside it.
  const columnIndexes = found((chunk) => span(chunk.columnIndexOffset, chunk.columnIndexLength))
    .filter(({ leaf }) => paged.has(leaf))
    .map(place);
  return { chunks, bloomFilters, columnIndexes, offsetIndexes, end };
}

/** Where a chunk's pages lie: its dictionary page, if it has one, and the data pages behind it. @param dataEnd where the file's footer begins */
export function chunkSpan(chunk: ColumnChunk, dataEnd: number): Span {
  const start = chunk.dictionaryPageOffset ?? chunk.dataPageOffset;
  const end = start + chunk.totalCompressedSize;
  // Where a chunk without values lies was not checked when the footer was read, and nothing of it is needed.
  return chunk.numValues === 0 && (start < 4 || end > dataEnd) ? { start, end: start } : { start, end };
}

function span(start: number | undefined, length: number | undefined): Span | undefined {
  return start === undefined || !length ? undefined : { start, end: start + length };
}

function inFileOrder<T extends { source: Span }>(spans: readonly T[]): T[] {
  return spans.toSorted((a, b) => a.source.start - b.source.start);
}
