import { LakegateError } from '../errors.ts';
import type { ObjectWriter, RangeReader } from '../storage/store.ts';
import { withBloomFilterLengths } from './bloom-filter.ts';
import { readSpans, transfers } from './chunk-transfers.ts';
import { corrupt, readingOf } from './fault.ts';
import { readFooterBytes } from './footer.ts';
import {
  type ColumnParts,
  type FooterParts,
  footerParts,
  type RowGroupParts,
  rowGroupParts,
  withoutRowGroups,
} from './footer-parts.ts';
import { type FooterPlace, parseChunk, parseMetadata } from './metadata.ts';
import type { ColumnChunk, ParquetFooter } from './model.ts';
import { type Placement, placedChunk, type Span, shiftedOffsetIndex } from './placed-chunk.ts';
import { footerKind, type ProjectedColumn, projectedFooter, projectedRowGroup } from './projected-footer.ts';
import { chunkSpan, type Move, type RowGroupLayout, rowGroupLayout } from './row-group-layout.ts';
import { streamOptions, streamSpans } from './stream-spans.ts';
import { type ThriftSink, takeWritten, thriftSink } from './thrift-sink.ts';

/** A Parquet file in the making: some columns of others, their row groups one after the other. */
export interface ColumnCopy {
  readonly writer: ObjectWriter;
  /** Column names in the sources and here, in the copy's order. */
  readonly columns: readonly { source: string; name: string }[];
  /** Bytes written. */
  position: number;
  rows: number;
  rowGroups: Uint8Array[];
  /** The first source: what the others have to agree with. */
  like?: { name: string; parts: FooterParts; kind: string; columns: ProjectedColumn[] };
}

const MAGIC = new TextEncoder().encode('PAR1');

/** Begins a copy. @param writer of the new file, at its beginning */
export async function beginCopy(writer: ObjectWriter, columns: ColumnCopy['columns']): Promise<ColumnCopy> {
  await writer.write(MAGIC);
  return { writer, columns, position: MAGIC.length, rows: 0, rowGroups: [] };
}

/** A source file, opened and its footer read. */
export interface CopySource {
  name: string;
  reader: RangeReader;
  /** All but its row groups, which are read one at a time. */
  footer: Omit<ParquetFooter, 'rowGroups' | 'numRows'>;
  parts: FooterParts;
  /** What other sources of the same copy have to be equal in. */
  kind: string;
  /** Its row groups with all their chunks, where they have been read. */
  groups?: readonly SourceGroup[];
}

/** Reads what copying from a file takes. @throws LakegateError as `readFooter` does */
export async function readCopySource(reader: RangeReader, name: string): Promise<CopySource> {
  const { bytes, footerStart } = await readFooterBytes(reader, name);
  const parts = footerParts(bytes, name);
  const footer = parseMetadata(withoutRowGroups(parts), placeOf(reader, name, footerStart));
  return { name, reader, footer, parts, kind: footerKind(parts) };
}

/** A row group of a source. */
export interface SourceGroup {
  parts: RowGroupParts;
  /** Chunks by leaf. */
  chunks: ReadonlyMap<number, ColumnChunk>;
}

/**
 * Reads what a source's footer says of a row group.
 * @param leaves those that are wanted; all where they are left out
 * @throws LakegateError `corrupt`, `unsupported` for chunks that are encrypted or lie in other files
 */
export function readSourceGroup(
  { footer, parts, name, reader }: CopySource,
  index: number,
  leaves: Iterable<number> = footer.leaves.keys(),
): SourceGroup {
  const group = parts.rowGroups[index];
  if (group === undefined) throw corrupt(name, `it has ${parts.rowGroups.length} row groups, and no number ${index}`);
  return readingOf(name, `row group ${index}`, () => {
    const own = rowGroupParts(group);
    if (own.chunks.length !== footer.leaves.length) {
      throw new Error(`has ${own.chunks.length} column chunks where the schema has ${footer.leaves.length} columns`);
    }
    const place = placeOf(reader, name, footer.footerStart);
    const chunkAt = (leaf: number) => parseChunk(own.chunks[leaf]!, footer.leaves[leaf]!, own.numRows, place);
    return { parts: own, chunks: new Map(Array.from(leaves, (leaf) => [leaf, chunkAt(leaf)])) };
  });
}

function placeOf({ url, byteLength }: RangeReader, name: string, footerStart: number): FooterPlace {
  return { url, name, fileSize: byteLength, footerStart };
}

/**
 * Appends row groups of a source to copies: the chunks of their columns, as they are, with statistics, page indexes and bloom filters. Each
 * byte of the source is read once, whichever of the copies take it.
 * @param groups numbers of the row groups, ascending
 * @throws LakegateError `not_found` for a column that the source lacks, `invalid` when the source is of another kind than those before it,
 *   `corrupt`, and what reader and writers throw. The copies are then spoiled, and to be aborted.
 */
export async function copyRowGroups(
  source: CopySource,
  groups: readonly number[],
  copies: readonly ColumnCopy[],
): Promise<void> {
  const byName = new Map(source.parts.columns.map((column) => [column.name, column]));
  const targets = copies.map((copy) => {
    const columns = columnsIn(source, byName, copy);
    return { copy, columns, leaves: columns.flatMap(({ column }) => range(column.firstLeaf, column.endLeaf)) };
  });
  const scratch: Scratch = { sink: thriftSink(), rooms: [] };
  const wanted = new Set(targets.flatMap(({ leaves }) => leaves));
  for (const index of groups) {
    const { parts, chunks } = knownGroup(source, index, wanted) ?? readSourceGroup(source, index, wanted);
    await copyRowGroup(
      source,
      { parts, chunks: await withBloomFilterLengths(source.reader, chunks) },
      targets,
      scratch,
    );
  }
}

