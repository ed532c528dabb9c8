import { isKind, LakegateError } from '../errors.ts';
import { snapshotById } from '../iceberg/ancestry.ts';
import { unionByName } from '../iceberg/evolve.ts';
import type { NestedField, Schema, Snapshot, TableMetadata, TableUpdate } from '../iceberg/model.ts';
import {
  createNameMapping,
  formatNameMapping,
  type MappedField,
  NAME_MAPPING_PROPERTY,
  parseNameMapping,
  updateNameMapping,
} from '../iceberg/name-mapping.ts';
import { allFields, sameSchema } from '../iceberg/schema.ts';
import { isPromotion } from '../iceberg/types.ts';
import type { FitTarget, SchemaChange } from './fit.ts';

/** A delivery's schema change with the ids it was staged under. */
export interface StagedChange extends SchemaChange {
  /** Ids of the added columns, by dotted name. */
  ids: ReadonlyMap<string, NestedField>;
}

/** The branches that hold what is staged or kept and not published. */
export const STAGING_BRANCH = /^wap-/;

/** Where fitting starts: the table's current columns, and those that staged deliveries have ids for. */
export function fitTarget(metadata: TableMetadata): FitTarget {
  const schema = currentSchema(metadata);
  const known = new Set(allFields(schema).map(({ field }) => field.id));
  const pending = new Map<string, NestedField>();
  for (const [ref, { snapshotId }] of Object.entries(metadata.refs)) {
    const staged = STAGING_BRANCH.test(ref) ? snapshotById(metadata, snapshotId)?.schemaId : undefined;
    const other = metadata.schemas.find(({ schemaId }) => schemaId === staged);
    if (!other || other.schemaId === schema.schemaId) continue;
    for (const { name, field } of allFields(other)) {
      if (!known.has(field.id) && !pending.has(name)) pending.set(name, field);
    }
  }
  return { schema, lastColumnId: metadata.lastColumnId, nameMapping: nameMapping(metadata, schema), pending };
}

/** @throws LakegateError `conflict` when the files were made for a table that is not as it was */
export function checkFitted(fitted: TableMetadata, current: TableMetadata): void {
  const same =
    current.tableUuid === fitted.tableUuid &&
    current.lastColumnId === fitted.lastColumnId &&
    current.currentSchemaId === fitted.currentSchemaId &&
    current.defaultSpecId === fitted.defaultSpecId;
  if (same) return;
  throw new LakegateError(
    'conflict',
    `the columns or the partitioning of ${current.location} changed while deliveries were fitted to them`,
    { context: { location: current.location, refit: true } },
  );
}

/**
 * The updates that give a staged snapshot its schema. The table's current schema stays: main takes new columns on only with the delivery that
 * brings them. The name mapping grows at once, so that the branch can be read.
 */
export function stagedSchema(metadata: TableMetadata, target: FitTarget): { updates: TableUpdate[]; schemaId: number } {
  const current = currentSchema(metadata);
  const mapping = formatNameMapping(updateNameMapping(nameMapping(metadata, current), target.schema));
  const text = metadata.properties[NAME_MAPPING_PROPERTY];
  // A table that others made has none until now: without one its readers find no column in files without ids.
  const complete = text !== undefined && formatNameMapping(parseNameMapping(text)) === mapping;
  const updates: TableUpdate[] = complete
    ? []
    : [{ action: 'set-properties', updates: { [NAME_MAPPING_PROPERTY]: mapping } }];
  if (sameSchema(current, target.schema)) return { updates, schemaId: current.schemaId };
  return withSchema(metadata, target.schema, target.lastColumnId, updates);
}

/**
 * The updates that give main the columns of the deliveries that passed, on top of what main has by now.
 * @throws LakegateError `conflict`, context `refit: true`, when a column came to main under another id, or with a type that cannot become the
 *   delivery's, meanwhile: the deliveries must be staged anew
 */
