import { LakegateError } from '../errors.ts';
import { fileOf, findScalar, totalRows } from './column.ts';
import { compareValues } from './compare.ts';
import { formatValue } from './format-value.ts';
import { createKeySet } from './key-set.ts';
import { typeKind } from './literal.ts';
import { createRowHasher } from './row-key.ts';
import { readColumns } from './row-values.ts';
import {
  type AuditContext,
  type AuditedFile,
  type AuditValue,
  MAX_POSITIONS,
  type RuleResult,
  type RuleSpec,
} from './rule.ts';

/** Keys held at once: 256 MB of set. More rows are taken in several passes, each over its share of the hashes. */
export const KEYS_PER_PASS = 12_000_000;
/** A bitmap is used while it needs no more than the hash set would (16 bytes a row), and at most 128 MB. */
const BITS_PER_ROW = 128n;
const MAX_BITS = 1n << 30n;

/** What has been seen of the keys; `add` says whether the key is new. */
type Seen = (key: readonly AuditValue[], file: AuditedFile) => boolean;

/** Rows whose key an earlier row has. */
interface Repeats {
  count: number;
  first: { file: number; row: number; key: string }[];
}

/**
 * No combination of the columns' values occurs twice in the delivery, all files together. A key with a null in it equals nothing, as in SQL.
 * `count` is the number of rows that repeat an earlier one. Exact, in bounded memory.
 * @param keysPerPass how many keys are held at once
 */
export async function unique(
  spec: Extract<RuleSpec, { rule: 'unique' }>,
  context: AuditContext,
  keysPerPass: number = KEYS_PER_PASS,
): Promise<RuleResult[]> {
  const { rule } = spec;
  const columns = [...new Set(spec.columns)];
  const column = columns.join(', ');
  const expected = columns.length === 1 ? 'no value twice' : 'no combination twice';
  const types: string[] = [];
  for (const name of columns) {
    const scalar = await findScalar(rule, name, expected, context);
    if ('result' in scalar) return [{ ...scalar.result, column }];
    types.push(scalar.field.type);
  }
  const rows = totalRows(context.files);
  if (rows <= 1) return [{ rule, column, outcome: 'passed', count: 0, expected, found: `${rows} rows` }];

  const repeats = await findRepeats(columns, types, rows, context, keysPerPass);
  if (repeats.count === 0) return [{ rule, column, outcome: 'passed', count: 0, expected, found: 'no repeats' }];
  const first = repeats.first[0]!;
  const positions = repeats.first.filter((repeat) => repeat.file === first.file).map((repeat) => repeat.row);
  const found = `${repeats.count} ${repeats.count === 1 ? 'row repeats' : 'rows repeat'} an earlier one, first ${first.key}`;
  const where = { rows: positions, ...fileOf(context.files[first.file], context) };
  return [{ rule, column, outcome: 'failed', count: repeats.count, ...where, expected, found }];
}

async function findRepeats(
  columns: readonly string[],
  types: readonly string[],
  rows: number,
  { files, share = { number: 0, of: 1 } }: AuditContext,
  keysPerPass: number,
): Promise<Repeats> {
  const all: Repeats = { count: 0, first: [] };
  const bitmap = columns.length === 1 ? await bitmapOf(columns[0]!, types[0]!, rows, files) : undefined;
  // A bitmap has room for all keys: the first share does the others' work.
  if (bitmap !== undefined) return share.number === 0 ? scan(columns, types, files, bitmap) : all;
  const passes = Math.ceil(rows / share.of / keysPerPass) * share.of;
  for (let pass = share.number; pass < passes; pass += share.of) {
    const found = await scan(columns, types, files, hashed(rows, passes, pass));
    all.count += found.count;
    all.first.push(...found.first);
  }
  all.first.sort((a, b) => a.file - b.file || a.row - b.row).splice(MAX_POSITIONS);
  return all;
}

async function scan(
  columns: readonly string[],
  types: readonly string[],
  files: readonly AuditedFile[],
  isNew: Seen,
): Promise<Repeats> {
  const repeats: Repeats = { count: 0, first: [] };
  const key: AuditValue[] = [];
  for (const [index, file] of files.entries()) {
    for await (const batch of readColumns(file, columns)) {
      for (let i = 0; i < batch.columns[0]!.length; i++) {
        if (!readKey(batch.columns, i, key) || isNew(key, file)) continue;
        repeats.count += 1;
        if (repeats.first.length >= MAX_POSITIONS) continue;
        const shown = key.map((value, c) => formatValue(value, types[c]!)).join(', ');
        repeats.first.push({ file: index, row: batch.firstRow + i, key: shown });
      }
    }
  }
  return repeats;
}

/** Puts one row's values into `key`; false when one of them is null. */
function readKey(columns: readonly (AuditValue | undefined)[][], row: number, key: AuditValue[]): boolean {
  for (let c = 0; c < columns.length; c++) {
    const value = columns[c]![row];
    if (value === undefined) return false;
    key[c] = value;
  }
  return true;
}

/** Keys by their hash. A pass takes the keys whose last lane falls into its share, and lets the others by as new. */
function hashed(rows: number, passes: number, pass: number): Seen {
  const hasher = createRowHasher();
  // Shares of a uniform hash are equal but for chance, which ten standard deviations cover.
  const share = rows / passes;
  const keys = createKeySet(passes === 1 ? rows : Math.ceil(share + 10 * Math.sqrt(share) + 64));
  return (key) => {
    hasher.hash(key);
    return hasher.lanes[3]! % passes !== pass || keys.add(hasher.lanes);
  };
}

/** A bit for each possible value, where statistics bound whole numbers or dates closely enough: exact, and far smaller than a set. */
async function bitmapOf(
  column: string,
  type: string,
  rows: number,
  files: readonly AuditedFile[],
): Promise<Seen | undefined> {
  const kind = typeKind(type);
  const step = kind === 'integer' ? 1n : kind === 'date' ? 86_400_000_000n : undefined;
  if (step === undefined) return undefined;
  let lower: AuditValue | undefined;
  let upper: AuditValue | undefined;
  for (const file of files) {
    if (file.rows === 0) continue;
    const bounds = await file.bounds(column);
    if (bounds === undefined) return undefined;
    if (lower === undefined || compareValues(bounds.lower, lower)! < 0) lower = bounds.lower;
    if (upper === undefined || compareValues(bounds.upper, upper)! > 0) upper = bounds.upper;
  }
  const base = whole(lower!) / step;
  const bits = whole(upper!) / step - base + 1n;
  if (bits > MAX_BITS || bits > BigInt(rows) * BITS_PER_ROW) return undefined;
  const seen = new Uint8Array(Number(bits / 8n) + 1);
  const [origin, last] = [Number(base), Number(bits) - 1];
  const exact = Number.isSafeInteger(origin) && Number.isSafeInteger(origin + last);
  return (key, file) => {
    const value = key[0]!;
    const bit = exact && typeof value === 'number' ? value - origin : Number(whole(value) / step - base);
    if (bit < 0 || bit > last) {
      throw new LakegateError(
        'corrupt',
        `${file.url}: column ${column} has the value ${formatValue(value, type)}, outside the smallest and largest value that its statistics give. Write the file again with a writer whose statistics are right.`,
        { context: { url: file.url, column } },
      );
    }
    const mask = 1 << (bit & 7);
    const byte = seen[bit >>> 3]!;
    seen[bit >>> 3] = byte | mask;
    return (byte & mask) === 0;
  };
}

function whole(value: AuditValue): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'object' && 'micros' in value) return value.micros;
  return BigInt(value as number);
}
