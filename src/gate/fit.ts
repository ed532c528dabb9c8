import type { TableConfig } from '../config/model.ts';
import { addedColumns, type Promotion, unionByName } from '../iceberg/evolve.ts';
import type { NestedField, Schema } from '../iceberg/model.ts';
import type { MappedField } from '../iceberg/name-mapping.ts';
import { matchSchema } from '../iceberg/schema-match.ts';
import type { Inspected } from './inspect.ts';

/** Columns that a delivery asks the table to take. */
export interface SchemaChange {
  additions: NestedField[];
  promotions: Promotion[];
}

/** The table's columns as they would be with the deliveries fitted so far. */
export interface FitTarget {
  schema: Schema;
  /** The table's last column id. */
  lastColumnId: number;
  nameMapping: readonly MappedField[];
  /** Columns that other deliveries, staged but not published, have an id for, by dotted name. */
  pending: ReadonlyMap<string, NestedField>;
}

export type Fit =
  | { kind: 'fits'; target: FitTarget; change: SchemaChange /** `name: type` */; added: string[] }
  /** One sentence for each thing that is wrong. */
  | { kind: 'refused'; problems: string[] };

/**
 * Whether a file's columns fit the table's under its schema policy, and what the table must take on for it.
 * @param policy `strict`: nothing new; `add_columns`: new columns and safe promotions of the table's
 */
export function fitSchema(target: FitTarget, inspected: Inspected, policy: TableConfig['schemaPolicy']): Fit {
  if (inspected.kind === 'text') return fitText(target, inspected.columns ?? [], policy);
  const match = matchSchema(target.schema, inspected.footer, target.nameMapping);
  if (match.problems.length > 0) return refuse(match.problems.map((problem) => problem.message));
  return fitChange(target, { additions: match.additions, promotions: match.promotions }, policy);
}

/** Text has no types of its own: only its new columns count, the others are converted to the table's types. */
function fitText(target: FitTarget, columns: readonly NestedField[], policy: TableConfig['schemaPolicy']): Fit {
  const known = new Set(target.schema.fields.map((field) => field.name));
  const additions = columns.filter((column) => !known.has(column.name));
  return fitChange(target, { additions, promotions: [] }, policy);
}

function fitChange(target: FitTarget, change: SchemaChange, policy: TableConfig['schemaPolicy']): Fit {
  const { additions, promotions } = change;
  const added = addedColumns(target.schema, additions).map(({ name, type }) => `${name}: ${type}`);
  if (additions.length === 0 && promotions.length === 0) return { kind: 'fits', target, change, added };
  if (policy === 'strict') {
    return refuse([
      ...added.map((column) => `column ${column} is not in the table; schema: add_columns would take it`),
      ...promotions.map(
        ({ column, from, to }) =>
          `column ${column} is ${to} where the table has ${from}; schema: add_columns would widen the table's`,
      ),
    ]);
  }
  const { schema, lastColumnId } = unionByName(
    target.schema,
    additions,
    promotions,
    target.lastColumnId + 1,
    target.pending,
  );
  return { kind: 'fits', target: { ...target, schema, lastColumnId }, change, added };
}

/** A file of another table altogether may not fit in thousands of columns: the first few tell what is wrong. */
const PROBLEMS_TOLD = 10;

function refuse(problems: string[]): Fit {
  const more = problems.length - PROBLEMS_TOLD;
  return { kind: 'refused', problems: more > 0 ? [...problems.slice(0, PROBLEMS_TOLD), `and ${more} more`] : problems };
}
