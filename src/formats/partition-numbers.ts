import { LakegateError } from '../errors.ts';
import type { PartitionSpec, PrimitiveType, Schema, Value } from '../iceberg/model.ts';
import { FieldNumbers } from './field-numbers.ts';
import type { RowBlock } from './row-block.ts';

/** More than the values of a field that one batch and the partitions before it can show. */
const FIELD_STEP = 2 ** 21;

/** Numbers the partitions of a spec in the order in which rows show them. */
export class PartitionNumbers {
  /** Partition values by number, in the order of the spec's fields. */
  readonly values: (Value | undefined)[][] = [];
  private readonly fields: FieldNumbers[];
  /** For each field but the first, the numbers of the combinations of values of the fields up to it. */
  private readonly prefixes: Map<number, number>[];

  /** @throws LakegateError `invalid` when a partition field's source is not a primitive column, or one in a struct, of the schema */
  constructor(spec: PartitionSpec, schema: Schema) {
    this.fields = spec.fields.map((field) => {
      const { column, path, type } = sourceOf(field.sourceId, field.name, schema);
      return new FieldNumbers(field.transform, type, column, path);
    });
    this.prefixes = this.fields.slice(1).map(() => new Map());
    if (this.fields.length === 0) this.values.push([]);
  }

  /**
   * Writes the partition number of each of the block's rows from `from` on to `numbers`.
   * @param limit throws before there are more partitions than this @param tooMany makes what is thrown
   */
  assign(block: RowBlock, from: number, numbers: Uint32Array, limit: number, tooMany: () => Error): void {
    if (this.fields.length === 0) {
      numbers.fill(0, from, block.rows);
      return;
    }
    const parts = this.fields.map((field) => field.numbersOf(block, from));
    const [first, ...others] = parts as [Uint32Array, ...Uint32Array[]];
    for (let row = from; row < block.rows; row++) {
      // The first field's numbers are the prefixes of one field.
      let prefix = first[row - from]!;
      for (let field = 0; field < others.length; field++) {
        const known = this.prefixes[field]!;
        const key = prefix * FIELD_STEP + others[field]![row - from]!;
        const number = known.get(key) ?? known.size;
        if (number === known.size) known.set(key, number);
        prefix = number;
      }
      // Prefixes of all fields are numbered as they appear, and so partitions are.
      if (prefix === this.values.length) {
        if (prefix >= limit) throw tooMany();
        this.values.push(parts.map((part, field) => this.fields[field]!.values[part[row - from]!]));
      }
      numbers[row] = prefix;
    }
  }
}

interface Source {
  type: PrimitiveType;
  /** From the column's index down the struct's fields. */
  column: number;
  path: readonly string[];
}

function sourceOf(id: number, name: string, schema: Schema): Source {
  for (const [column, field] of schema.fields.entries()) {
    const path: string[] = [];
    let at: typeof field | undefined = field;
    while (at !== undefined) {
      const current: typeof field = at;
      if (current.id === id && typeof current.type === 'string') return { type: current.type, column, path };
      if (typeof current.type === 'string' || current.type.type !== 'struct') break;
      at = current.type.fields.find((child) => holds(child, id));
      if (at !== undefined) path.push(at.name);
    }
  }
  throw new LakegateError(
    'invalid',
    `Partition field "${name}": its source column (id ${id}) is not a primitive column of the table.`,
    { context: { field: name, sourceId: id } },
  );
}

function holds(field: Schema['fields'][number], id: number): boolean {
  if (field.id === id) return true;
  return (
    typeof field.type !== 'string' &&
    field.type.type === 'struct' &&
    field.type.fields.some((child) => holds(child, id))
  );
}
