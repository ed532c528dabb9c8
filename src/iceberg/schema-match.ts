import type { LogicalField, ParquetFooter } from '../parquet/model.ts';
import { arrowObstacles } from './arrow-schema.ts';
import type { Promotion } from './evolve.ts';
import { type FieldLookup, lookUp } from './field-lookup.ts';
import type { NestedField, Schema } from './model.ts';
import type { MappedField } from './name-mapping.ts';
import { fileFieldId, fileIds, optionalField, storedType, type UnsupportedColumn } from './parquet-schema.ts';
import { fitLeaf } from './parquet-type.ts';
import { allFields } from './schema.ts';
import { childFields, formatType, withChildren } from './types.ts';

/** Why a file cannot become part of a table. */
export interface SchemaProblem {
  kind: 'missing' | 'nullability' | 'type' | 'field_id' | 'name_case' | 'duplicate' | 'unsupported';
  /** Dotted path; empty for the file as a whole. */
  column: string;
  expected: string;
  found: string;
  /** One sentence for a person. */
  message: string;
}

/** How a file stands to a table. Without problems, additions, promotions and rewrites it can be registered as it is. */
export interface SchemaMatch {
  /** Field id of each leaf that belongs to a column of the table. */
  fieldOfLeaf: Map<number, number>;
  problems: SchemaProblem[];
  /** Columns that the table lacks, ids not given yet; inside an existing column: that column with only the new children. For `unionByName`. */
  additions: NestedField[];
  /** Columns of the table to widen first. For `unionByName`. */
  promotions: Promotion[];
  /** Optional columns of the table that the file lacks: read as null. */
  missing: string[];
  /** Leaf columns that must be decoded and written anew, and why. */
  rewrite: { column: string; why: string }[];
  /**
   * The file has field ids that are not this table's: some are missing, repeated, or belong to other names. Such a file came out of another table.
   * Its names count, and its ids have to go (`stripFieldIds`) before readers may see it.
   */
  foreignIds: boolean;
}

/**
 * Holds a file's columns against a table's: by field id where the file has ids, else by name (spec: "Column Projection"). After
 * additions and promotions have gone into the schema, match again: only then have new columns an id, and ids in the file been checked.
 * @param nameMapping the table's `schema.name-mapping.default`, whose older names count too
 */
export function matchSchema(
  table: Schema,
  footer: ParquetFooter,
  nameMapping: readonly MappedField[] = [],
): SchemaMatch {
  const ids = fileIds(footer);
  if (ids === 'all') {
    const match = matched(table, footer, nameMapping, true);
    if (match.problems.every(({ kind }) => kind !== 'field_id')) return match;
  }
  const match = matched(table, footer, nameMapping, false);
  match.foreignIds = ids !== 'none';
  return match;
}

function matched(
  table: Schema,
  footer: ParquetFooter,
  nameMapping: readonly MappedField[],
  byId: boolean,
): SchemaMatch {
  const match = new Matching(table, footer, byId);
  match.result.additions.push(...match.fields(footer.fields, table.fields, nameMapping, '', false));
  return match.result;
}

class Matching {
  readonly result: SchemaMatch = {
    fieldOfLeaf: new Map(),
    problems: [],
    additions: [],
    promotions: [],
    missing: [],
    rewrite: [],
    foreignIds: false,
  };
  readonly #byId: boolean;
  readonly #obstacles: ReadonlyMap<string, string>;
  readonly #nameOfId: ReadonlyMap<number, string>;

  constructor(table: Schema, footer: ParquetFooter, byId: boolean) {
    this.#byId = byId;
    this.#obstacles = arrowObstacles(footer.keyValueMetadata['ARROW:schema']);
    this.#nameOfId = new Map(allFields(table).map((entry) => [entry.field.id, entry.name]));
  }

  problem(kind: SchemaProblem['kind'], column: string, expected: string, found: string): void {
    const subject = column === '' ? 'the file' : `column "${column}"`;
    this.result.problems.push({
      kind,
      column,
      expected,
      found,
      message: `${subject}: expected ${expected}, found ${found}`,
    });
  }

