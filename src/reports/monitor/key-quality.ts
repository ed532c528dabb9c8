import type { LimitFunction } from 'p-limit';
import { mapBounded } from '../../rules/bounded.ts';
import type { AuditedFile, FieldFacts } from '../../rules/rule.ts';
import { unique } from '../../rules/unique.ts';
import type { Fact, KeyFacts } from './facts.ts';
import { reasonOf } from './reason.ts';
import { number } from './text.ts';

const FILES_AT_ONCE = 8;

export interface KeyOptions {
  /** Repeats are not looked for in more rows. */
  keyRows: number;
  /** Whether names match in any case. */
  anyCase: boolean;
  /** Milliseconds since the epoch. */
  now: number;
  /** Lets one search for repeats run at a time, over all tables: each may hold a key of every row. */
  oneByOne: LimitFunction;
}

/**
 * Nulls and repeats of a table's key over the files of its newest snapshot. Nulls come from statistics, else from definition levels; repeats take
 * decoding the key's columns, and are exact, in bounded memory.
 * @param files each answers by its own names; Hive's tables do not tell upper from lower case
 */
export async function keyFacts(
  columns: readonly string[],
  files: readonly AuditedFile[],
  { keyRows, anyCase, now, oneByOne }: KeyOptions,
): Promise<KeyFacts> {
  const same = (a: string, b: string) => (anyCase ? a.toLowerCase() === b.toLowerCase() : a === b);
  const named = async (file: AuditedFile) => {
    const fields = await file.fields();
    return columns.map((column) => fields.find(({ name }) => same(name, column)));
  };
  try {
    const places = await mapBounded(files, FILES_AT_ONCE, named);
    const missing = columns.filter((_, i) => places.some((fields) => fields[i] === undefined));
    if (missing.length > 0) {
      const unknown = { unknown: `no column ${missing.join(', ')}` };
      return { columns: [...columns], missing, nulls: unknown, duplicates: unknown };
    }
    const fields = places as FieldFacts[][];
    const nulls = await nullsOf(files, fields);
    const duplicates = await oneByOne(() => duplicatesOf(files, fields, keyRows, now));
    return { columns: [...columns], missing: [], nulls, duplicates };
  } catch (error) {
    const unknown = { unknown: reasonOf(error) };
    return { columns: [...columns], missing: [], nulls: unknown, duplicates: unknown };
  }
}

async function nullsOf(files: readonly AuditedFile[], fields: readonly FieldFacts[][]): Promise<Fact<number>> {
  try {
    const counts = await mapBounded(files, FILES_AT_ONCE, async (file, i) =>
      file.rows === 0 ? [] : file.nulls(fields[i]!.map(({ name }) => name)),
    );
    return { known: counts.flat().reduce((sum, { nulls }) => sum + nulls, 0) };
  } catch (error) {
    return { unknown: reasonOf(error) };
  }
}

async function duplicatesOf(
  files: readonly AuditedFile[],
  fields: readonly FieldFacts[][],
  keyRows: number,
  now: number,
): Promise<Fact<number>> {
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  if (rows > keyRows) {
    return { unknown: `${number(rows)} rows, and repeats are looked for in at most ${number(keyRows)} (key_rows)` };
  }
  const names = fields[0]?.map(({ name }) => name) ?? [];
  if (fields.some((own) => own.some(({ name }, i) => name !== names[i]))) {
    return { unknown: 'files spell the key in different ways' };
  }
  if (rows === 0) return { known: 0 };
  try {
    const [result] = await unique({ rule: 'unique', columns: names }, { files, nowMs: now });
    if (result === undefined || result.outcome === 'inconclusive') return { unknown: result?.found ?? 'no answer' };
    return { known: result.outcome === 'passed' ? 0 : (result.count ?? 0) };
  } catch (error) {
    return { unknown: reasonOf(error) };
  }
}
