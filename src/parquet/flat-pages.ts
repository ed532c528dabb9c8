import { decompressed } from './compression.ts';
import { dictionaryIndexes, isDictionary, storedPage, storedValues } from './decode.ts';
import {
  type ByteEntries,
  type BytesColumn,
  type FlatColumn,
  joinColumns,
  ownColumn,
  sliceColumn,
} from './flat-column.ts';
import { expandRuns } from './hybrid.ts';
import type { Leaf, PhysicalType } from './model.ts';
import type { ChunkPages, Page, PageRoom } from './pages.ts';
import { firstNotUtf8 } from './text.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const WIDTHS: Partial<Record<PhysicalType, 1 | 4 | 8>> = { BOOLEAN: 1, INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8 };

/**
 * Takes the rows of one unrepeated, top-level column chunk as stored (INT96 and FIXED_LEN_BYTE_ARRAY as bytes), a page at a time. Values are copied
 * or viewed, never made into objects; those of a dictionary stay in it. What was taken is good until the next rows are.
 */
export class FlatPages {
  private readonly pages: ChunkPages;
  private dictionary: FlatColumn | undefined;
  private page: FlatColumn | undefined;
  private taken = 0;
  private readonly room: PageRoom;

  /** @param room where pages are decompressed */
  constructor(pages: ChunkPages, room: PageRoom) {
    this.pages = pages;
    this.room = room;
  }

  /** The next `rows` rows. @throws LakegateError `corrupt` when the pages end before */
  async take(rows: number): Promise<FlatColumn> {
    const parts: FlatColumn[] = [];
    for (let left = rows; left > 0; ) {
      const page = this.page;
      if (page === undefined || this.taken === page.rows) {
        // The next page takes this one's place.
        for (const [index, part] of parts.entries()) parts[index] = ownColumn(part, this.dictionary);
        if (!(await this.nextPage())) throw this.pages.fault(`its pages end ${left} rows early`);
        continue;
      }
      const end = Math.min(page.rows, this.taken + left);
      parts.push(sliceColumn(page, this.taken, end));
      left -= end - this.taken;
      this.taken = end;
    }
    return joinColumns(parts);
  }

  private async nextPage(): Promise<boolean> {
    for (let page = await this.pages.nextPage(); page !== undefined; page = await this.pages.nextPage()) {
      if (page.kind === 'dictionary') this.dictionary = await this.readDictionary(page);
      else if (page.kind !== 'other') {
        this.page = await this.readPage(page);
        this.taken = 0;
        return true;
      }
    }
    return false;
  }

  private async readDictionary(page: Page): Promise<FlatColumn> {
    const body = await this.pages.body(page, page.compressedSize);
    return this.pages.decoding(() => {
      const bytes = decompressed(this.pages.compressed(page, body));
      // Pages come and go, the dictionary stays.
      const own = this.pages.chunk.codec === 'UNCOMPRESSED' ? new Uint8Array(bytes) : bytes;
      return denseValues(own, page.numValues, 'PLAIN', this.pages.leaf);
    });
  }

  private async readPage(page: Page): Promise<FlatColumn> {
    const room = this.room.bytes(page.uncompressedSize);
    const { definition, present, bytes: read, encoding } = await storedPage(this.pages, page, room);
    const { leaf, chunk } = this.pages;
    return this.pages.decoding(() => {
      // What is not compressed still lies where it was read, which is about to be read over.
      const uncompressed = chunk.codec === 'UNCOMPRESSED' || page.v2?.compressed === false;
      const bytes = uncompressed ? new Uint8Array(read) : read;
      const values = isDictionary(encoding)
        ? fromDictionary(bytes, present, this.dictionary, leaf)
        : denseValues(bytes, present, encoding, leaf);
      // Of an optional column's levels, 1 is a value and 0 a null: they are the presence already.
      return present === definition.length ? values : spread(values, definition);
    });
  }
}

function fromDictionary(bytes: Uint8Array, count: number, dictionary: FlatColumn | undefined, leaf: Leaf): FlatColumn {
  if (count === 0) return denseValues(bytes, 0, 'PLAIN', leaf);
  if (dictionary === undefined) throw new Error('a page refers to a dictionary that is not there');
  const indexes = dictionaryIndexes(bytes, count, dictionary.rows);
  if (dictionary.kind === 'bytes') return { kind: 'bytes', rows: count, entries: dictionary.entries, indexes };
  const { width } = dictionary;
  const values = new Uint8Array(count * width);
  if (width === 1) for (let i = 0; i < count; i++) values[i] = dictionary.bytes[indexes[i]!]!;
  else {
    // Words are moved as whole numbers, which keeps every bit of a NaN.
    const from = words(dictionary.bytes);
    const to = words(values);
    if (width === 4) for (let i = 0; i < count; i++) to[i] = from[indexes[i]!]!;
    else
      for (let i = 0; i < count; i++) {
        const index = 2 * indexes[i]!;
        to[2 * i] = from[index]!;
        to[2 * i + 1] = from[index + 1]!;
      }
  }
  return { kind: 'fixed', rows: count, width, bytes: values };
}

