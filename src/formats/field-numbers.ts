import type { PrimitiveType, Transform, Value } from '../iceberg/model.ts';
import { murmur3Long } from '../iceberg/murmur3.ts';
import { transformer, transformParts } from '../iceberg/transforms.ts';
import { decimalOf } from '../iceberg/types.ts';
import type { BytesBlock } from './bytes-block.ts';
import { bytesValue, fixedValue } from './column-storage.ts';
import type { FixedBlock } from './fixed-block.ts';
import type { RowValue } from './row-batch.ts';
import type { BlockColumn, RowBlock } from './row-block.ts';

const REMEMBERED = 10_000;
const NONE = 0xffffffff;
const MICROS_PER_HOUR = 3_600_000_000;
const HIGH_WORD = 4_294_967_296;

/**
 * Numbers the values of one partition field: equal partition values have equal numbers, counted from 0 as they appear. A value is transformed once
 * for all rows of a batch that have it, where that can be told without looking at each: a word of a dictionary, an hour of timestamps.
 */
export class FieldNumbers {
  /** Partition values by number. */
  readonly values: (Value | undefined)[] = [];
  private readonly transform: Transform;
  private readonly type: PrimitiveType;
  private readonly column: number;
  private readonly path: readonly string[];
  private readonly apply: (value: Value | undefined) => Value | undefined;
  private readonly byKey = new Map<string, number>();
  /** Numbers of what was seen lately: source values, hours or buckets. */
  private readonly seen = new Map<number, number>();
  private byEntry = new Uint32Array(0);
  private generation = -1;

  constructor(transform: Transform, type: PrimitiveType, column: number, path: readonly string[]) {
    this.transform = transform;
    this.type = type;
    this.column = column;
    this.path = path;
    this.apply = transformer(transform, type);
  }

  /** The number of the partition value of each row from `from` on. */
  numbersOf(block: RowBlock, from: number): Uint32Array {
    const column = block.columns[this.column]!;
    const numbers = new Uint32Array(block.rows - from);
    const numberAt = this.reader(column);
    const nulls = column.kind === 'values' ? undefined : column.presence;
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = nulls?.has(from + i) === false ? this.numberOf(undefined) : numberAt(from + i);
    }
    return numbers;
  }

  private reader(column: BlockColumn): (row: number) => number {
    if (column.kind === 'fixed') return this.fixedReader(column);
    if (column.kind === 'bytes') return this.entryReader(column);
    return (row) => this.numberOf(valueAt(column.values[row], this.path));
  }

  private entryReader(column: BytesBlock): (row: number) => number {
    const read = bytesValue(this.type);
    if (this.generation !== column.generation || this.byEntry.length < column.entries) {
      const known = this.generation === column.generation ? this.byEntry : new Uint32Array(0);
      this.byEntry = new Uint32Array(Math.max(1024, 2 * column.entries)).fill(NONE);
      this.byEntry.set(known);
      this.generation = column.generation;
    }
    const { byEntry } = this;
    return (row) => {
      const entry = column.entry(row);
      if (byEntry[entry] === NONE) byEntry[entry] = this.numberOf(read(column.bytes(entry)));
      return byEntry[entry]!;
    };
  }

  private fixedReader(column: FixedBlock): (row: number) => number {
    const { kind, parameter } = transformParts(this.transform);
    const read = fixedValue(this.type);
    const view = column.view();
    const { width } = column;
    const single = (row: number): number => this.numberOf(read(view, row * width));
    if (this.type === 'float' || this.type === 'double') return single;
    const { seen } = this;
    const remember = (key: number, number: number): number => {
      if (seen.size >= REMEMBERED) seen.clear();
      seen.set(key, number);
      return number;
    };
    // Whole numbers are hashed as longs, but decimals by their shortest bytes.
    if (kind === 'bucket' && decimalOf(this.type) === undefined) {
      return (row) => {
        const low = column.word(row, 0);
        const high = width === 8 ? column.word(row, 1) : low >> 31;
        const bucket = (murmur3Long(low, high) & 0x7fffffff) % parameter;
        return seen.get(bucket) ?? remember(bucket, this.numberOfResult(bucket));
      };
    }
    // Years, months, days and hours begin where an hour begins: one value speaks for its hour.
    const hours = width === 8 && (kind === 'year' || kind === 'month' || kind === 'day' || kind === 'hour');
    return (row) => {
      const low = column.word(row, 0);
      const value = width === 8 ? column.word(row, 1) * HIGH_WORD + (low >>> 0) : low;
      if (!Number.isSafeInteger(value)) return single(row);
      const key = hours ? Math.floor(value / MICROS_PER_HOUR) : value;
      return seen.get(key) ?? remember(key, single(row));
    };
  }

  private numberOf(value: Value | undefined): number {
    return this.numberOfResult(this.apply(value));
  }

  private numberOfResult(result: Value | undefined): number {
    const key = valueKey(result);
    let number = this.byKey.get(key);
    if (number === undefined) {
      number = this.values.push(result) - 1;
      this.byKey.set(key, number);
    }
    return number;
  }
}

function valueAt(from: RowValue, path: readonly string[]): Value | undefined {
  let value = from;
  for (const name of path) {
    if (typeof value !== 'object' || value instanceof Uint8Array || Array.isArray(value)) return undefined;
    value = value[name];
  }
  return typeof value === 'object' && !(value instanceof Uint8Array) ? undefined : value;
}

function valueKey(value: Value | undefined): string {
  if (value === undefined) return 'n';
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'string') return `s${value}`;
  return Object.is(value, -0) ? 'v-0' : `v${value}`;
}
