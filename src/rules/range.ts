import { fileOf, findScalar } from './column.ts';
import { compareValues } from './compare.ts';
import { type LiteralValue, literalValue, typeKind } from './literal.ts';
import type { AuditContext, AuditedFile, AuditValue, RuleResult, RuleSpec } from './rule.ts';
import { scanValues } from './scan.ts';

/**
 * Every value lies between `min` and `max`, both included. Nulls are ignored; NaN is a violation.
 * Decided by statistics or dictionaries where they prove it, else by decoding the column in the files that are in doubt.
 */
export async function range(spec: Extract<RuleSpec, { rule: 'range' }>, context: AuditContext): Promise<RuleResult[]> {
  const { rule, column } = spec;
  const expected = describe(spec);
  const inconclusive = (found: string): RuleResult[] => [{ rule, column, outcome: 'inconclusive', expected, found }];
  const scalar = await findScalar(rule, column, expected, context);
  if ('result' in scalar) return [scalar.result];
  const { type } = scalar.field;
  const min = limit(type, spec.min);
  const max = limit(type, spec.max);
  if ('problem' in min) return inconclusive(min.problem);
  if ('problem' in max) return inconclusive(max.problem);
  if (min.value !== undefined && max.value !== undefined && compareValues(min.value, max.value)! > 0) {
    return inconclusive('no value can pass: min is above max, change the rule');
  }
  // NaN compares as undefined, which is on neither side of a limit.
  const inside = (value: AuditValue): boolean =>
    compareValues(value, value) !== undefined &&
    (min.value === undefined || compareValues(value, min.value)! >= 0) &&
    (max.value === undefined || compareValues(value, max.value)! <= 0);

  const doubtful: AuditedFile[] = [];
  for (const file of context.files) if (!(await provablyInside(file, column, type, inside))) doubtful.push(file);
  const scan = await scanValues(doubtful, column, type, (value) => !inside(value));
  if (scan.count === 0) {
    const evidence = doubtful.length === 0 ? 'statistics' : 'values';
    return [{ rule, column, outcome: 'passed', count: 0, expected, found: `all values in range (by ${evidence})` }];
  }
  const found = `${scan.count} ${scan.count === 1 ? 'value' : 'values'} out of range: ${scan.samples.join(', ')}`;
  const where = { rows: scan.rows, ...fileOf(scan.file, context) };
  return [{ rule, column, outcome: 'failed', count: scan.count, ...where, expected, found }];
}

/** Bounds leave NaN out (parquet.thrift: ColumnOrder), so for floating point only a dictionary can prove anything. */
async function provablyInside(
  file: AuditedFile,
  column: string,
  type: string,
  inside: (value: AuditValue) => boolean,
): Promise<boolean> {
  if (file.rows === 0) return true;
  if (typeKind(type) !== 'float') {
    const bounds = await file.bounds(column);
    if (bounds !== undefined) {
      if (inside(bounds.lower) && inside(bounds.upper)) return true;
      // An exact bound is a value of the column: the violation is there, and only decoding can count it.
      if (bounds.exact) return false;
    }
  }
  return (await file.dictionary(column))?.every(inside) ?? false;
}

function limit(type: string, literal: number | string | undefined): LiteralValue | { value: undefined } {
  return literal === undefined ? { value: undefined } : literalValue(type, literal);
}

function describe(spec: Extract<RuleSpec, { rule: 'range' }>): string {
  if (spec.min === undefined) return `at most ${spec.max}`;
  return spec.max === undefined ? `at least ${spec.min}` : `between ${spec.min} and ${spec.max}`;
}
