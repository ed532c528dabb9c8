import type { IcebergType, PrimitiveType, StructType } from '../iceberg/model.ts';
import { formatType } from '../iceberg/types.ts';
import { expectedText, parseDecimal, textConverter } from './convert.ts';
import { ExactNumber } from './exact-number.ts';
import type { JsonValue } from './jsonl.ts';
import type { RowValue, StructValue } from './row-batch.ts';

/** Told of each value that does not fit: where in the record, what it is, what was expected. */
export type Misfit = (path: string, value: unknown, expected: string) => void;

/** Gives a JSON value as the column's value; what does not fit is reported and becomes undefined. */
export type JsonConverter = (value: JsonValue | undefined, misfit: Misfit) => RowValue;

/**
 * The strict reading of JSON as a type. Strings serve every type that JSON has no literal for, read as `textConverter` reads them; numbers and
 * booleans serve string columns in their canonical text; objects serve structs and maps, arrays lists. A struct's unknown fields do not fit.
 * @param path the column's dotted path, for reports
 */
export function jsonConverter(type: IcebergType, required: boolean, path: string): JsonConverter {
  const present = presentConverter(type, path);
  return (value, misfit) => {
    if (value !== null && value !== undefined) return present(value, misfit);
    if (required) misfit(path, null, `${formatType(type)} (required)`);
    return undefined;
  };
}

type PresentConverter = (value: NonNullable<JsonValue>, misfit: Misfit) => RowValue;

function presentConverter(type: IcebergType, path: string): PresentConverter {
  if (typeof type === 'string') return primitiveConverter(type, path);
  if (type.type === 'struct') return structConverter(type, path);
  if (type.type === 'list') {
    const element = jsonConverter(type.element, type.elementRequired, `${path}.element`);
    return (value, misfit) => {
      if (Array.isArray(value)) return value.map((item) => element(item, misfit));
      misfit(path, value, 'list (a JSON array)');
      return undefined;
    };
  }
  const keyType = type.key;
  const key = jsonConverter(keyType, true, `${path}.key`);
  const item = jsonConverter(type.value, type.valueRequired, `${path}.value`);
  return (value, misfit) => {
    if (isObject(value)) {
      // JSON has string keys only: a numeric key is read as its text.
      const keyOf = (name: string): JsonValue => (isNumeric(keyType) ? new ExactNumber(name) : name);
      return Object.entries(value).map(([name, entry]) => ({
        key: key(keyOf(name), misfit),
        value: item(entry, misfit),
      }));
    }
    misfit(path, value, 'map (a JSON object)');
    return undefined;
  };
}

function structConverter(type: StructType, path: string): PresentConverter {
  const fields = type.fields.map((field) => ({
    name: field.name,
    convert: jsonConverter(field.type, field.required, `${path}.${field.name}`),
  }));
  const known = new Set(type.fields.map((field) => field.name));
  return (value, misfit) => {
    if (!isObject(value)) {
      misfit(path, value, 'struct (a JSON object)');
      return undefined;
    }
    for (const name of Object.keys(value)) {
      if (!known.has(name)) misfit(`${path}.${name}`, value[name], 'no such field: the table has none of this name');
    }
    // Without a prototype, a field named like one of Object's own methods is still just a field.
    const struct: StructValue = Object.create(null);
    for (const field of fields) {
      struct[field.name] = field.convert(Object.hasOwn(value, field.name) ? value[field.name] : undefined, misfit);
    }
    return struct;
  };
}

function primitiveConverter(type: PrimitiveType, path: string): PresentConverter {
  const fromText = textConverter(type);
  const expected = expectedText(type);
  const numeric = isNumeric(type);
  return (value, misfit) => {
    let converted: RowValue;
    if (typeof value === 'string') {
      // Numbers and booleans have their own literals: a quoted one is text.
      if (type === 'string') converted = value.isWellFormed() ? value : undefined;
      else if (!numeric && type !== 'boolean') converted = fromText(value);
      else if ((type === 'double' || type === 'float') && /^(NaN|-?Infinity)$/.test(value)) converted = fromText(value);
      else if (type.startsWith('decimal')) converted = fromText(value);
    } else if (typeof value === 'boolean') {
      if (type === 'boolean') converted = value;
      else if (type === 'string') converted = String(value);
    } else if (typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber) {
      const text = value instanceof ExactNumber ? value.source : String(value);
      // 1e400 parses as Infinity, which JSON has no literal for.
      if (typeof value === 'number' && !Number.isFinite(value)) converted = undefined;
      else if (type === 'string') converted = text;
      else if (type === 'int' || type === 'long') converted = fromText(integerText(text));
      else if (numeric) converted = fromText(text);
    }
    if (converted === undefined) misfit(path, value, expected);
    return converted;
  };
}

/** `1e3` and `2.0` are integers in JSON; as text they would not be. */
function integerText(text: string): string {
  return /[.e]/i.test(text) ? (parseDecimal(text, 38, 0)?.toString() ?? text) : text;
}

function isNumeric(type: IcebergType): boolean {
  return typeof type === 'string' && (/^(int|long|float|double)$/.test(type) || type.startsWith('decimal'));
}

function isObject(value: JsonValue): value is { [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}
