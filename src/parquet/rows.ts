import type { RangeReader } from '../storage/store.ts';
import { type Assembled, type LeafEntries, takeValue } from './assembly.ts';
import type { RowValue } from './convert.ts';
import { type DecodedPage, decodedPages } from './decode.ts';
import { readingOf } from './fault.ts';
import type { FlatColumn } from './flat-column.ts';
import { FlatPages } from './flat-pages.ts';
import { leavesUnder } from './logical.ts';
import type { LogicalField, ParquetFooter } from './model.ts';
import { ChunkPages, PageRoom } from './pages.ts';

/** Consecutive rows of a file, by column. */
export interface RowBatch {
  /** File-wide position of the first row, zero-based. */
  firstRow: number;
  rows: number;
  /** Values of each top-level column that was asked for, `rows` of them; nulls are null. */
  columns: Record<string, Assembled[]>;
}

/** As RowBatch, but primitive columns come as stored, unboxed. */
export interface ColumnBatch {
  firstRow: number;
  rows: number;
  /** Lists, maps and structs as in RowBatch. */
  columns: Record<string, Assembled[] | FlatColumn>;
}

/** What to read of a file. */
export interface ReadOptions {
  /** Indexes of the row groups to read, all in order by default. */
  rowGroups?: readonly number[];
  /** Names of the top-level columns to read, all by default. */
  columns?: readonly string[];
  /** Rows per batch at most, 8192 by default. */
  batchRows?: number;
}

const BATCH_ROWS = 8192;

/**
 * Decodes rows without loss, in batches that never span row groups; at most a page of each column and a batch is held.
 *
 * Values are `null` where null; boolean; number for float16, float, double and integers of up to 32 bits (signed or not); bigint for int64 and
 * uint64; for a decimal, however stored, the unscaled bigint (its scale is in the leaf's annotation); for a date the number of days since
 * 1970-01-01; for a time its count since midnight (millis: number, micros and nanos: bigint); for a timestamp the bigint count of the leaf's
 * annotated unit since the epoch; for INT96 the bigint nanoseconds since the epoch; string for string, enum and json; Uint8Array for uuid (16
 * bytes), bson, interval, geometry, geography and unannotated bytes. A struct is an object by field name, a list an array, a map an array of
 * [key, value] pairs in file order.
 *
 * @param openReader called once; the reader is closed when the rows end or the consumer stops
 * @param options.flat gives primitive top-level columns as FlatColumns of stored values, which cost no object each; they are good until the next
 *   batch is asked for
 * @throws LakegateError `corrupt`, and what the reader throws
 */
export function readRows(
  footer: ParquetFooter,
  openReader: () => Promise<RangeReader>,
  options: ReadOptions & { flat: true },
): AsyncGenerator<ColumnBatch>;
export function readRows(
  footer: ParquetFooter,
  openReader: () => Promise<RangeReader>,
  options?: ReadOptions,
): AsyncGenerator<RowBatch>;
export async function* readRows(
  footer: ParquetFooter,
  openReader: () => Promise<RangeReader>,
  options: ReadOptions & { flat?: boolean } = {},
): AsyncGenerator<ColumnBatch> {
  const fields = footer.fields.filter((field) => options.columns?.includes(field.name) ?? true);
  const batchRows = options.batchRows ?? BATCH_ROWS;
  const isFlat = (field: LogicalField): boolean =>
    options.flat === true && field.kind === 'primitive' && field.leaf?.maxRepetitionLevel === 0;
  // Flat columns are read one after the other, and each is decompressed in the same place for all row groups.
  const rooms = new Map<number, PageRoom>();
  const reader = await openReader();
  // Where each read is a round trip, a window is kept for each column instead.
  const readRoom = reader.cheapSeeks ? new PageRoom() : undefined;
  try {
    for (const rowGroup of options.rowGroups ?? footer.rowGroups.keys()) {
      const group = footer.rowGroups[rowGroup]!;
      const flat = new Map<number, FlatPages>();
      const streams = new Map<number, EntryStream>();
      for (const field of fields) {
        for (const { leaf } of leavesUnder(field)) {
          const { index } = leaf!;
          if (isFlat(field)) {
            const room = rooms.get(index) ?? new PageRoom();
            rooms.set(index, room);
            flat.set(index, new FlatPages(new ChunkPages(footer, reader, rowGroup, leaf!, true, readRoom), room));
          } else streams.set(index, new EntryStream(new ChunkPages(footer, reader, rowGroup, leaf!, true)));
        }
      }
      for (let done = 0; done < group.numRows; done += batchRows) {
        const rows = Math.min(batchRows, group.numRows - done);
        const entries = new Map<number, LeafEntries>();
        for (const [index, stream] of streams) entries.set(index, await stream.take(rows));
        const columns: [string, Assembled[] | FlatColumn][] = [];
        for (const field of fields) {
          const pages = field.leaf && flat.get(field.leaf.index);
          columns.push([field.name, pages ? await pages.take(rows) : columnOf(footer, field, rows, entries)]);
        }
        yield { firstRow: group.firstRow + done, rows, columns: Object.fromEntries(columns) };
      }
    }
  } finally {
    await reader.close();
  }
}

