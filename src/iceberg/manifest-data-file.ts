import type { AvroRecord, AvroSchema } from './avro-type.ts';
import { nonNull } from './avro-type.ts';
import type { DataFile, FileContent, Value } from './model.ts';

/** The `data_file` struct of a manifest entry, to and from Avro records keyed by field id (spec: "Manifests", `data_file`). */

const CONTENTS: readonly FileContent[] = ['data', 'position-deletes', 'equality-deletes'];

/** How one partition column's values pass between `Value` and what avsc takes and gives. */
export interface PartitionColumnCodec {
  key: string;
  decimalBytes?: number;
}

/** @param columns the tuple's columns in the spec's order; `key` where it is not `f<id>` */
export function partitionCodec(
  columns: readonly { id?: number; key?: string; type: AvroSchema }[],
): PartitionColumnCodec[] {
  // A named type is defined once and from then on referred to by its name alone.
  const sizes = new Map<string, number>();
  for (const { type } of columns) {
    const avro = nonNull(type);
    if (typeof avro === 'object' && !Array.isArray(avro) && avro.logicalType === 'decimal') {
      sizes.set(String(avro.name), Number(avro.size));
    }
  }
  return columns.map(({ id, key = `f${id}`, type }) => {
    const avro = nonNull(type);
    const name = typeof avro === 'string' ? avro : Array.isArray(avro) ? '' : String(avro.name);
    const decimalBytes = sizes.get(name);
    return decimalBytes === undefined ? { key } : { key, decimalBytes };
  });
}

export function dataFileToAvro(file: DataFile, partition: readonly PartitionColumnCodec[]): AvroRecord {
  return {
    f134: CONTENTS.indexOf(file.content),
    f100: file.filePath,
    f101: file.fileFormat,
    f102: Object.fromEntries(
      partition.map((column, index) => [column.key, partitionToAvro(file.partition[index], column)]),
    ),
    f103: file.recordCount,
    f104: file.fileSizeInBytes,
    f108: mapToAvro(file.columnSizes, 117, 118),
    f109: mapToAvro(file.valueCounts, 119, 120),
    f110: mapToAvro(file.nullValueCounts, 121, 122),
    f137: mapToAvro(file.nanValueCounts, 138, 139),
    f125: mapToAvro(file.lowerBounds, 126, 127),
    f128: mapToAvro(file.upperBounds, 129, 130),
    f131: file.keyMetadata === undefined ? null : asBuffer(file.keyMetadata),
    f132: file.splitOffsets ?? null,
    f135: file.equalityIds ?? null,
    f140: file.sortOrderId ?? null,
    f143: file.referencedDataFile ?? null,
  };
}

export function dataFileFromAvro(record: AvroRecord, partition: readonly PartitionColumnCodec[]): DataFile {
  const content = CONTENTS[(record.f134 as number | undefined) ?? 0];
  if (content === undefined) throw new Error(`a file has content ${String(record.f134)}; expected 0, 1 or 2`);
  const tuple = (record.f102 ?? {}) as AvroRecord;
  const file: DataFile = {
    content,
    filePath: record.f100 as string,
    fileFormat: String(record.f101).toUpperCase() as DataFile['fileFormat'],
    partition: partition.map((column) => partitionFromAvro(tuple[column.key], column)),
    recordCount: record.f103 as number,
    fileSizeInBytes: record.f104 as number,
  };
  const columnSizes = mapFromAvro<number>(record.f108, 117, 118);
  if (columnSizes !== undefined) file.columnSizes = columnSizes;
  const valueCounts = mapFromAvro<number>(record.f109, 119, 120);
  if (valueCounts !== undefined) file.valueCounts = valueCounts;
  const nullValueCounts = mapFromAvro<number>(record.f110, 121, 122);
  if (nullValueCounts !== undefined) file.nullValueCounts = nullValueCounts;
  const nanValueCounts = mapFromAvro<number>(record.f137, 138, 139);
  if (nanValueCounts !== undefined) file.nanValueCounts = nanValueCounts;
  const lowerBounds = mapFromAvro<Uint8Array>(record.f125, 126, 127);
  if (lowerBounds !== undefined) file.lowerBounds = lowerBounds;
  const upperBounds = mapFromAvro<Uint8Array>(record.f128, 129, 130);
  if (upperBounds !== undefined) file.upperBounds = upperBounds;
  if (record.f131 != null) file.keyMetadata = asBytes(record.f131 as Buffer);
  if (record.f132 != null) file.splitOffsets = record.f132 as number[];
  // PyIceberg writes equality ids as longs, Java as ints; both are small.
  if (record.f135 != null) file.equalityIds = record.f135 as number[];
  if (record.f140 != null) file.sortOrderId = record.f140 as number;
  if (record.f143 != null) file.referencedDataFile = record.f143 as string;
  return file;
}

function partitionToAvro(value: Value | undefined, column: PartitionColumnCodec): unknown {
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return asBuffer(value);
  if (column.decimalBytes === undefined) return value;
  return unscaledToBytes(BigInt(value), column.decimalBytes);
}

function partitionFromAvro(value: unknown, column: PartitionColumnCodec): Value | undefined {
  if (value === null || value === undefined) return undefined;
  if (!Buffer.isBuffer(value)) return value as Value;
  if (column.decimalBytes === undefined) return asBytes(value);
  return BigInt.asIntN(value.length * 8, BigInt(`0x${value.toString('hex') || '0'}`));
}

/** An unscaled decimal as big-endian two's complement of exactly `size` bytes. */
function unscaledToBytes(unscaled: bigint, size: number): Buffer {
  const bits = BigInt.asUintN(size * 8, unscaled);
  return Buffer.from(bits.toString(16).padStart(size * 2, '0'), 'hex');
}

function mapToAvro<V>(map: Map<number, V> | undefined, keyId: number, valueId: number): AvroRecord[] | null {
  if (map === undefined) return null;
  return Array.from(map, ([key, value]) => ({
    [`f${keyId}`]: key,
    [`f${valueId}`]: value instanceof Uint8Array ? asBuffer(value) : value,
  }));
}

function mapFromAvro<V extends number | Uint8Array>(
  value: unknown,
  keyId: number,
  valueId: number,
): Map<number, V> | undefined {
  if (value === null || value === undefined) return undefined;
  const map = new Map<number, V>();
  for (const pair of value as AvroRecord[]) {
    const item = pair[`f${valueId}`];
    map.set(pair[`f${keyId}`] as number, (Buffer.isBuffer(item) ? asBytes(item) : item) as V);
  }
  return map;
}

/** avsc takes Buffers only; the bytes are shared. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy, so that a kept bound does not keep the whole decompressed block. */
export function asBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer);
}
