import { annotationFits, annotationOf, isStruct } from './annotation.ts';
import type { Leaf, PhysicalType } from './model.ts';
import type { ThriftStruct, ThriftValue } from './thrift.ts';

/** An element of the file's schema with its place in the tree. */
export interface SchemaNode {
  name: string;
  repetition: 'required' | 'optional' | 'repeated';
  /** LIST or MAP (or MAP_KEY_VALUE on an outer group, which old writers put for MAP). */
  group?: 'list' | 'map';
  fieldId?: number;
  /** Levels of the element itself: how many optional or repeated (repeated) elements lead to it, itself included. */
  definitionLevel: number;
  repetitionLevel: number;
  children: SchemaNode[];
  /** Set for a primitive column. */
  leaf?: Leaf;
}

const TYPES: readonly PhysicalType[] = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
];
const REPETITIONS = ['required', 'optional', 'repeated'] as const;
const MAX_DEPTH = 100;
const text = new TextDecoder();

/**
 * Builds the tree from the footer's flat, depth-first element list (parquet.thrift: FileMetaData.schema).
 * @returns the children of the root, and all primitive columns in file order
 * @throws Error (plain) naming the element at fault
 */
export function schemaTree(elements: readonly ThriftValue[]): { columns: SchemaNode[]; leaves: Leaf[] } {
  const leaves: Leaf[] = [];
  let next = 0;

  const element = (): ThriftStruct => {
    const found = elements[next++];
    if (!isStruct(found)) throw new Error(`the schema tree needs more elements than the ${elements.length} it has`);
    return found;
  };

  const childrenOf = (count: number, path: string[], definition: number, repetition: number): SchemaNode[] => {
    if (path.length > MAX_DEPTH) throw new Error(`the schema is nested deeper than ${MAX_DEPTH}`);
    if (!Number.isSafeInteger(count) || count < 0 || count > elements.length - next) {
      throw new Error(`schema element \`${path.join('.')}\` claims ${count} children`);
    }
    const nodes: SchemaNode[] = [];
    for (let i = 0; i < count; i++) nodes.push(node(path, definition, repetition));
    return nodes;
  };

  const node = (above: string[], definition: number, repetition: number): SchemaNode => {
    const found = element();
    if (!(found[4] instanceof Uint8Array)) throw new Error('a schema element has no name');
    const name = text.decode(found[4]);
    const path = [...above, name];
    const kind = REPETITIONS[Number(found[3])];
    if (kind === undefined) throw new Error(`schema element \`${path.join('.')}\` has no repetition`);
    const definitionLevel = definition + (kind === 'required' ? 0 : 1);
    const repetitionLevel = repetition + (kind === 'repeated' ? 1 : 0);
    const result: SchemaNode = { name, repetition: kind, definitionLevel, repetitionLevel, children: [] };
    if (typeof found[9] === 'number') result.fieldId = found[9];
    // A primitive has a type and no children; some writers put num_children 0 on it.
    if (typeof found[1] === 'number') {
      result.leaf = leafOf(found, path, leaves.length, definitionLevel, repetitionLevel);
      leaves.push(result.leaf);
    } else {
      const group = groupKind(found);
      if (group !== undefined) result.group = group;
      result.children = childrenOf(Number(found[5] ?? 0), path, definitionLevel, repetitionLevel);
      if (result.children.length === 0)
        throw new Error(`schema element \`${path.join('.')}\` has neither type nor children`);
    }
    return result;
  };

  const root = element();
  const columns = childrenOf(Number(root[5] ?? 0), [], 0, 0);
  if (next !== elements.length) {
    throw new Error(`the schema has ${elements.length} elements, but its tree uses ${next}`);
  }
  return { columns, leaves };
}

function leafOf(element: ThriftStruct, path: string[], index: number, definition: number, repetition: number): Leaf {
  const where = path.join('.');
  const physicalType = TYPES[Number(element[1])];
  if (physicalType === undefined) throw new Error(`column \`${where}\` has unknown physical type ${element[1]}`);
  if (Number(element[5] ?? 0) !== 0) throw new Error(`column \`${where}\` has both a type and children`);
  const leaf: Leaf = { index, path, physicalType, maxDefinitionLevel: definition, maxRepetitionLevel: repetition };
  if (physicalType === 'FIXED_LEN_BYTE_ARRAY') {
    const length = Number(element[2]);
    if (!Number.isSafeInteger(length) || length < 0)
      throw new Error(`column \`${where}\` has type length ${element[2]}`);
    leaf.typeLength = length;
  }
  const annotation = annotationOf(element);
  if (annotation !== undefined) {
    if (!annotationFits(annotation, physicalType, leaf.typeLength)) {
      throw new Error(`column \`${where}\` is annotated ${annotation.kind} but stored as ${physicalType}`);
    }
    leaf.annotation = annotation;
  }
  return leaf;
}

function groupKind(element: ThriftStruct): 'list' | 'map' | undefined {
  const logical = isStruct(element[10]) ? element[10] : {};
  if (logical[3] !== undefined || element[6] === 3) return 'list';
  if (logical[2] !== undefined || element[6] === 1 || element[6] === 2) return 'map';
  return undefined;
}
