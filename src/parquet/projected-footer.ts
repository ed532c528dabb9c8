import { createHash } from 'node:crypto';
import { type ColumnParts, ELEMENT, FILE, type FooterParts, GROUP, type RowGroupParts } from './footer-parts.ts';
import {
  changed,
  encodeInteger,
  encodeList,
  encodeListOf,
  encodeStruct,
  encodeText,
  integerOf,
  type RawField,
  rawList,
  rawStruct,
  TYPE,
} from './raw-thrift.ts';

/** A source column under its name in the copy. */
export interface ProjectedColumn {
  column: ColumnParts;
  name: string;
}

/**
 * Entries that describe the source's whole schema, in the words of a writer: in a file with some of the columns under other names they mislead
 * (Spark takes its own for the schema of the file). The Parquet schema says what is needed.
 */
const ABOUT_ALL_COLUMNS = new Set([
  'ARROW:schema',
  'pandas',
  'org.apache.spark.sql.parquet.row.metadata',
  'parquet.avro.schema',
  'avro.schema',
  'iceberg.schema',
  'geo',
]);

/** What is known of a row group in its new place. */
export interface RowGroupFacts {
  /** ColumnChunk of each leaf, in the copy's order, one behind the other. */
  chunks: Uint8Array;
  /** The leaves that they were in the source. */
  leaves: readonly number[];
  uncompressedSize: number;
  compressedSize: number;
  /** Where its first chunk begins. */
  start: number;
  /** Its number in the copy. */
  ordinal: number;
}

/** The largest i16. */
const LAST_ORDINAL = 0x7fff;

/** A RowGroup of some of the source's columns; fields that are not known here stay. */
export function projectedRowGroup(source: RowGroupParts, facts: RowGroupFacts): Buffer {
  const fields = source.fields.flatMap((field): RawField[] => {
    switch (field.id) {
      case GROUP.columns:
        return [{ ...field, value: encodeListOf(TYPE.struct, facts.leaves.length, facts.chunks) }];
      case GROUP.byteSize:
        return [{ ...field, value: encodeInteger(facts.uncompressedSize) }];
      case GROUP.compressedSize:
        return [{ ...field, value: encodeInteger(facts.compressedSize) }];
      case GROUP.fileOffset:
        return [{ ...field, value: encodeInteger(facts.start) }];
      case GROUP.ordinal:
        return facts.ordinal > LAST_ORDINAL ? [] : [{ ...field, value: encodeInteger(facts.ordinal) }];
      case GROUP.sorting:
        return sortedBy(field, facts.leaves);
      default:
        return [field];
    }
  });
  return encodeStruct(fields);
}

/** Rows sorted by (a, b) are sorted by a where b is gone, and by nothing known where a is. */
function sortedBy(field: RawField, leaves: readonly number[]): RawField[] {
  const { type, items } = rawList(field.value);
  const kept: Uint8Array[] = [];
  for (const item of items) {
    const { fields } = rawStruct(item);
    const column = fields.find(({ id }) => id === 1);
    const at = column === undefined ? -1 : leaves.indexOf(integerOf(column.value));
    if (at === -1) break;
    kept.push(encodeStruct(changed(fields, new Map([[1, encodeInteger(at)]]))));
  }
  return kept.length === 0 ? [] : [{ ...field, value: encodeList(type, kept) }];
}

/**
 * FileMetaData of a copy: some of the source's columns, in an order and under names of their own, with row groups as they were placed. The
 * writer's name stays, since readers tell by it which statistics to trust.
 */
export function projectedFooter(
  source: FooterParts,
  columns: readonly ProjectedColumn[],
  rowGroups: readonly Uint8Array[],
  numRows: number,
): Buffer {
  const orders = source.columnOrders;
  const changes = new Map<number, Uint8Array | undefined>([
    [FILE.schema, projectedSchema(source, columns)],
    [FILE.numRows, encodeInteger(numRows)],
    [FILE.rowGroups, encodeList(TYPE.struct, rowGroups)],
    [FILE.keyValues, keptKeyValues(source)],
  ]);
  if (orders !== undefined) {
    const own = columns.flatMap(({ column }) => orders.items.slice(column.firstLeaf, column.endLeaf));
    changes.set(FILE.columnOrders, encodeList(orders.type, own));
  }
  return encodeStruct(changed(source.fields, changes));
}

function projectedSchema(source: FooterParts, columns: readonly ProjectedColumn[]): Buffer {
  const root = encodeStruct(
    changed(rawStruct(source.root).fields, new Map([[ELEMENT.children, encodeInteger(columns.length)]])),
  );
  const elements = columns.flatMap(({ column, name }) => {
    const [top, ...below] = column.elements;
    const named = encodeStruct(changed(rawStruct(top!).fields, new Map([[ELEMENT.name, encodeText(name)]])));
    return [named, ...below];
  });
  return encodeList(TYPE.struct, [root, ...elements]);
}

function keptKeyValues(source: FooterParts): Buffer | undefined {
  const kept = source.keyValues.filter(({ key }) => !ABOUT_ALL_COLUMNS.has(key));
  return kept.length === 0
    ? undefined
    : encodeList(
        TYPE.struct,
        kept.map(({ pair }) => pair),
      );
}

/**
 * What files must agree in for their row groups to stand under one footer: the schema, the writer, and what Spark's readers go by. As a short text
 * that is equal when they do.
 */
export function footerKind({ fields, keyValues }: FooterParts): string {
  const own = fields.filter(({ id }) => id !== FILE.numRows && id !== FILE.rowGroups && id !== FILE.keyValues);
  const spark = keyValues.filter(({ key }) => key.startsWith('org.apache.spark.') && !ABOUT_ALL_COLUMNS.has(key));
  const hash = createHash('sha256').update(encodeStruct(own));
  for (const { pair } of spark) hash.update(pair);
  return hash.digest('base64');
}
