import { changed, encodeInteger, encodeList, encodeStruct, integerOf, rawList, rawStruct, TYPE } from './raw-thrift.ts';
import { type Cursor, readZigZag } from './thrift.ts';
import {
  eachField,
  type ThriftSink,
  writeInteger,
  writeListHead,
  writeRaw,
  writeStruct,
  writeVarint,
} from './thrift-sink.ts';

/** Field ids of parquet.thrift: ColumnChunk, ColumnMetaData, OffsetIndex, PageLocation. */
const CHUNK = {
  fileOffset: 2,
  metadata: 3,
  offsetIndexOffset: 4,
  offsetIndexLength: 5,
  columnIndexOffset: 6,
  columnIndexLength: 7,
};
const META = {
  path: 3,
  dataPage: 9,
  indexPage: 10,
  dictionaryPage: 11,
  bloomFilterOffset: 14,
  bloomFilterLength: 15,
};
const PAGE_LOCATIONS = 1;
const PAGE_OFFSET = 1;

/** Bytes somewhere in a file: [start, end). */
export interface Span {
  start: number;
  end: number;
}

/** Where a column chunk and what belongs to it are in the new file. */
export interface Placement {
  /** The chunk in the old file. */
  source: Span;
  /** What is added to its offsets. */
  shift: number;
  /** The top-level column's new name. */
  name: string;
  columnIndex?: Span;
  offsetIndex?: Span;
  bloomFilter?: Span;
}

/**
 * Writes a ColumnChunk at its new place: offsets shifted, the first part of its path renamed, everything else (statistics, encodings, fields of newer
 * formats) byte for byte as it was.
 * @throws Error when the bytes are no thrift
 */
export function placedChunk(sink: ThriftSink, chunk: Uint8Array, placement: Placement): void {
  const { columnIndex, offsetIndex } = placement;
  const cursor = { bytes: chunk, offset: 0 };
  writeStruct(sink, (begin) => {
    let indexed = false;
    const writeIndexes = () => {
      if (indexed) return;
      indexed = true;
      writeSpan(sink, begin, CHUNK.offsetIndexOffset, offsetIndex);
      writeSpan(sink, begin, CHUNK.columnIndexOffset, columnIndex);
    };
    eachField(cursor, ({ id, type, start, end }) => {
      if (id >= CHUNK.offsetIndexOffset && id <= CHUNK.columnIndexLength) return;
      if (id > CHUNK.columnIndexLength) writeIndexes();
      begin(id, type);
      // Deprecated, and required: some wrote where the chunk begins or ends, newer ones 0.
      if (id === CHUNK.fileOffset) writeInteger(sink, shifted(chunk, start, placement) ?? 0);
      else if (id === CHUNK.metadata) placedMetadata(sink, { bytes: chunk, offset: start }, placement);
      else writeRaw(sink, chunk, start, end);
    });
    writeIndexes();
  });
}

type Begin = (id: number, type: number) => void;

function writeSpan(sink: ThriftSink, begin: Begin, id: number, span: Span | undefined): void {
  if (span === undefined) return;
  begin(id, TYPE.i64);
  writeInteger(sink, span.start);
  begin(id + 1, TYPE.i32);
  writeInteger(sink, span.end - span.start);
}

/** The new place of what an offset names; undefined where that lies outside of the chunk. */
function shifted(bytes: Uint8Array, at: number, { source, shift }: Placement): number | undefined {
  const offset = readZigZag({ bytes, offset: at });
  if (typeof offset !== 'number') throw new Error(`${offset} is beyond what a size can be`);
  return offset >= source.start && offset <= source.end ? offset + shift : undefined;
}

function placedMetadata(sink: ThriftSink, cursor: Cursor, placement: Placement): void {
  const { bytes } = cursor;
  const { source, shift, bloomFilter } = placement;
  writeStruct(sink, (begin) => {
    const writeNumber = (id: number, type: number, value: number | undefined) => {
      if (value === undefined) return;
      begin(id, type);
      writeInteger(sink, value);
    };
    eachField(cursor, ({ id, type, start, end }) => {
      switch (id) {
        case META.path:
          begin(id, type);
          writePath(sink, bytes.subarray(start, end), placement);
          return;
        case META.dataPage:
          // A chunk without values may say anything.
          return writeNumber(id, type, shifted(bytes, start, placement) ?? source.start + shift);
        case META.indexPage:
        case META.dictionaryPage:
          // 0, or a place elsewhere, is some writers' way to say that there is none.
          return writeNumber(id, type, shifted(bytes, start, placement));
        case META.bloomFilterOffset:
          return writeNumber(id, type, bloomFilter?.start);
        case META.bloomFilterLength:
          return writeNumber(id, type, bloomFilter && bloomFilter.end - bloomFilter.start);
        default:
          begin(id, type);
          writeRaw(sink, bytes, start, end);
      }
    });
  });
}

/** A path whose first part has a new name. */
function writePath(sink: ThriftSink, path: Uint8Array, { name }: Placement): void {
  const { type, items } = rawList(path);
  const [first, ...rest] = items;
  writeListHead(sink, type, items.length);
  if (first === undefined) return;
  const text = Buffer.from(name, 'utf8');
  writeVarint(sink, text.length);
  writeRaw(sink, text, 0, text.length);
  for (const part of rest) writeRaw(sink, part, 0, part.length);
}

/** An OffsetIndex whose pages have moved. @throws Error when the bytes are no thrift */
export function shiftedOffsetIndex(index: Uint8Array, shift: number): Buffer {
  const { fields } = rawStruct(index);
  return encodeStruct(
    fields.map((field) => {
      if (field.id !== PAGE_LOCATIONS) return field;
      const { type, items } = rawList(field.value);
      const moved = items.map((location) => {
        const page = rawStruct(location).fields;
        const offset = page.find(({ id }) => id === PAGE_OFFSET);
        if (offset === undefined) throw new Error('a page location has no offset');
        const value = encodeInteger(integerOf(offset.value) + shift);
        return encodeStruct(changed(page, new Map([[PAGE_OFFSET, value]])));
      });
      return { ...field, value: encodeList(type, moved) };
    }),
  );
}
