import { isUtf8 } from 'node:buffer';
import type { PrimitiveType, Value } from '../iceberg/model.ts';
import { decimalOf, fixedLength } from '../iceberg/types.ts';
import type { Leaf } from '../parquet/model.ts';

/** Gives a decoded Parquet value (as `readRows` has it) as the column's value; undefined when the type cannot hold it exactly. */
export type ParquetConverter = (value: unknown) => Value | undefined;

type TimeUnit = 'millis' | 'micros' | 'nanos';

/**
 * How values of a leaf become values of a type, or undefined where no value of the one is a value of the other. Whole numbers go to int and long,
 * float to double, decimals to decimals, each value only where it fits; times and timestamps to microseconds, each only where nothing below is lost.
 */
export function parquetConverter(leaf: Leaf, type: PrimitiveType): ParquetConverter | undefined {
  const { annotation, physicalType } = leaf;
  // A column of the null type holds nothing that could not fit.
  if (annotation?.kind === 'null') return () => undefined;
  switch (type) {
    case 'boolean':
      return physicalType === 'BOOLEAN' ? (value) => (typeof value === 'boolean' ? value : undefined) : undefined;
    case 'int':
    case 'long':
      return integers(leaf, type === 'int' ? 32 : 64);
    case 'float':
      return physicalType === 'FLOAT' || annotation?.kind === 'float16' ? fraction : undefined;
    case 'double':
      return physicalType === 'FLOAT' || physicalType === 'DOUBLE' || annotation?.kind === 'float16'
        ? fraction
        : undefined;
    case 'date':
      return annotation?.kind === 'date' ? (value) => (typeof value === 'number' ? value : undefined) : undefined;
    case 'time':
      return annotation?.kind === 'time' ? toMicros(annotation.unit) : undefined;
    case 'timestamp':
    case 'timestamptz':
      if (physicalType === 'INT96') return toMicros('nanos');
      return annotation?.kind === 'timestamp' && annotation.utc === (type === 'timestamptz')
        ? toMicros(annotation.unit)
        : undefined;
    case 'string': {
      const texts = ['string', 'enum', 'json'];
      return physicalType === 'BYTE_ARRAY' && (annotation === undefined || texts.includes(annotation.kind))
        ? toText
        : undefined;
    }
    case 'uuid':
      return annotation?.kind === 'uuid' ? bytesOf(16) : undefined;
    case 'binary':
      return physicalType === 'BYTE_ARRAY' && (annotation === undefined || annotation.kind === 'bson')
        ? bytesOf(undefined)
        : undefined;
    default: {
      const decimal = decimalOf(type);
      if (decimal !== undefined) {
        return annotation?.kind === 'decimal' ? rescale(annotation.scale, decimal.precision, decimal.scale) : undefined;
      }
      const length = fixedLength(type);
      return physicalType === 'FIXED_LEN_BYTE_ARRAY' && leaf.typeLength === length ? bytesOf(length) : undefined;
    }
  }
}

function integers({ annotation, physicalType }: Leaf, bits: 32 | 64): ParquetConverter | undefined {
  if (physicalType !== 'INT32' && physicalType !== 'INT64') return undefined;
  if (annotation !== undefined && annotation.kind !== 'integer') return undefined;
  const stored = physicalType === 'INT32' ? 32 : 64;
  const unsigned = annotation?.signed === false;
  return (value) => {
    if (typeof value !== 'bigint' && !Number.isInteger(value)) return undefined;
    if (typeof value === 'number' && !unsigned && stored === 32) return bits === 64 ? BigInt(value) : value;
    const signed = BigInt(value as number | bigint);
    // An unsigned number may come as its signed bits.
    const whole = unsigned ? BigInt.asUintN(stored, signed) : signed;
    if (BigInt.asIntN(bits, whole) !== whole) return undefined;
    return bits === 64 ? whole : Number(whole);
  };
}

function fraction(value: unknown): Value | undefined {
  return typeof value === 'number' ? value : undefined;
}

function toMicros(unit: TimeUnit): ParquetConverter {
  return (value) => {
    if (typeof value !== 'bigint' && !Number.isInteger(value)) return undefined;
    const count = BigInt(value as number | bigint);
    return unit === 'millis' ? fits64(count * 1000n) : unit === 'micros' ? count : microsOfNanos(count);
  };
}

function microsOfNanos(nanos: bigint): bigint | undefined {
  return nanos % 1000n === 0n ? fits64(nanos / 1000n) : undefined;
}

function fits64(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function toText(value: unknown): Value | undefined {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array)) return undefined;
  return isUtf8(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString() : undefined;
}

function bytesOf(length: number | undefined): ParquetConverter {
  return (value) =>
    // Decoded bytes are views into pages, which would stay in memory whole.
    value instanceof Uint8Array && (length === undefined || value.length === length) ? value.slice() : undefined;
}

function rescale(from: number, precision: number, scale: number): ParquetConverter {
  const limit = 10n ** BigInt(precision);
  const factor = 10n ** BigInt(Math.abs(scale - from));
  return (value) => {
    if (typeof value !== 'bigint') return undefined;
    if (scale < from && value % factor !== 0n) return undefined;
    const unscaled = scale >= from ? value * factor : value / factor;
    return unscaled < limit && unscaled > -limit ? unscaled : undefined;
  };
}