  /** Matches the children of one parent. @returns what the table lacks */
  fields(
    stored: readonly LogicalField[],
    wanted: readonly NestedField[],
    mapping: readonly MappedField[],
    above: string,
    inMapKey: boolean,
  ): NestedField[] {
    const additions: NestedField[] = [];
    const claimed = new Map<number, string>();
    const excused = new Set<number>();
    const lookup = lookUp(wanted, mapping);
    for (const field of stored) {
      const target = this.#target(field, lookup, inMapKey);
      if (target === 'refused') {
        // Named in a problem already: not to be called missing as well.
        for (const like of wanted) if (sameButCase(like.name, field.name)) excused.add(like.id);
        continue;
      }
      if (target === undefined) {
        additions.push(...this.#addition(field, additions));
        continue;
      }
      const rival = claimed.get(target.id);
      claimed.set(target.id, field.path);
      if (rival !== undefined) {
        this.problem('duplicate', field.path, 'one column of the file for each of the table', `"${rival}" as well`);
        continue;
      }
      if (target.required && field.optional)
        this.problem('nullability', field.path, 'a required column', 'an optional one, which may hold nulls');
      const names = lookup.entryOf(target.id)?.fields ?? [];
      const below = this.#type(field, target, names, inMapKey);
      if (below !== undefined) additions.push(below);
    }
    for (const field of wanted) {
      if (claimed.has(field.id) || excused.has(field.id)) continue;
      if (!field.required) this.result.missing.push(above + field.name);
      else this.problem('missing', above + field.name, `a required ${formatType(field.type)}`, 'none');
    }
    return additions;
  }

  /** The table's field for a file's: undefined where it has none, `refused` where that is a problem. */
  #target(field: LogicalField, lookup: FieldLookup, inMapKey: boolean): NestedField | undefined | 'refused' {
    const named = lookup.named(field.name);
    if (this.#byId) {
      const id = fileFieldId(field)!;
      const target = lookup.withId(id);
      const alias = lookup.entryOf(id)?.names.includes(field.name);
      if (target !== undefined && (target === named || alias)) return target;
      const owner = this.#nameOfId.get(id);
      if (owner !== undefined || named !== undefined) {
        const expected =
          named === undefined ? `a column called "${owner}" under field id ${id}` : `field id ${named.id}`;
        const theirs = owner === undefined ? 'the table does not know' : `the table has given to "${owner}"`;
        this.problem('field_id', field.path, expected, `field id ${id}, which ${theirs}`);
        return 'refused';
      }
    } else {
      const target = lookup.withId(lookup.mapped(field.name)?.fieldId) ?? named;
      if (target !== undefined) return target;
    }
    const namesake = lookup.like(field.name);
    if (namesake !== undefined) {
      const expected = `"${field.path.slice(0, field.path.length - field.name.length)}${namesake.name}"`;
      this.problem('name_case', field.path, expected, `"${field.path}": only the case differs`);
      return 'refused';
    }
    if (!inMapKey) return undefined;
    this.problem('type', field.path, 'no new fields in the keys of a map', 'a field that the table lacks');
    return 'refused';
  }

  #addition(field: LogicalField, before: readonly NestedField[]): NestedField[] {
    const rival = before.find((other) => sameButCase(other.name, field.name));
    if (rival !== undefined) {
      this.problem('name_case', field.path, 'new columns that differ by more than case', `"${rival.name}" as well`);
      return [];
    }
    const unsupported: UnsupportedColumn[] = [];
    const made = optionalField(field, this.#obstacles, unsupported);
    for (const { column, found, why, rewrite } of unsupported) {
      if (rewrite) this.result.rewrite.push({ column, why });
      else this.problem('unsupported', column, 'a type that Iceberg has', `${found}: ${why}`);
    }
    if (field.name === '') this.problem('unsupported', field.path, 'a column name', 'an empty one');
    return made === undefined || field.name === '' ? [] : [withoutIds(made)];
  }

  /** Matches one field's type. @returns the field with only the children that the table lacks */
  #type(
    field: LogicalField,
    target: NestedField,
    mapping: readonly MappedField[],
    inMapKey: boolean,
  ): NestedField | undefined {
    const kind = typeof target.type === 'string' ? 'primitive' : target.type.type;
    if (kind !== field.kind || typeof target.type === 'string') {
      if (kind === 'primitive' && field.leaf !== undefined) this.#leaf(field, target, inMapKey);
      else this.problem('type', field.path, formatType(target.type), this.#describe(field));
      return undefined;
    }
    const children = childFields(target.type);
    if (target.type.type === 'map') {
      const [key, value] = field.children;
      // Keys are required by nature; old writers mark them optional all the same.
      const wantedKey = { ...children[0]!, required: false };
      this.fields(key ? [key] : [], [wantedKey], mapping, `${field.path}.`, true);
      const below = this.fields(value ? [value] : [], children.slice(1), mapping, `${field.path}.`, inMapKey);
      return below[0] && { ...target, type: withChildren(target.type, [children[0]!, below[0]]) };
    }
    const below = this.fields(field.children, children, mapping, `${field.path}.`, inMapKey);
    return below.length === 0 ? undefined : { ...target, type: withChildren(target.type, below) };
  }

  #leaf(field: LogicalField, target: NestedField, inMapKey: boolean): void {
    if (typeof target.type !== 'string') return;
    const leaf = field.leaf!;
    const fit = fitLeaf(leaf, target.type);
    if (fit.kind === 'no' || (fit.kind === 'promote' && inMapKey)) {
      const why = fit.kind === 'no' ? fit.why : "a map's key cannot be widened";
      this.problem('type', field.path, target.type, this.#describe(field) + (why === undefined ? '' : `: ${why}`));
      return;
    }
    this.result.fieldOfLeaf.set(leaf.index, target.id);
    if (fit.kind === 'promote')
      this.result.promotions.push({ fieldId: target.id, column: field.path, from: target.type, to: fit.to });
    const own = fit.kind === 'rewrite' ? fit.why : undefined;
    const why = own ?? storedType(field, this.#obstacles).why;
    if (why !== undefined) this.result.rewrite.push({ column: field.path, why });
  }

  #describe(field: LogicalField): string {
    if (field.leaf === undefined) return `a ${field.kind}`;
    const { found, type } = storedType(field, this.#obstacles);
    return type === undefined ? found : `${type} (${found})`;
  }
}

function sameButCase(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function withoutIds(field: NestedField): NestedField {
  return { ...field, id: 0, type: withChildren(field.type, childFields(field.type).map(withoutIds)) };
}
