import { LakegateError } from '../errors.ts';
import type { IcebergType, NestedField, PrimitiveType } from './model.ts';

const SIMPLE: readonly PrimitiveType[] = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
  'binary',
];

/** What other systems call Iceberg's types; offered as a correction, never taken silently. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  integer: 'int',
  int32: 'int',
  smallint: 'int',
  tinyint: 'int',
  bigint: 'long',
  int64: 'long',
  real: 'float',
  float32: 'float',
  float64: 'double',
  number: 'double',
  numeric: 'decimal(P, S)',
  decimal: 'decimal(P, S)',
  datetime: 'timestamp',
  timestamp_ntz: 'timestamp',
  timestamp_ltz: 'timestamptz',
  'timestamp with time zone': 'timestamptz',
  text: 'string',
  str: 'string',
  varchar: 'string',
  char: 'string',
  blob: 'binary',
  bytes: 'binary',
  fixed: 'fixed[L]',
};

/**
 * A primitive type from its text; case and spaces do not matter (spec: "Primitive Types").
 * @param text `int`, `decimal(10,2)`, `fixed[16]`, …
 * @throws LakegateError `invalid`, with the nearest right name
 */
export function parseType(text: string): PrimitiveType {
  const word = text.trim().toLowerCase().replace(/\s+/g, ' ');
  const simple = SIMPLE.find((name) => name === word);
  if (simple !== undefined) return simple;
  const decimal = /^decimal ?\( ?(\d+) ?, ?(\d+) ?\)$/.exec(word);
  if (decimal !== null) {
    const precision = Number(decimal[1]);
    const scale = Number(decimal[2]);
    if (precision >= 1 && precision <= 38 && scale <= precision) return `decimal(${precision}, ${scale})`;
    throw new LakegateError(
      'invalid',
      `type "${text}": a decimal has a precision of 1 to 38 and a scale of 0 to its precision`,
      { context: { type: text } },
    );
  }
  const fixed = /^fixed ?\[ ?(\d+) ?\]$/.exec(word);
  if (fixed !== null && Number(fixed[1]) >= 1) return `fixed[${Number(fixed[1])}]`;
  const guess = OTHER_NAMES[word.replace(/ ?[([].*$/, '')] ?? nearest(word, SIMPLE);
  throw new LakegateError(
    'invalid',
    `"${text}" is no Iceberg type${guess === undefined ? '' : `: did you mean "${guess}"?`} Known are ${SIMPLE.join(', ')}, decimal(P, S) and fixed[L].`,
    { context: { type: text } },
  );
}

/** The nearest of `words` by edit distance, if it is near enough to be a slip of the keyboard. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.min(3, Math.ceil(word.length / 2) + 1);
  for (const candidate of words) {
    const distance = editDistance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, changed));
    }
    previous = row;
  }
  return previous[b.length]!;
}

/** A type as people write it: `decimal(10, 2)`, `list<int>`, `map<string, long>`, `struct<a: int, b: string>`. */
export function formatType(type: IcebergType): string {
  if (typeof type === 'string') return type;
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map((f) => `${f.name}: ${formatType(f.type)}`).join(', ')}>`;
    case 'list':
      return `list<${formatType(type.element)}>`;
    case 'map':
      return `map<${formatType(type.key)}, ${formatType(type.value)}>`;
  }
}

/** Precision and scale of a decimal type; undefined for any other. */
export function decimalOf(type: IcebergType): { precision: number; scale: number } | undefined {
  const parts = typeof type === 'string' ? /^decimal\((\d+), ?(\d+)\)$/.exec(type) : null;
  return parts === null ? undefined : { precision: Number(parts[1]), scale: Number(parts[2]) };
}

/** Length in bytes of a fixed type; undefined for any other. */
export function fixedLength(type: IcebergType): number | undefined {
  const parts = typeof type === 'string' ? /^fixed\[(\d+)\]$/.exec(type) : null;
  return parts === null ? undefined : Number(parts[1]);
}

/** Whether a column of type `from` may become `to` without touching its files (spec: "Schema Evolution", format version 2). Equal types are no promotion. */
export function isPromotion(from: IcebergType, to: IcebergType): boolean {
  if (from === 'int') return to === 'long';
  if (from === 'float') return to === 'double';
  const narrow = decimalOf(from);
  const wide = decimalOf(to);
  return narrow !== undefined && wide !== undefined && narrow.scale === wide.scale && narrow.precision < wide.precision;
}

/** The children of a type as fields: a struct's own, a list's `element`, a map's `key` and `value`; none for a primitive. */
export function childFields(type: IcebergType): NestedField[] {
  if (typeof type === 'string') return [];
  switch (type.type) {
    case 'struct':
      return type.fields;
    case 'list':
      return [{ id: type.elementId, name: 'element', required: type.elementRequired, type: type.element }];
    case 'map':
      return [
        { id: type.keyId, name: 'key', required: true, type: type.key },
        { id: type.valueId, name: 'value', required: type.valueRequired, type: type.value },
      ];
  }
}

/** The type with other children, given in the order of `childFields`. */
export function withChildren(type: IcebergType, children: readonly NestedField[]): IcebergType {
  if (typeof type === 'string') return type;
  const [first, second] = children;
  switch (type.type) {
    case 'struct':
      return { ...type, fields: [...children] };
    case 'list':
      return {
        type: 'list',
        elementId: first!.id,
        element: first!.type,
        elementRequired: first!.required,
      };
    case 'map':
      return {
        type: 'map',
        keyId: first!.id,
        key: first!.type,
        valueId: second!.id,
        value: second!.type,
        valueRequired: second!.required,
      };
  }
}

/** Whether two types are the same, ids, names and nullability of nested fields included; docs are not compared. */
export function sameType(a: IcebergType, b: IcebergType): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  if (a.type !== b.type) return false;
  const left = childFields(a);
  const right = childFields(b);
  return left.length === right.length && left.every((field, i) => sameField(field, right[i]!));
}

function sameField(a: NestedField, b: NestedField): boolean {
  return a.id === b.id && a.name === b.name && a.required === b.required && sameType(a.type, b.type);
}
