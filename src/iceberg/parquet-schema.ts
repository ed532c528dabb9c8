import type { LogicalField, ParquetFooter } from '../parquet/model.ts';
import { arrowObstacles } from './arrow-schema.ts';
import type { IcebergType, NestedField, Schema } from './model.ts';
import { type LeafType, leafType } from './parquet-type.ts';
import { assignIds } from './schema.ts';

/** A column that cannot be used as it is stored. */
export interface UnsupportedColumn {
  /** Dotted path. */
  column: string;
  /** Its type in the file's own words. */
  found: string;
  why: string;
  /** True: the column is in the schema, under the type that decoding and rewriting it gives. False: it is left out, the file cannot be taken whole. */
  rewrite: boolean;
}

/** Field ids of a file: on every field and unique, on none, or such that readers disagree about them. */
export type FileIds = 'all' | 'none' | 'partial' | 'duplicate';

/** Ids from here on are the format's own (spec: "Reserved Field IDs"). */
const FIRST_RESERVED_ID = 2_147_483_447;

/** Field id of a column; writers that put a negative one mean none. */
export function fileFieldId(field: LogicalField): number | undefined {
  return field.fieldId === undefined || field.fieldId < 0 ? undefined : field.fieldId;
}

/** Whether the file's field ids can be gone by. */
export function fileIds(footer: ParquetFooter): FileIds {
  const ids: (number | undefined)[] = [];
  const visit = (field: LogicalField): void => {
    ids.push(fileFieldId(field));
    field.children.forEach(visit);
  };
  footer.fields.forEach(visit);
  const present = ids.filter((id) => id !== undefined);
  if (present.length === 0) return 'none';
  if (new Set(present).size < present.length) return 'duplicate';
  return present.length < ids.length ? 'partial' : 'all';
}

/**
 * The schema of a new table made from a file: every column optional, since a later file may leave it empty. Ids are the file's own
 * where every field has a unique one, otherwise numbered as Iceberg Java and PyIceberg number a new table.
 * @returns the schema (id 0), and the columns that keep the file from being used as it is
 */
export function toIcebergSchema(footer: ParquetFooter): { schema: Schema; unsupported: UnsupportedColumn[] } {
  const { fields, unsupported } = fileFields(footer);
  const own = fileIds(footer) === 'all' && highestId(footer.fields) < FIRST_RESERVED_ID && lowestId(footer.fields) > 0;
  return {
    schema: { type: 'struct', schemaId: 0, fields: own ? fields : assignIds(fields, 1).fields },
    unsupported,
  };
}

function highestId(fields: readonly LogicalField[]): number {
  return Math.max(0, ...fields.map((field) => Math.max(field.fieldId ?? 0, highestId(field.children))));
}

function lowestId(fields: readonly LogicalField[]): number {
  return Math.min(Number.MAX_SAFE_INTEGER, ...fields.map((f) => Math.min(f.fieldId ?? 0, lowestId(f.children))));
}

/** The file's columns as optional Iceberg fields, with the file's ids or 0. */
function fileFields(footer: ParquetFooter): { fields: NestedField[]; unsupported: UnsupportedColumn[] } {
  const obstacles = arrowObstacles(footer.keyValueMetadata['ARROW:schema']);
  const unsupported: UnsupportedColumn[] = [];
  const fields = optionalFields(footer.fields, obstacles, unsupported);
  return { fields, unsupported };
}

function optionalFields(
  fields: readonly LogicalField[],
  obstacles: ReadonlyMap<string, string>,
  unsupported: UnsupportedColumn[],
): NestedField[] {
  const names = new Set<string>();
  return fields.flatMap((field) => {
    const again = names.has(field.name);
    names.add(field.name);
    if (again || field.name === '') {
      const why = again ? 'another column has the same name' : 'it has no name';
      unsupported.push({ column: field.path, found: field.kind, why, rewrite: false });
      return [];
    }
    const made = optionalField(field, obstacles, unsupported);
    return made === undefined ? [] : [made];
  });
}

/**
 * One column of a file as an optional Iceberg field, with the file's ids or 0.
 * @param obstacles as `arrowObstacles` gives them
 * @param unsupported is added to
 * @returns undefined when nothing of it can be taken
 */
export function optionalField(
  field: LogicalField,
  obstacles: ReadonlyMap<string, string>,
  unsupported: UnsupportedColumn[],
): NestedField | undefined {
  const type = optionalType(field, obstacles, unsupported);
  return type === undefined ? undefined : { id: fileFieldId(field) ?? 0, name: field.name, required: false, type };
}

function optionalType(
  field: LogicalField,
  obstacles: ReadonlyMap<string, string>,
  unsupported: UnsupportedColumn[],
): IcebergType | undefined {
  if (field.kind === 'primitive') {
    const { type, found, why } = storedType(field, obstacles);
    if (why !== undefined) unsupported.push({ column: field.path, found, why, rewrite: type !== undefined });
    return type;
  }
  if (field.kind === 'struct') {
    const fields = optionalFields(field.children, obstacles, unsupported);
    if (field.children.length === 0)
      unsupported.push({ column: field.path, found: 'struct', why: 'it has no fields', rewrite: false });
    return fields.length === 0 ? undefined : { type: 'struct', fields };
  }
  const [first, second] = field.children.map((child) => optionalField(child, obstacles, unsupported));
  if (field.kind === 'list')
    return first && { type: 'list', elementId: first.id, element: first.type, elementRequired: false };
  if (first === undefined || second === undefined) return undefined;
  return {
    type: 'map',
    keyId: first.id,
    key: first.type,
    valueId: second.id,
    value: second.type,
    valueRequired: false,
  };
}

/** The type of a primitive column, with what stands in the way of using it as it is stored. */
export function storedType(field: LogicalField, obstacles: ReadonlyMap<string, string>): LeafType {
  if (field.leaf === undefined) return { found: field.kind, why: 'the file stores nothing for it' };
  const stored = leafType(field.leaf);
  const obstacle = obstacles.get(field.path) ?? unmarkedList(field);
  if (stored.why !== undefined || obstacle === undefined) return stored;
  return { ...stored, why: `not all readers of the table can read it: ${obstacle}` };
}

/** A repeated column that is in no list or map group: readers other than Arrow's do not see the list that it is. */
function unmarkedList(field: LogicalField): string | undefined {
  const { path, maxRepetitionLevel } = field.leaf!;
  const depth = (dotted: string): number => dotted.split('.').length;
  return maxRepetitionLevel === 1 && depth(path.join('.')) < depth(field.path)
    ? 'a repeated column that is not marked as a list'
    : undefined;
}