export function publishedSchema(
  metadata: TableMetadata,
  passing: readonly { id: string; change?: StagedChange }[],
): { updates: TableUpdate[]; schemaId: number } {
  const current = currentSchema(metadata);
  let schema = current;
  for (const { id, change } of passing) {
    if (!change) continue;
    schema = united(metadata, schema, id, change);
    for (const { name, field } of allFields(schema)) {
      const staged = change.ids.get(name);
      if (staged === undefined || staged.id === field.id) continue;
      throw new LakegateError(
        'conflict',
        `column ${name} came to the table under id ${field.id} while delivery ${id} was staged with id ${staged.id}: stage it anew`,
        { context: { id, column: name, refit: true } },
      );
    }
  }
  if (sameSchema(current, schema)) return { updates: [], schemaId: current.schemaId };
  checkIdsUnique(schema);
  const { updates, schemaId } = withSchema(metadata, schema, metadata.lastColumnId, []);
  const mapping = formatNameMapping(updateNameMapping(nameMapping(metadata, current), schema));
  return {
    schemaId,
    updates: [
      ...updates,
      { action: 'set-current-schema', schemaId },
      { action: 'set-properties', updates: { [NAME_MAPPING_PROPERTY]: mapping } },
    ],
  };
}

/** Where each branch has metadata of its own, two of them may have given one id to different columns. */
function checkIdsUnique(schema: Schema): void {
  const names = new Map<number, string>();
  for (const { name, field } of allFields(schema)) {
    const other = names.get(field.id);
    if (other !== undefined) {
      throw new LakegateError(
        'conflict',
        `column ${name} was staged with id ${field.id}, which column ${other} has in the table by now: stage it anew`,
        { context: { column: name, refit: true } },
      );
    }
    names.set(field.id, name);
  }
}

function united(metadata: TableMetadata, schema: Schema, id: string, change: StagedChange): Schema {
  try {
    return unionByName(schema, change.additions, change.promotions, metadata.lastColumnId + 1, change.ids).schema;
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error;
    throw new LakegateError('conflict', `the columns of delivery ${id} fit the table no more: ${error.message}`, {
      context: { ...error.context, id, refit: true },
      cause: error,
    });
  }
}

function withSchema(
  metadata: TableMetadata,
  schema: Schema,
  lastColumnId: number,
  more: TableUpdate[],
): { updates: TableUpdate[]; schemaId: number } {
  const same = metadata.schemas.find((known) => sameSchema(known, schema));
  if (same) return { updates: more, schemaId: same.schemaId };
  const schemaId = Math.max(...metadata.schemas.map((known) => known.schemaId)) + 1;
  return { updates: [{ action: 'add-schema', schema: { ...schema, schemaId }, lastColumnId }, ...more], schemaId };
}

/**
 * The columns that a kept branch brings, for publishing it by hand.
 * @param staged the schema it was staged under
 * @param added what its delivery added, `name: type`. Other columns that main lacks are not its own: somebody dropped or renamed them since.
 */
export function keptChange(
  metadata: TableMetadata,
  staged: Schema,
  added: readonly string[] = [],
): { change?: StagedChange } {
  const current = currentSchema(metadata);
  if (sameSchema(current, staged)) return {};
  const typeOf = new Map(allFields(current).map(({ field }) => [field.id, field.type]));
  const nameOf = new Map(current.fields.map(({ id, name }) => [id, name]));
  const promotions = allFields(staged).flatMap(({ name, field }) => {
    const from = typeOf.get(field.id);
    return from !== undefined && isPromotion(from, field.type)
      ? [{ fieldId: field.id, column: name, from, to: field.type }]
      : [];
  });
  return {
    change: {
      additions: staged.fields.filter(
        ({ id, name }) =>
          (nameOf.get(id) ?? name) === name &&
          added.some((column) => column.startsWith(`${name}: `) || column.startsWith(`${name}.`)),
      ),
      promotions,
      ids: new Map(allFields(staged).map(({ name, field }) => [name, field])),
    },
  };
}

/** The schema a snapshot was written with; the table's current one where it does not say. */
export function schemaOf(metadata: TableMetadata, { schemaId }: Snapshot): Schema {
  return metadata.schemas.find((schema) => schema.schemaId === schemaId) ?? currentSchema(metadata);
}

export function currentSchema(metadata: TableMetadata): Schema {
  return metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)!;
}

function nameMapping(metadata: TableMetadata, schema: Schema): MappedField[] {
  const text = metadata.properties[NAME_MAPPING_PROPERTY];
  return text === undefined ? createNameMapping(schema) : parseNameMapping(text);
}