/** Values one after the other, without nulls between them. */
function denseValues(bytes: Uint8Array, count: number, encoding: string, leaf: Leaf): FlatColumn {
  const width = WIDTHS[leaf.physicalType];
  if (width === undefined) return denseBytes(bytes, count, encoding, leaf);
  if (width === 1) {
    const bits = encoding === 'RLE' ? expandRuns(bytes.subarray(4), count, 1) : undefined;
    const values = new Uint8Array(count);
    if (bits === undefined && (encoding !== 'PLAIN' || bytes.length * 8 < count)) throw endsEarly(count);
    for (let i = 0; i < count; i++) values[i] = bits === undefined ? (bytes[i >> 3]! >> (i & 7)) & 1 : bits[i]!;
    return { kind: 'fixed', rows: count, width, bytes: values };
  }
  if (encoding === 'PLAIN') {
    if (bytes.length < count * width) throw endsEarly(count);
    return { kind: 'fixed', rows: count, width, bytes: bytes.subarray(0, count * width) };
  }
  const stored = storedValues(bytes, count, encoding, leaf);
  const values = new Uint8Array(count * width);
  const view = new DataView(values.buffer);
  for (let i = 0; i < count; i++) {
    const value = stored[i] as number | bigint;
    if (typeof value === 'bigint') view.setBigInt64(8 * i, value, true);
    else if (leaf.physicalType === 'INT32') view.setInt32(4 * i, value, true);
    else if (leaf.physicalType === 'FLOAT') view.setFloat32(4 * i, value, true);
    else view.setFloat64(8 * i, value, true);
  }
  return { kind: 'fixed', rows: count, width, bytes: values };
}

/** @throws TypeError when the column is one of text and a value is not UTF-8 */
function denseBytes(bytes: Uint8Array, count: number, encoding: string, leaf: Leaf): BytesColumn {
  const { annotation, physicalType, typeLength } = leaf;
  let entries: ByteEntries;
  if (encoding !== 'PLAIN') entries = gathered(storedValues(bytes, count, encoding, leaf) as ArrayLike<Uint8Array>);
  else if (physicalType === 'BYTE_ARRAY') entries = plainBytes(bytes, count);
  else entries = fixedLengths(bytes, count, physicalType === 'INT96' ? 12 : (typeLength ?? 0));
  if (annotation?.kind === 'string' || annotation?.kind === 'enum' || annotation?.kind === 'json') {
    const bad = firstNotUtf8(entries);
    if (bad !== undefined) strict.decode(entries.data.subarray(entries.starts[bad], entries.ends[bad]));
  }
  return { kind: 'bytes', rows: count, entries };
}

function endsEarly(count: number): Error {
  return new Error(`a page ends before its ${count} values`);
}

function plainBytes(data: Uint8Array, count: number): ByteEntries {
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const start = at + 4;
    if (start > data.length) throw endsEarly(count);
    const length = (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
    at = start + length;
    if (at > data.length) throw endsEarly(count);
    starts[i] = start;
    ends[i] = at;
  }
  return { data, starts, ends };
}

function fixedLengths(data: Uint8Array, count: number, length: number): ByteEntries {
  if (data.length < count * length) throw endsEarly(count);
  const starts = Uint32Array.from({ length: count }, (_, i) => i * length);
  const ends = starts.map((start) => start + length);
  return { data, starts, ends };
}

function gathered(values: ArrayLike<Uint8Array>): ByteEntries {
  const starts = new Uint32Array(values.length);
  const ends = new Uint32Array(values.length);
  let end = 0;
  for (let i = 0; i < values.length; i++) {
    starts[i] = end;
    end += values[i]!.length;
    ends[i] = end;
  }
  const data = new Uint8Array(end);
  for (let i = 0; i < values.length; i++) data.set(values[i]!, starts[i]);
  return { data, starts, ends };
}

/** Gives each value the row that has one: `present` has a 1 for each of them. */
function spread(values: FlatColumn, present: Uint8Array): FlatColumn {
  const rows = present.length;
  if (values.kind === 'fixed') {
    const { width } = values;
    const bytes = new Uint8Array(rows * width);
    for (let row = 0, from = 0; row < rows; row++) {
      if (present[row] === 0) continue;
      for (let to = row * width; to < (row + 1) * width; ) bytes[to++] = values.bytes[from++]!;
    }
    return { kind: 'fixed', rows, width, bytes, present };
  }
  const { entries, indexes } = values;
  const slots = (dense: Uint32Array): Uint32Array => {
    const slotted = new Uint32Array(rows);
    for (let row = 0, from = 0; row < rows; row++) if (present[row] !== 0) slotted[row] = dense[from++]!;
    return slotted;
  };
  if (indexes !== undefined) return { kind: 'bytes', rows, entries, indexes: slots(indexes), present };
  const { data, starts, ends } = entries;
  return { kind: 'bytes', rows, entries: { data, starts: slots(starts), ends: slots(ends) }, present };
}

/** Bytes as 32-bit words; copied where they do not begin at a word's place. */
function words(bytes: Uint8Array): Int32Array {
  const own = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(own.buffer, own.byteOffset, own.byteLength >> 2);
}
