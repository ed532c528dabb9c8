import { isKind } from '../errors.ts';
import type { NullCount } from '../parquet/model.ts';
import { mapBounded } from './bounded.ts';
import { fileOf, missingColumn, totalRows } from './column.ts';
import { type AuditContext, type AuditedFile, MAX_POSITIONS, type RuleResult, type RuleSpec } from './rule.ts';

const EXPECTED = 'no nulls';
/** Columns whose positions are looked up at the same time. */
const COLUMNS_AT_ONCE = 8;

/** Nulls of one column over the delivery, and the first file that has some. */
interface Nulls {
  count: number;
  file?: AuditedFile;
}

/**
 * No nulls in the columns, or in any (`*`). A nested column's nulls are those where its parent is present (NullCount).
 * Listed columns give a result each, a column that is not there fails; `*` gives a result per column with nulls, or one for all.
 */
export async function notNull(
  spec: Extract<RuleSpec, { rule: 'not_null' }>,
  context: AuditContext,
): Promise<RuleResult[]> {
  if (spec.columns === '*') {
    const { nulls, columns } = await countNulls('*', context);
    const failing = [...nulls].filter(([, { count }]) => count > 0);
    if (failing.length > 0) return failures(failing, context);
    return [passed('*', `no nulls in ${columns} columns of ${totalRows(context.files)} rows`)];
  }
  const listed = [...new Set(spec.columns)];
  const missing = await Promise.all(listed.map((name) => missingColumn(name, context)));
  const present = listed.filter((_, i) => missing[i] === undefined);
  const { nulls } = await countNulls(present, context);
  const failing = await failures(
    [...nulls].filter(([, { count }]) => count > 0),
    context,
  );
  return listed.map((name, i) => {
    const found = missing[i];
    if (found !== undefined) {
      const count = totalRows(context.files);
      return { rule: 'not_null', column: name, outcome: 'failed', count, expected: EXPECTED, found };
    }
    return failing.find((result) => result.column === name) ?? passed(name, 'no nulls');
  });
}

/** One question per file, however many columns. */
async function countNulls(
  names: readonly string[] | '*',
  context: AuditContext,
): Promise<{ nulls: Map<string, Nulls>; columns: number }> {
  const nulls = new Map<string, Nulls>();
  if (names.length === 0) return { nulls, columns: 0 };
  const answers: NullCount[][] = await Promise.all(context.files.map((file) => file.nulls(names)));
  answers.forEach((counts, i) => {
    for (const { name, nulls: count } of counts) {
      const total = nulls.get(name) ?? { count: 0 };
      total.count += count;
      if (count > 0) total.file ??= context.files[i]!;
      nulls.set(name, total);
    }
  });
  return { nulls, columns: nulls.size };
}

/** Positions are looked up here only: finding them reads the column, and a column without nulls has none. */
async function failures(failing: readonly [string, Nulls][], context: AuditContext): Promise<RuleResult[]> {
  return mapBounded(failing, COLUMNS_AT_ONCE, async ([name, { count, file }]): Promise<RuleResult> => {
    const rows = file && (await firstNulls(file, name));
    return {
      rule: 'not_null',
      column: name,
      outcome: 'failed',
      count,
      ...(rows && { rows }),
      ...fileOf(file, context),
      expected: EXPECTED,
      found: count === 1 ? '1 null' : `${count} nulls`,
    };
  });
}

/** Undefined when the positions cannot be read: the nulls are counted all the same, and that is the verdict. */
export async function firstNulls(file: AuditedFile, name: string): Promise<number[] | undefined> {
  try {
    return await file.nullRows(name, MAX_POSITIONS);
  } catch (error) {
    if (isKind(error, 'unavailable', 'unsupported', 'not_found')) return undefined;
    throw error;
  }
}

function passed(column: string, found: string): RuleResult {
  return { rule: 'not_null', column, outcome: 'passed', count: 0, expected: EXPECTED, found };
}
