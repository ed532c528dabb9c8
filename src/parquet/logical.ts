import type { LogicalField } from './model.ts';
import type { SchemaNode } from './schema.ts';

/**
 * The columns as people know them: list and map wrappers folded away, children named as Iceberg names them.
 * Follows the backward-compatibility rules of parquet-format's LogicalTypes.md ("Lists", "Maps"): two-level lists, `array` and `_tuple` groups,
 * bare repeated fields, MAP_KEY_VALUE, and maps without values (a list of their keys). A LIST or MAP group of another shape is read as the
 * struct that it is.
 */
export function logicalFields(columns: readonly SchemaNode[]): LogicalField[] {
  return columns.map((node) => fieldOf(node, node.name, ''));
}

/** All fields depth first in file order, the given ones included. */
export function depthFirst(fields: readonly LogicalField[]): LogicalField[] {
  return fields.flatMap((field) => [field, ...depthFirst(field.children)]);
}

/** The primitive columns under a field, itself included. */
export function leavesUnder(field: LogicalField): LogicalField[] {
  return depthFirst([field]).filter((each) => each.leaf !== undefined);
}

function fieldOf(node: SchemaNode, name: string, above: string): LogicalField {
  if (node.repetition !== 'repeated') return presentField(node, name, above);
  // A bare repeated field: a required list of required elements.
  const path = joined(above, name);
  return {
    name,
    path,
    kind: 'list',
    optional: false,
    definitionLevel: node.definitionLevel - 1,
    repetitionLevel: node.repetitionLevel - 1,
    ...idOf(node),
    children: [withoutId(presentField(node, 'element', path))],
  };
}

/** The field of a node whose own repetition, where it is repeated, a list around it has already taken. */
function presentField(node: SchemaNode, name: string, above: string): LogicalField {
  const path = joined(above, name);
  const field: LogicalField = {
    name,
    path,
    kind: 'struct',
    optional: node.repetition === 'optional',
    definitionLevel: node.definitionLevel,
    repetitionLevel: node.repetitionLevel,
    ...idOf(node),
    children: [],
  };
  if (node.leaf !== undefined) {
    field.kind = 'primitive';
    field.leaf = node.leaf;
    return field;
  }
  const entries =
    node.children.length === 1 && node.children[0]?.repetition === 'repeated' ? node.children[0] : undefined;
  if (node.group === 'list' && entries !== undefined) {
    field.kind = 'list';
    field.children = [presentField(elementOf(node, entries), 'element', path)];
  } else if (node.group === 'map' && entries !== undefined && isMapEntry(entries)) {
    const [key, value] = entries.children;
    field.kind = value === undefined ? 'list' : 'map';
    field.children =
      value === undefined
        ? [presentField(key!, 'element', path)]
        : [presentField(key!, 'key', path), presentField(value, 'value', path)];
  } else {
    field.children = node.children.map((child) => fieldOf(child, child.name, path));
  }
  return field;
}

/** Which node under a LIST group is the element: the repeated one itself, or its only child. */
function elementOf(list: SchemaNode, repeated: SchemaNode): SchemaNode {
  const only = repeated.children.length === 1 ? repeated.children[0] : undefined;
  const legacy = repeated.name === 'array' || repeated.name === `${list.name}_tuple`;
  return only === undefined || only.repetition === 'repeated' || legacy ? repeated : only;
}

function isMapEntry(entries: SchemaNode): boolean {
  const count = entries.children.length;
  return (count === 1 || count === 2) && entries.children.every((child) => child.repetition !== 'repeated');
}

function joined(above: string, name: string): string {
  return above === '' ? name : `${above}.${name}`;
}

function idOf(node: SchemaNode): { fieldId?: number } {
  return node.fieldId === undefined ? {} : { fieldId: node.fieldId };
}

function withoutId({ fieldId: _listsOwn, ...field }: LogicalField): LogicalField {
  return field;
}