function columnOf(
  footer: ParquetFooter,
  field: LogicalField,
  rows: number,
  entries: ReadonlyMap<number, LeafEntries>,
): Assembled[] {
  return readingOf(footer.url, `column \`${field.path}\``, () => {
    const values = new Array<Assembled>(rows);
    for (let row = 0; row < rows; row++) values[row] = takeValue(field, entries);
    return values;
  });
}

/** Cuts a leaf's pages into runs of entries that hold whole rows. */
class EntryStream {
  private readonly chunk: ChunkPages;
  private readonly pages: AsyncGenerator<DecodedPage>;
  private readonly presentLevel: number;
  private page: DecodedPage = { definition: new Uint8Array(0), values: [] };
  private entry = 0;
  private value = 0;

  constructor(chunk: ChunkPages) {
    this.chunk = chunk;
    this.pages = decodedPages(chunk);
    this.presentLevel = chunk.leaf.maxDefinitionLevel;
  }

  /** The entries of the next `rows` rows. @throws LakegateError `corrupt` when the pages end before */
  async take(rows: number): Promise<LeafEntries> {
    const parts: { definition: Uint8Array; repetition?: Uint8Array }[] = [];
    let values: RowValue[] = [];
    let seen = 0;
    while (true) {
      const { definition, repetition } = this.page;
      const start = this.entry;
      // A row ends where the next begins, which for a repeated column may be pages further on.
      let present = 0;
      for (; this.entry < definition.length; this.entry++) {
        if (repetition === undefined || repetition[this.entry] === 0) {
          if (seen === rows) break;
          seen++;
        }
        if (definition[this.entry] === this.presentLevel) present++;
      }
      const part = { definition: definition.subarray(start, this.entry) };
      parts.push(repetition === undefined ? part : { ...part, repetition: repetition.subarray(start, this.entry) });
      const taken = this.page.values.slice(this.value, this.value + present);
      values = values.length === 0 ? taken : values.concat(taken);
      this.value += present;
      if (this.entry < definition.length) break;
      if (seen === rows && repetition === undefined) break;
      const next = await this.pages.next();
      if (next.done) break;
      this.page = next.value;
      this.entry = 0;
      this.value = 0;
    }
    if (seen < rows) throw this.chunk.fault(`its pages end ${rows - seen} rows early`);
    return joined(parts, values);
  }
}

function joined(parts: { definition: Uint8Array; repetition?: Uint8Array }[], values: RowValue[]): LeafEntries {
  const definition = concatenated(parts.map((part) => part.definition));
  if (parts.every((part) => part.repetition === undefined)) return { definition, values, entry: 0, value: 0 };
  const repetition = concatenated(parts.map((part) => part.repetition ?? new Uint8Array(part.definition.length)));
  return { definition, repetition, values, entry: 0, value: 0 };
}

function concatenated(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
