import type { Annotation, PhysicalType } from './model.ts';
import type { ThriftStruct } from './thrift.ts';

const UNITS = ['millis', 'micros', 'nanos'] as const;

/**
 * The annotation of a schema element: its logical type, else its converted type translated (parquet.thrift: SchemaElement fields 6, 7, 8, 10).
 * Undefined when there is none, or one newer than this reader.
 */
export function annotationOf(element: ThriftStruct): Annotation | undefined {
  const logical = element[10];
  const fromLogical = isStruct(logical) ? logicalAnnotation(logical) : undefined;
  return fromLogical ?? convertedAnnotation(element);
}

function logicalAnnotation(logical: ThriftStruct): Annotation | undefined {
  const id = Number(Object.keys(logical)[0] ?? 0);
  const body = isStruct(logical[id]) ? logical[id] : {};
  switch (id) {
    case 1:
      return { kind: 'string' };
    case 4:
      return { kind: 'enum' };
    case 5:
      return { kind: 'decimal', scale: Number(body[1] ?? 0), precision: Number(body[2] ?? 0) };
    case 6:
      return { kind: 'date' };
    case 7:
    case 8: {
      const unit = isStruct(body[2]) ? UNITS[Number(Object.keys(body[2])[0] ?? 0) - 1] : undefined;
      return unit === undefined ? undefined : { kind: id === 7 ? 'time' : 'timestamp', unit, utc: body[1] === true };
    }
    case 10: {
      const bits = Number(body[1]);
      if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) return undefined;
      return { kind: 'integer', bits, signed: body[2] === true };
    }
    case 11:
      return { kind: 'null' };
    case 12:
      return { kind: 'json' };
    case 13:
      return { kind: 'bson' };
    case 14:
      return { kind: 'uuid' };
    case 15:
      return { kind: 'float16' };
    case 16:
      return { kind: 'variant' };
    case 17:
      return { kind: 'geometry' };
    case 18:
      return { kind: 'geography' };
    default:
      return undefined;
  }
}

function convertedAnnotation(element: ThriftStruct): Annotation | undefined {
  switch (element[6]) {
    case 0:
      return { kind: 'string' };
    case 4:
      return { kind: 'enum' };
    case 5:
      return { kind: 'decimal', scale: Number(element[7] ?? 0), precision: Number(element[8] ?? 0) };
    case 6:
      return { kind: 'date' };
    case 7:
      return { kind: 'time', unit: 'millis', utc: true };
    case 8:
      return { kind: 'time', unit: 'micros', utc: true };
    case 9:
      return { kind: 'timestamp', unit: 'millis', utc: true };
    case 10:
      return { kind: 'timestamp', unit: 'micros', utc: true };
    case 11:
    case 12:
    case 13:
    case 14:
      return { kind: 'integer', bits: INTEGER_BITS[element[6] - 11]!, signed: false };
    case 15:
    case 16:
    case 17:
    case 18:
      return { kind: 'integer', bits: INTEGER_BITS[element[6] - 15]!, signed: true };
    case 19:
      return { kind: 'json' };
    case 20:
      return { kind: 'bson' };
    case 21:
      return { kind: 'interval' };
    default:
      return undefined;
  }
}

const INTEGER_BITS = [8, 16, 32, 64] as const;

/** Whether a column of this physical type can carry the annotation (spec: LogicalTypes.md). */
export function annotationFits(annotation: Annotation, type: PhysicalType, typeLength: number | undefined): boolean {
  switch (annotation.kind) {
    case 'string':
    case 'enum':
    case 'json':
    case 'bson':
    case 'geometry':
    case 'geography':
      return type === 'BYTE_ARRAY';
    case 'uuid':
      return type === 'FIXED_LEN_BYTE_ARRAY' && typeLength === 16;
    case 'interval':
      return type === 'FIXED_LEN_BYTE_ARRAY' && typeLength === 12;
    case 'float16':
      return type === 'FIXED_LEN_BYTE_ARRAY' && typeLength === 2;
    case 'date':
      return type === 'INT32';
    case 'time':
      return type === (annotation.unit === 'millis' ? 'INT32' : 'INT64');
    case 'timestamp':
      return type === 'INT64';
    case 'integer':
      return type === (annotation.bits === 64 ? 'INT64' : 'INT32');
    case 'decimal':
      return (
        type !== 'BOOLEAN' &&
        type !== 'INT96' &&
        type !== 'FLOAT' &&
        type !== 'DOUBLE' &&
        annotation.scale >= 0 &&
        annotation.precision >= 1 &&
        annotation.scale <= annotation.precision
      );
    case 'null':
      return true;
    case 'variant':
      return false;
  }
}

export function isStruct(value: unknown): value is ThriftStruct {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
