import { isStruct } from './annotation.ts';
import { ENCODINGS } from './metadata.ts';
import { type Cursor, readStruct, type ThriftStruct, type ThriftValue } from './thrift.ts';

/** A page as its header describes it (parquet.thrift: PageHeader). */
export interface PageHeader {
  kind: 'data' | 'dataV2' | 'dictionary' | 'other';
  compressedSize: number;
  uncompressedSize: number;
  /** Level entries of a data page (values and nulls), entries of a dictionary. */
  numValues: number;
  encoding: string;
  /** Format 1: how the levels are encoded. Format 2 always has RLE. */
  definitionEncoding: string;
  repetitionEncoding: string;
  /** Format 2 only. */
  v2?: {
    nulls: number;
    definitionBytes: number;
    repetitionBytes: number;
    /** Whether the values (never the levels) are compressed. */
    compressed: boolean;
  };
}

/**
 * Reads one page header and leaves the cursor at the page's body.
 * @throws TruncatedThrift when the bytes end too early, Error when they are no page header
 */
export function readPageHeader(cursor: Cursor): PageHeader {
  const header = readStruct(cursor);
  const page: PageHeader = {
    kind: 'other',
    uncompressedSize: size(header[2], 'uncompressed_page_size'),
    compressedSize: size(header[3], 'compressed_page_size'),
    numValues: 0,
    encoding: 'PLAIN',
    definitionEncoding: 'RLE',
    repetitionEncoding: 'RLE',
  };
  switch (header[1]) {
    case 0: {
      const data = part(header[5], 'data_page_header');
      page.kind = 'data';
      page.numValues = size(data[1], 'num_values');
      page.encoding = encoding(data[2]);
      page.definitionEncoding = encoding(data[3]);
      page.repetitionEncoding = encoding(data[4]);
      break;
    }
    case 2: {
      const dictionary = part(header[7], 'dictionary_page_header');
      page.kind = 'dictionary';
      page.numValues = size(dictionary[1], 'num_values');
      break;
    }
    case 3: {
      const data = part(header[8], 'data_page_header_v2');
      page.kind = 'dataV2';
      page.numValues = size(data[1], 'num_values');
      page.encoding = encoding(data[4]);
      page.v2 = {
        nulls: size(data[2], 'num_nulls'),
        definitionBytes: size(data[5], 'definition_levels_byte_length'),
        repetitionBytes: size(data[6], 'repetition_levels_byte_length'),
        compressed: data[7] !== false,
      };
      if (page.v2.nulls > page.numValues) throw new Error('a page has more nulls than values');
      const levels = page.v2.definitionBytes + page.v2.repetitionBytes;
      if (levels > page.compressedSize || levels > page.uncompressedSize) {
        throw new Error('a page has levels longer than itself');
      }
      break;
    }
    default:
      if (typeof header[1] !== 'number') throw new Error('a page has no type');
  }
  return page;
}

function part(value: ThriftValue | undefined, what: string): ThriftStruct {
  if (!isStruct(value)) throw new Error(`a page has no ${what}`);
  return value;
}

function size(value: ThriftValue | undefined, what: string): number {
  if (typeof value !== 'number' || value < 0 || value > 0x7fffffff)
    throw new Error(`a page's ${what} is ${String(value)}`);
  return value;
}

function encoding(value: ThriftValue | undefined): string {
  return ENCODINGS[Number(value)] ?? `UNKNOWN_${String(value)}`;
}
