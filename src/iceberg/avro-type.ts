import avro from 'avsc';

/**
 * Avro schemas as JSON and the `avsc` types made of them. Records are read and written by Iceberg field id, never by
 * name: writers differ in field order, in names they sanitise, and in the optional fields they write at all.
 */

/** A schema as it stands in a file's `avro.schema`. */
export type AvroSchema = string | AvroSchema[] | { [key: string]: AvroValue };
type AvroValue = AvroSchema | number | boolean | null | undefined;

/** A decoded record: keys are `f<field id>` (`x<position>` for a field without one). */
export type AvroRecord = Record<string, unknown>;

/** Longs that are ids (snapshot_id, added_snapshot_id) are bigint; so is every long of a partition tuple (field 102). */
const BIGINT_FIELDS = new Set([1, 503]);
const PARTITION_FIELD = 102;

const BIG_LONG = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

const TYPE_CACHE_SIZE = 64;
const types = new Map<string, avro.Type>();

/**
 * The codec of a schema, built once per distinct schema text.
 * @param text the schema's JSON text
 * @throws Error when it is no Avro schema
 */
export function avroType(text: string): avro.Type {
  let type = types.get(text);
  if (type === undefined) {
    const byId = renameByFieldId(JSON.parse(text) as AvroSchema, false);
    type = avro.Type.forSchema(byId as avro.Schema, {
      typeHook: (schema) => (isObject(schema as AvroSchema) && 'bigint' in (schema as object) ? BIG_LONG : undefined),
    });
    if (types.size >= TYPE_CACHE_SIZE) types.delete(types.keys().next().value!);
    types.set(text, type);
  }
  return type;
}

function renameByFieldId(schema: AvroSchema, big: boolean): AvroSchema {
  if (schema === 'long') return big ? { type: 'long', bigint: true } : 'long';
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map((branch) => renameByFieldId(branch, big));
  if (schema.type === 'long') return renameByFieldId('long', big);
  if (schema.type === 'record') {
    const fields = (schema.fields as { [key: string]: AvroValue }[]).map((field, index) => {
      const id = fieldId(field);
      const name = id === undefined ? `x${index}` : `f${id}`;
      return { name, type: renameByFieldId(field.type as AvroSchema, big || isBigint(id)) };
    });
    return { type: 'record', name: schema.name, fields };
  }
  if (schema.type === 'array') return { type: 'array', items: renameByFieldId(schema.items as AvroSchema, big) };
  if (schema.type === 'map') return { type: 'map', values: renameByFieldId(schema.values as AvroSchema, big) };
  return isObject(schema.type as AvroSchema) ? renameByFieldId(schema.type as AvroSchema, big) : schema;
}

function isBigint(id: number | undefined): boolean {
  return id !== undefined && (id === PARTITION_FIELD || BIGINT_FIELDS.has(id));
}

function isObject(schema: AvroSchema | undefined): schema is { [key: string]: AvroValue } {
  return typeof schema === 'object' && !Array.isArray(schema);
}

/** The fields of a record schema found under a field id, anywhere below the top record's own fields or one level down. */
export function recordFields(
  schema: AvroSchema,
  path: readonly number[],
): { id?: number; name: string; type: AvroSchema }[] {
  let record = nonNull(schema);
  for (const step of path) {
    const field = fieldsOf(record).find(({ id }) => id === step);
    if (field === undefined) return [];
    record = nonNull(field.type);
  }
  return fieldsOf(record);
}

function fieldsOf(record: AvroSchema): { id?: number; name: string; type: AvroSchema }[] {
  if (!isObject(record) || !Array.isArray(record.fields)) return [];
  return (record.fields as { [key: string]: AvroValue }[]).map((field) => ({
    id: fieldId(field),
    name: String(field.name),
    type: field.type as AvroSchema,
  }));
}

/** A union's one branch that is not null; any other schema as it is. */
export function nonNull(schema: AvroSchema): AvroSchema {
  return Array.isArray(schema) ? (schema.find((branch) => branch !== 'null') ?? 'null') : schema;
}

function fieldId(field: { [key: string]: AvroValue }): number | undefined {
  return typeof field['field-id'] === 'number' ? field['field-id'] : undefined;
}