/** A row group that was read before, with the leaves that are wanted. */
function knownGroup({ groups }: CopySource, index: number, leaves: ReadonlySet<number>): SourceGroup | undefined {
  const group = groups?.[index];
  if (group === undefined || group.chunks.size === leaves.size) return group;
  return { ...group, chunks: new Map(Array.from(leaves, (leaf) => [leaf, group.chunks.get(leaf)!])) };
}

/** Ends a copy: writes its footer, and makes it the object it is to be. @returns its size in bytes */
export async function finishCopy({ writer, like, rowGroups, rows }: ColumnCopy): Promise<{ size: number }> {
  if (like === undefined) throw new LakegateError('internal', 'a copy was finished before anything was copied into it');
  const footer = projectedFooter(like.parts, like.columns, rowGroups, rows);
  const tail = new Uint8Array(8);
  new DataView(tail.buffer).setUint32(0, footer.length, true);
  tail.set(MAGIC, 4);
  await writer.write(footer);
  await writer.write(tail);
  return writer.finish();
}

interface Target {
  copy: ColumnCopy;
  columns: ProjectedColumn[];
  /** Of the columns, in their order. */
  leaves: number[];
}

function columnsIn(
  { parts, name, kind }: CopySource,
  byName: ReadonlyMap<string, ColumnParts>,
  copy: ColumnCopy,
): ProjectedColumn[] {
  const columns = copy.columns.map((wanted) => {
    const column = byName.get(wanted.source);
    if (column !== undefined) return { column, name: wanted.name };
    throw new LakegateError('not_found', `${name} has no column \`${wanted.source}\`. Plan the copy again.`, {
      context: { url: name, column: wanted.source },
    });
  });
  copy.like ??= { name, parts, kind, columns };
  if (copy.like.kind === kind) return columns;
  throw new LakegateError(
    'invalid',
    `${name} and ${copy.like.name} cannot stand under one footer: their schemas or writers differ. Copy them into files of their own.`,
    { context: { url: name, other: copy.like.name } },
  );
}

/** Memory that all row groups use again. */
interface Scratch {
  sink: ThriftSink;
  rooms: Uint8Array[];
}

async function copyRowGroup(
  { reader, name, footer }: CopySource,
  { parts, chunks: columns }: SourceGroup,
  targets: readonly Target[],
  { sink, rooms }: Scratch,
): Promise<void> {
  const placed = targets.map((target) => ({
    ...target,
    layout: rowGroupLayout(columns, target.leaves, target.copy.position, footer.footerStart),
  }));
  for (const movesOf of [
    ({ chunks }: RowGroupLayout) => chunks.slice(0, 1),
    ({ chunks }: RowGroupLayout) => chunks.slice(1),
    ({ bloomFilters }: RowGroupLayout) => bloomFilters,
    ({ columnIndexes }: RowGroupLayout) => columnIndexes,
  ]) {
    await streamSpans(reader, transfers(reader, placed, movesOf), streamOptions(reader), rooms);
  }
  const offsetIndexes = await readSpans(
    reader,
    placed.flatMap(({ layout }) => layout.offsetIndexes),
  );
  for (const target of placed) await finishRowGroup(target);

  async function finishRowGroup(made: Target & { layout: RowGroupLayout }): Promise<void> {
    const { copy, layout, leaves } = made;
    const shiftOf = new Map(layout.chunks.map(({ leaf, source, to }) => [leaf, to - source.start]));
    let end = layout.end;
    const indexPlaces = new Map<number, Span>();
    for (const { leaf } of layout.offsetIndexes) {
      const index = readingOf(name, 'an offset index', () =>
        shiftedOffsetIndex(offsetIndexes.get(leaf)!, shiftOf.get(leaf)!),
      );
      await copy.writer.write(index);
      indexPlaces.set(leaf, { start: end, end: end + index.length });
      end += index.length;
    }
    const places = { bloom: placesOf(layout.bloomFilters), column: placesOf(layout.columnIndexes) };
    const names = made.columns.flatMap(({ column, name: own }) =>
      range(column.firstLeaf, column.endLeaf).map(() => own),
    );
    for (const [at, leaf] of leaves.entries()) {
      const placement: Placement = {
        source: chunkSpan(columns.get(leaf)!, footer.footerStart),
        shift: shiftOf.get(leaf)!,
        name: names[at]!,
        ...given('columnIndex', places.column.get(leaf)),
        ...given('offsetIndex', indexPlaces.get(leaf)),
        ...given('bloomFilter', places.bloom.get(leaf)),
      };
      readingOf(name, `column ${names[at]}`, () => placedChunk(sink, parts.chunks[leaf]!, placement));
    }
    const sum = (of: 'totalCompressedSize' | 'totalUncompressedSize') =>
      leaves.reduce((total, leaf) => total + columns.get(leaf)![of], 0);
    copy.rowGroups.push(
      projectedRowGroup(parts, {
        chunks: takeWritten(sink),
        leaves,
        uncompressedSize: sum('totalUncompressedSize'),
        compressedSize: sum('totalCompressedSize'),
        start: copy.position,
        ordinal: copy.rowGroups.length,
      }),
    );
    copy.position = end;
    copy.rows += parts.numRows;
  }
}

function placesOf(moves: readonly Move[]): Map<number, Span> {
  return new Map(moves.map(({ leaf, source, to }) => [leaf, { start: to, end: to + source.end - source.start }]));
}

function given<K extends string>(key: K, span: Span | undefined): Partial<Record<K, Span>> {
  return span === undefined ? {} : ({ [key]: span } as Partial<Record<K, Span>>);
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
