import type { SchemaElement } from 'hyparquet';
import { LakegateError } from '../errors.ts';
import { decimalBytes } from '../iceberg/manifest-schema.ts';
import type { IcebergType, PrimitiveType, Schema } from '../iceberg/model.ts';
import { decimalOf, fixedLength } from '../iceberg/types.ts';

/**
 * The Parquet schema of an Iceberg table, depth first, with the table's field ids (spec: Appendix A, Parquet).
 * @throws LakegateError `unsupported` for a struct without fields, which Parquet cannot hold
 */
export function parquetSchema(schema: Schema): SchemaElement[] {
  return [
    { name: 'table', num_children: schema.fields.length },
    ...schema.fields.flatMap((field) => elements(field.name, field.id, field.required, field.type)),
  ];
}

function elements(name: string, id: number, required: boolean, type: IcebergType): SchemaElement[] {
  const own: SchemaElement = { name, field_id: id, repetition_type: required ? 'REQUIRED' : 'OPTIONAL' };
  if (typeof type === 'string') return [{ ...own, ...leaf(type) }];
  switch (type.type) {
    case 'struct':
      if (type.fields.length === 0) {
        throw new LakegateError('unsupported', `Column "${name}" is a struct without fields: Parquet cannot hold it.`, {
          context: { column: name },
        });
      }
      return [
        { ...own, num_children: type.fields.length },
        ...type.fields.flatMap((field) => elements(field.name, field.id, field.required, field.type)),
      ];
    case 'list':
      return [
        { ...own, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elements('element', type.elementId, type.elementRequired, type.element),
      ];
    case 'map':
      return [
        { ...own, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        ...elements('key', type.keyId, true, type.key),
        ...elements('value', type.valueId, type.valueRequired, type.value),
      ];
  }
}

function leaf(type: PrimitiveType): Omit<SchemaElement, 'name'> {
  switch (type) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'int':
      return { type: 'INT32' };
    case 'long':
      return { type: 'INT64' };
    case 'float':
      return { type: 'FLOAT' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'time':
      return { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } };
    case 'timestamp':
      // The converted type would say UTC to readers that know no other.
      return { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } };
    case 'timestamptz':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      };
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'uuid':
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } };
    case 'binary':
      return { type: 'BYTE_ARRAY' };
    default: {
      const decimal = decimalOf(type);
      if (decimal === undefined) return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: fixedLength(type) };
      const { precision, scale } = decimal;
      const annotation = {
        converted_type: 'DECIMAL',
        precision,
        scale,
        logical_type: { type: 'DECIMAL', precision, scale },
      } as const;
      if (precision <= 9) return { type: 'INT32', ...annotation };
      if (precision <= 18) return { type: 'INT64', ...annotation };
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalBytes(precision), ...annotation };
    }
  }
}
