import { readDataPage } from 'hyparquet/src/datapage.js';
import type { ColumnDecoder, DataPageHeader } from 'hyparquet/src/types.js';
import { decompressed } from './compression.ts';
import { type RowValue, rowForm } from './convert.ts';
import { expandRuns } from './hybrid.ts';
import { readPageLevels } from './level-pages.ts';
import type { Leaf } from './model.ts';
import type { ChunkPages, Page } from './pages.ts';

/** What a data page holds: the levels of its entries, and the values of those that have one. */
export interface DecodedPage {
  definition: Uint8Array;
  /** Only where the column repeats. */
  repetition?: Uint8Array;
  values: RowValue[];
}

/** Decodes the data pages of one column chunk, a page at a time. */
export async function* decodedPages(pages: ChunkPages): AsyncGenerator<DecodedPage> {
  const form = rowForm(pages.leaf);
  let dictionary: RowValue[] | undefined;
  for (let page = await pages.nextPage(); page !== undefined; page = await pages.nextPage()) {
    if (page.kind === 'dictionary') dictionary = await decodeDictionary(pages, page);
    else if (page.kind !== 'other') yield await decodePage(pages, page, dictionary, form);
  }
}

/** The entries of a dictionary page. @throws LakegateError `corrupt` */
export async function decodeDictionary(pages: ChunkPages, page: Page): Promise<RowValue[]> {
  const body = await pages.body(page, page.compressedSize);
  const form = rowForm(pages.leaf);
  return pages.decoding(() => {
    const bytes = decompressed(pages.compressed(page, body));
    return converted(storedValues(bytes, page.numValues, 'PLAIN', pages.leaf), form);
  });
}

/** A data page's levels, and the bytes of its values as they are encoded. */
export interface StoredPage {
  definition: Uint8Array;
  repetition?: Uint8Array;
  /** How many entries have a value. */
  present: number;
  /** Empty where no entry has one. */
  bytes: Uint8Array;
  encoding: string;
}

/** Reads a data page as far as its encoded values. @param room for them @throws LakegateError `corrupt` */
export async function storedPage(pages: ChunkPages, page: Page, room?: Uint8Array): Promise<StoredPage> {
  const { encoding } = page;
  const empty = new Uint8Array(0);
  if (page.numValues === 0) return { definition: empty, repetition: empty, present: 0, bytes: empty, encoding };
  const body = await pages.body(page, page.compressedSize);
  const { leaf } = pages;
  const { definition, repetition, valuesStart } = await readPageLevels(pages, page);
  const present = timesIn(definition, leaf.maxDefinitionLevel);
  const bytes = present === 0 ? empty : pages.decoding(() => valueBytes(pages, page, body, valuesStart, room));
  return { definition, ...(repetition === undefined ? {} : { repetition }), present, bytes, encoding };
}

/** By index: the iterator of a typed array makes an object for each of its numbers. */
function timesIn(levels: Uint8Array, wanted: number): number {
  let times = 0;
  for (let i = 0; i < levels.length; i++) if (levels[i] === wanted) times++;
  return times;
}

/** Whether values of the encoding are indexes into the chunk's dictionary. */
export function isDictionary(encoding: string): boolean {
  return encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY';
}

async function decodePage(
  pages: ChunkPages,
  page: Page,
  dictionary: RowValue[] | undefined,
  form: (stored: unknown) => RowValue,
): Promise<DecodedPage> {
  const { definition, repetition, present, bytes, encoding } = await storedPage(pages, page);
  const values = pages.decoding(() => {
    if (present === 0) return [];
    if (!isDictionary(encoding)) return converted(storedValues(bytes, present, encoding, pages.leaf), form);
    if (dictionary === undefined) throw new Error('a page refers to a dictionary that is not there');
    return lookedUp(bytes, present, dictionary);
  });
  return repetition === undefined ? { definition, values } : { definition, repetition, values };
}

/** The encoded values of a page: what follows the levels. */
function valueBytes(
  pages: ChunkPages,
  page: Page,
  body: Uint8Array,
  valuesStart: number,
  room: Uint8Array | undefined,
): Uint8Array {
  if (page.v2 === undefined) return decompressed(pages.compressed(page, body), room).subarray(valuesStart);
  const input = body.subarray(valuesStart);
  if (!page.v2.compressed) return input;
  const { codec } = pages.chunk;
  const compressedSize = page.compressedSize - valuesStart;
  const uncompressedSize = page.uncompressedSize - valuesStart;
  return decompressed({ codec, input, compressedSize, uncompressedSize }, room);
}

function converted(stored: ArrayLike<unknown>, form: (stored: unknown) => RowValue): RowValue[] {
  const values = new Array<RowValue>(stored.length);
  for (let i = 0; i < values.length; i++) values[i] = form(stored[i]);
  return values;
}

function lookedUp(bytes: Uint8Array, count: number, dictionary: RowValue[]): RowValue[] {
  const values = new Array<RowValue>(count);
  const indexes = dictionaryIndexes(bytes, count, dictionary.length);
  for (let i = 0; i < count; i++) values[i] = dictionary[indexes[i]!]!;
  return values;
}

/** The dictionary indexes that a page holds. @throws Error when one is beyond the dictionary's entries */
export function dictionaryIndexes(bytes: Uint8Array, count: number, entries: number): Uint32Array {
  const width = bytes[0] ?? 33;
  if (width > 32) throw new Error(`dictionary indexes cannot have ${width} bits`);
  const indexes = expandRuns(bytes.subarray(1), count, width);
  for (let i = 0; i < count; i++) {
    if (indexes[i]! >= entries) throw new Error(`dictionary index ${indexes[i]} is beyond its ${entries} entries`);
  }
  return indexes;
}

/** Values as stored: boolean, number, bigint or bytes (INT96 as its twelve bytes). */
export function storedValues(bytes: Uint8Array, count: number, encoding: string, leaf: Leaf): ArrayLike<unknown> {
  if (count === 0) return [];
  if (encoding === 'RLE') {
    if (leaf.physicalType !== 'BOOLEAN') throw new Error(`RLE is no encoding of ${leaf.physicalType} values`);
    return Array.from(expandRuns(bytes.subarray(4), count, 1), (bit) => bit === 1);
  }
  // The decoder makes views by place in the underlying buffer: in one of its own, no corrupt length reaches other bytes.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
  const type = leaf.physicalType === 'INT96' ? 'FIXED_LEN_BYTE_ARRAY' : leaf.physicalType;
  const element = { name: '', type, type_length: leaf.physicalType === 'INT96' ? 12 : leaf.typeLength };
  // Levels are taken off already: to the decoder this is a required column.
  const root = { children: [], count: 1, element: { name: 'root' }, path: [] };
  const decoder = { pathInSchema: [], type, element, schemaPath: [root] } as Partial<ColumnDecoder> as ColumnDecoder;
  const header = { num_values: count, encoding } as DataPageHeader;
  return readDataPage(own, header, decoder).dataPage as ArrayLike<unknown>;
}
