import { LakegateError } from '../errors.ts';
import type { AvroSchema } from './avro-type.ts';
import type { IcebergType } from './model.ts';

/** Avro schemas of format version 2 manifests and manifest lists (spec: "Manifests", "Manifest Lists", Appendix A "Avro"). */

const required = (id: number, name: string, type: AvroSchema) => ({ name, type, 'field-id': id });
const optional = (id: number, name: string, type: AvroSchema) => ({
  name,
  type: ['null', type],
  default: null,
  'field-id': id,
});
const list = (elementId: number, items: AvroSchema) => ({ type: 'array', items, 'element-id': elementId });

/** A map with int keys: Avro maps know string keys only, so it is an array of key-value records. */
const intMap = (keyId: number, valueId: number, value: AvroSchema) => ({
  type: 'array',
  logicalType: 'map',
  items: {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [required(keyId, 'key', 'int'), required(valueId, 'value', value)],
  },
});

/** The type of one partition field as a manifest stores it. */
export interface PartitionColumn {
  fieldId: number;
  name: string;
  type: IcebergType;
}

/** Avro schema text of a manifest's entries, for a spec whose fields have these result types. */
export function manifestEntrySchema(partition: readonly PartitionColumn[]): string {
  const named = new Set<string>();
  const dataFile = {
    type: 'record',
    name: 'r2',
    fields: [
      required(134, 'content', 'int'),
      required(100, 'file_path', 'string'),
      required(101, 'file_format', 'string'),
      required(102, 'partition', {
        type: 'record',
        name: 'r102',
        fields: partition.map(({ fieldId, name, type }) =>
          optional(fieldId, avroName(name), avroPrimitive(type, named)),
        ),
      }),
      required(103, 'record_count', 'long'),
      required(104, 'file_size_in_bytes', 'long'),
      optional(108, 'column_sizes', intMap(117, 118, 'long')),
      optional(109, 'value_counts', intMap(119, 120, 'long')),
      optional(110, 'null_value_counts', intMap(121, 122, 'long')),
      optional(137, 'nan_value_counts', intMap(138, 139, 'long')),
      optional(125, 'lower_bounds', intMap(126, 127, 'bytes')),
      optional(128, 'upper_bounds', intMap(129, 130, 'bytes')),
      optional(131, 'key_metadata', 'bytes'),
      optional(132, 'split_offsets', list(133, 'long')),
      optional(135, 'equality_ids', list(136, 'int')),
      optional(140, 'sort_order_id', 'int'),
      optional(143, 'referenced_data_file', 'string'),
    ],
  };
  return JSON.stringify({
    type: 'record',
    name: 'manifest_entry',
    fields: [
      required(0, 'status', 'int'),
      optional(1, 'snapshot_id', 'long'),
      optional(3, 'sequence_number', 'long'),
      optional(4, 'file_sequence_number', 'long'),
      required(2, 'data_file', dataFile),
    ],
  });
}

/** Avro schema text of a manifest list's entries. */
export const MANIFEST_FILE_SCHEMA: string = JSON.stringify({
  type: 'record',
  name: 'manifest_file',
  fields: [
    required(500, 'manifest_path', 'string'),
    required(501, 'manifest_length', 'long'),
    required(502, 'partition_spec_id', 'int'),
    required(517, 'content', 'int'),
    required(515, 'sequence_number', 'long'),
    required(516, 'min_sequence_number', 'long'),
    required(503, 'added_snapshot_id', 'long'),
    required(504, 'added_files_count', 'int'),
    required(505, 'existing_files_count', 'int'),
    required(506, 'deleted_files_count', 'int'),
    required(512, 'added_rows_count', 'long'),
    required(513, 'existing_rows_count', 'long'),
    required(514, 'deleted_rows_count', 'long'),
    optional(
      507,
      'partitions',
      list(508, {
        type: 'record',
        name: 'r508',
        fields: [
          required(509, 'contains_null', 'boolean'),
          optional(518, 'contains_nan', 'boolean'),
          optional(510, 'lower_bound', 'bytes'),
          optional(511, 'upper_bound', 'bytes'),
        ],
      }),
    ),
    optional(519, 'key_metadata', 'bytes'),
  ],
});

/** A name Avro allows, made as Iceberg Java makes it: `_` before a leading digit, other characters as `_x<HEX>`. */
export function avroName(name: string): string {
  return [...name]
    .map((character, index) => {
      if (/[A-Za-z_]/.test(character) || (index > 0 && /[0-9]/.test(character))) return character;
      return /[0-9]/.test(character) ? `_${character}` : `_x${character.codePointAt(0)!.toString(16).toUpperCase()}`;
    })
    .join('');
}

/** Bytes of the smallest two's complement that holds every decimal of this precision (spec: Appendix A, decimal in Avro). */
export function decimalBytes(precision: number): number {
  const limit = 10n ** BigInt(precision);
  let bytes = 1;
  while (1n << BigInt(8 * bytes - 1) < limit) bytes++;
  return bytes;
}

/** @param named names of fixed types defined so far: Avro defines a name once and refers to it afterwards */
function avroPrimitive(type: IcebergType, named: Set<string>): AvroSchema {
  if (typeof type !== 'string') {
    throw new LakegateError('invalid', `A partition value must be of a primitive type; found a ${type.type}.`);
  }
  const fixed = (name: string, size: number, attributes: Record<string, string | number> = {}): AvroSchema => {
    if (named.has(name)) return name;
    named.add(name);
    return { type: 'fixed', name, size, ...attributes };
  };
  const sized = /^(?:decimal\((\d+), ?(\d+)\)|fixed\[(\d+)\])$/.exec(type);
  if (sized?.[3] !== undefined) return fixed(`fixed_${sized[3]}`, Number(sized[3]));
  if (sized?.[1] !== undefined) {
    const [precision, scale] = [Number(sized[1]), Number(sized[2])];
    return fixed(`decimal_${precision}_${scale}`, decimalBytes(precision), {
      logicalType: 'decimal',
      precision,
      scale,
    });
  }
  switch (type) {
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'time':
      return { type: 'long', logicalType: 'time-micros' };
    case 'timestamp':
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': type === 'timestamptz' };
    case 'uuid':
      return fixed('uuid_fixed', 16, { logicalType: 'uuid' });
    case 'binary':
      return 'bytes';
    default:
      return type;
  }
}
