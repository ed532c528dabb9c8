import type { RowValue } from './convert.ts';
import type { LogicalField } from './model.ts';

/** A value of a column: a leaf's RowValue, a struct's object, a list's array, a map's array of [key, value] pairs, or null. */
export type Assembled = RowValue | null | Assembled[] | [Assembled, Assembled][] | { [field: string]: Assembled };

/** Entries of one leaf that begin with a row's first, and how far they have been taken. */
export interface LeafEntries {
  definition: Uint8Array;
  repetition?: Uint8Array;
  values: RowValue[];
  /** Next entry. */
  entry: number;
  /** Next value. */
  value: number;
}

/**
 * Takes one value of a field from the entries of its leaves (spec: the Dremel encoding, parquet-format "Nested Encoding").
 * @param entries by leaf index
 * @throws Error when the leaves do not agree, or end
 */
export function takeValue(field: LogicalField, entries: ReadonlyMap<number, LeafEntries>): Assembled {
  const first = firstEntries(field, entries);
  const level = first.definition[first.entry];
  if (level === undefined) throw new Error(`the entries of \`${field.path}\` end early`);
  if (level < field.definitionLevel) {
    skipEntry(field, entries);
    return null;
  }
  switch (field.kind) {
    case 'primitive':
      first.entry++;
      return first.values[first.value++]!;
    case 'struct':
      return Object.fromEntries(field.children.map((child) => [child.name, takeValue(child, entries)]));
    case 'list':
      return takeEntries(field, entries, first, () => takeValue(field.children[0]!, entries));
    case 'map': {
      const [key, value] = field.children as [LogicalField, LogicalField];
      return takeEntries(field, entries, first, () => [takeValue(key, entries), takeValue(value, entries)]);
    }
  }
}

function takeEntries<T extends Assembled | [Assembled, Assembled]>(
  field: LogicalField,
  entries: ReadonlyMap<number, LeafEntries>,
  first: LeafEntries,
  takeOne: () => T,
): T[] {
  // The repeated group has a level of its own: present but below it means empty.
  if (first.definition[first.entry]! <= field.definitionLevel) {
    skipEntry(field, entries);
    return [];
  }
  const taken = [takeOne()];
  while (first.repetition?.[first.entry] === field.repetitionLevel + 1) taken.push(takeOne());
  return taken;
}

/** A missing value or an empty list is one entry in each of its leaves. */
function skipEntry(field: LogicalField, entries: ReadonlyMap<number, LeafEntries>): void {
  if (field.leaf !== undefined) entries.get(field.leaf.index)!.entry++;
  for (const child of field.children) skipEntry(child, entries);
}

function firstEntries(field: LogicalField, entries: ReadonlyMap<number, LeafEntries>): LeafEntries {
  let leafField = field;
  while (leafField.leaf === undefined) leafField = leafField.children[0]!;
  return entries.get(leafField.leaf.index)!;
}
