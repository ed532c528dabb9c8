import { LakegateError } from '../errors.ts';
import type { IcebergType, NestedField, Schema } from './model.ts';
import { allFields, highestFieldId } from './schema.ts';
import { childFields, formatType, isPromotion, withChildren } from './types.ts';

/** A table column that must be widened before a file fits. */
export interface Promotion {
  fieldId: number;
  /** Dotted name. */
  column: string;
  from: IcebergType;
  to: IcebergType;
}

/**
 * A table's schema with columns added and widened (spec: "Schema Evolution"). Nothing is reordered, renamed or removed; new columns come
 * last and are optional throughout; applying the same change again changes nothing.
 * @param additions new columns; to add inside an existing struct, list or map: that column with only the new children. Their ids do not count.
 * @param nextId the table's last column id plus one
 * @param reuse columns that other pending deliveries already added, by dotted name: the same column gets the same id, whoever is published first
 * @returns the schema (under the table's schema id: whoever adds it to the metadata numbers it) and the table's new last column id
 * @throws LakegateError `invalid` when a column is already there with a type that cannot become the new one
 */
export function unionByName(
  table: Schema,
  additions: readonly NestedField[],
  promotions: readonly { fieldId: number; to: IcebergType }[],
  nextId: number,
  reuse: ReadonlyMap<string, NestedField> = new Map(),
): { schema: Schema; lastColumnId: number } {
  const promoted = promote(table.fields, new Map(promotions.map(({ fieldId, to }) => [fieldId, to])), '');
  const ids = new FreshIds(nextId, reuse);
  const schema = { ...table, fields: union(promoted, additions, '', ids) };
  return { schema, lastColumnId: Math.max(nextId - 1, highestFieldId(schema)) };
}

function promote(
  fields: readonly NestedField[],
  types: ReadonlyMap<number, IcebergType>,
  above: string,
): NestedField[] {
  return fields.map((field) => {
    const path = above + field.name;
    const to = types.get(field.id);
    if (to !== undefined) return { ...field, type: wider(field.type, to, path) };
    return { ...field, type: withChildren(field.type, promote(childFields(field.type), types, `${path}.`)) };
  });
}

/** The one of two primitive types that takes the values of both. */
function wider(a: IcebergType, b: IcebergType, column: string): IcebergType {
  if (a === b || isPromotion(b, a)) return a;
  if (isPromotion(a, b)) return b;
  throw new LakegateError(
    'invalid',
    `column "${column}" is ${formatType(a)} and cannot become ${formatType(b)}: Iceberg widens int to long, float to double and a decimal's precision. Load the data under another column name, or cast it.`,
    { context: { column, from: formatType(a), to: formatType(b) } },
  );
}

function union(
  existing: readonly NestedField[],
  additions: readonly NestedField[],
  above: string,
  ids: FreshIds,
): NestedField[] {
  const merged = existing.map((field) => {
    const addition = additions.find((candidate) => candidate.name === field.name);
    if (addition === undefined) return field;
    return { ...field, type: unionType(field.type, addition.type, above + field.name, ids) };
  });
  const added = additions.filter((addition) => !existing.some((field) => field.name === addition.name));
  return [...merged, ...added.map((field) => ids.adopt([field], above, [])[0]!)];
}

function unionType(existing: IcebergType, addition: IcebergType, path: string, ids: FreshIds): IcebergType {
  const nested = typeof existing !== 'string' && typeof addition !== 'string' && existing.type === addition.type;
  if (!nested) return wider(existing, addition, path);
  return withChildren(existing, union(childFields(existing), childFields(addition), `${path}.`, ids));
}

/** Gives new columns their ids: a pending column's own, else the next free one. */
class FreshIds {
  #next: number;
  readonly #reuse: ReadonlyMap<string, NestedField>;
  readonly #taken: ReadonlySet<number>;

  constructor(nextId: number, reuse: ReadonlyMap<string, NestedField>) {
    this.#next = nextId;
    this.#reuse = reuse;
    this.#taken = new Set(allFields({ fields: [...reuse.values()] }).map((entry) => entry.field.id));
  }

  #take(): number {
    while (this.#taken.has(this.#next)) this.#next++;
    return this.#next++;
  }

  /** Fields of one parent: all their ids first, then those inside, as Iceberg Java numbers them. */
  adopt(fields: readonly NestedField[], above: string, siblings: readonly NestedField[]): NestedField[] {
    return fields
      .map((field) => {
        const path = above + field.name;
        const pending = this.#reuse.get(path) ?? siblings.find((candidate) => candidate.name === field.name);
        const same = pending !== undefined && compatible(pending.type, field.type) ? pending : undefined;
        return { field: { ...field, id: same?.id ?? this.#take() }, same, path };
      })
      .map(({ field, same, path }) => ({ ...field, required: false, type: this.#inside(field.type, same, path) }));
  }

  #inside(type: IcebergType, pending: NestedField | undefined, path: string): IcebergType {
    if (typeof type === 'string') return pending === undefined ? type : wider(pending.type, type, path);
    return withChildren(type, this.adopt(childFields(type), `${path}.`, pending ? childFields(pending.type) : []));
  }
}

/** Whether two columns of one name can be one column. Where not (text here, numbers there), they get different ids and the second to be published is refused. */
function compatible(a: IcebergType, b: IcebergType): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b || isPromotion(a, b) || isPromotion(b, a);
  if (a.type !== b.type) return false;
  return childFields(b).every((child) => {
    const other = childFields(a).find((candidate) => candidate.name === child.name);
    return other === undefined || compatible(other.type, child.type);
  });
}

/**
 * Additions for a person, one per new column: `s.b` and its type.
 * @param additions as `matchSchema` gives them
 */
export function addedColumns(
  table: { fields: readonly NestedField[] },
  additions: readonly NestedField[],
): { name: string; type: string }[] {
  return additions.flatMap((addition) => {
    const existing = table.fields.find((field) => field.name === addition.name);
    if (existing === undefined) return [{ name: addition.name, type: formatType(addition.type) }];
    return addedColumns({ fields: childFields(existing.type) }, childFields(addition.type)).map((below) => ({
      name: `${addition.name}.${below.name}`,
      type: below.type,
    }));
  });
}
