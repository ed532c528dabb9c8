import type { NestedField, Schema } from '../iceberg/model.ts';
import type { MappedField } from '../iceberg/name-mapping.ts';
import { fileFieldId, fileIds } from '../iceberg/parquet-schema.ts';
import { leafType } from '../iceberg/parquet-type.ts';
import { childFields } from '../iceberg/types.ts';
import { depthFirst } from '../parquet/logical.ts';
import type { LogicalField, ParquetFooter } from '../parquet/model.ts';
import type { FieldFacts } from './rule.ts';

/** A file's own fields, depth first, as facts; types by Iceberg's name where it has one. */
export function fileFields(footer: ParquetFooter): FieldFacts[] {
  return depthFirst(footer.fields).map((field) => ({
    name: field.path,
    type: typeText(field),
    required: !field.optional,
    nested: !footer.fields.includes(field),
  }));
}

function typeText(field: LogicalField): string {
  const children = field.children.map(typeText);
  switch (field.kind) {
    case 'primitive': {
      const { type, found } = leafType(field.leaf!);
      return type ?? found;
    }
    case 'struct':
      return `struct<${field.children.map((child, i) => `${child.name}: ${children[i]}`).join(', ')}>`;
    default:
      return `${field.kind}<${children.join(', ')}>`;
  }
}

/**
 * Where each of a table's fields is in a file: by field id where the file has them on every field, else by the names that the table's mapping
 * gives it, else by its own name (spec: "Column Projection"). Fields that the file lacks are not in the map.
 */
export function matchFields(
  schema: Schema,
  footer: ParquetFooter,
  nameMapping: readonly MappedField[] = [],
): Map<string, LogicalField> {
  const byId = fileIds(footer) === 'all';
  const matched = new Map<string, LogicalField>();
  const visit = (
    fields: readonly NestedField[],
    stored: readonly LogicalField[],
    mapping: readonly MappedField[],
    above: string,
  ): void => {
    for (const field of fields) {
      const mapped = mapping.find((entry) => entry.fieldId === field.id);
      const names = mapped?.names ?? [field.name];
      const match = stored.find((other) => (byId ? fileFieldId(other) === field.id : names.includes(other.name)));
      if (match === undefined) continue;
      matched.set(above + field.name, match);
      visit(childFields(field.type), match.children, mapped?.fields ?? [], `${above}${field.name}.`);
    }
  };
  visit(schema.fields, footer.fields, nameMapping, '');
  return matched;
}
