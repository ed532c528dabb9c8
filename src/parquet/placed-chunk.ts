import {
  changed,
  encodeInteger,
  encodeList,
  encodeStruct,
  encodeText,
  integerOf,
  type RawField,
  rawList,
  rawStruct,
  TYPE,
} from './raw-thrift.ts';

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
 * A ColumnChunk at its new place: offsets shifted, the first part of its path renamed, everything else (statistics, encodings, fields of newer
 * formats) byte for byte as it was.
 * @throws Error when the bytes are no thrift
 */
export function placedChunk(chunk: Uint8Array, placement: Placement): Buffer {
  const { columnIndex, offsetIndex, source, shift } = placement;
  const inside = (value: Uint8Array) => {
    const offset = integerOf(value);
    return offset >= source.start && offset <= source.end ? encodeInteger(offset + shift) : undefined;
  };
  const fields = rawStruct(chunk).fields.flatMap((field): RawField[] => {
    if (field.id >= CHUNK.offsetIndexOffset && field.id <= CHUNK.columnIndexLength) return [];
    // Deprecated, and required: some wrote where the chunk begins or ends, newer ones 0.
    if (field.id === CHUNK.fileOffset) return [{ ...field, value: inside(field.value) ?? encodeInteger(0) }];
    if (field.id === CHUNK.metadata) return [{ ...field, value: placedMetadata(field.value, placement, inside) }];
    return [field];
  });
  const at = fields.findIndex(({ id }) => id > CHUNK.columnIndexLength);
  fields.splice(
    at === -1 ? fields.length : at,
    0,
    ...spanFields(CHUNK.offsetIndexOffset, offsetIndex),
    ...spanFields(CHUNK.columnIndexOffset, columnIndex),
  );
  return encodeStruct(fields);
}

function spanFields(id: number, span: Span | undefined): RawField[] {
  if (span === undefined) return [];
  return [
    { id, type: TYPE.i64, value: encodeInteger(span.start) },
    { id: id + 1, type: TYPE.i32, value: encodeInteger(span.end - span.start) },
  ];
}

function placedMetadata(
  metadata: Uint8Array,
  { source, shift, name, bloomFilter }: Placement,
  inside: (value: Uint8Array) => Uint8Array | undefined,
): Buffer {
  return encodeStruct(
    rawStruct(metadata).fields.flatMap((field): RawField[] => {
      switch (field.id) {
        case META.path: {
          const { type, items } = rawList(field.value);
          return [
            { ...field, value: encodeList(type, items.length === 0 ? items : [encodeText(name), ...items.slice(1)]) },
          ];
        }
        case META.dataPage:
          // A chunk without values may say anything.
          return [{ ...field, value: inside(field.value) ?? encodeInteger(source.start + shift) }];
        case META.indexPage:
        case META.dictionaryPage: {
          // 0, or a place elsewhere, is some writers' way to say that there is none.
          const value = inside(field.value);
          return value === undefined ? [] : [{ ...field, value }];
        }
        case META.bloomFilterOffset:
          return bloomFilter === undefined ? [] : [{ ...field, value: encodeInteger(bloomFilter.start) }];
        case META.bloomFilterLength:
          return bloomFilter === undefined
            ? []
            : [{ ...field, value: encodeInteger(bloomFilter.end - bloomFilter.start) }];
        default:
          return [field];
      }
    }),
  );
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
