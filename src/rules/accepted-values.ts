import { fileOf, findScalar } from './column.ts';
import { equalityKey } from './compare.ts';
import { literalValue, typeKind } from './literal.ts';
import type { AuditContext, AuditedFile, AuditValue, RuleResult, RuleSpec } from './rule.ts';
import { scanValues } from './scan.ts';

/** How many of the accepted values a person is shown. */
const SHOWN = 10;

/**
 * Every value is one of the listed ones. Nulls are ignored: `not_null` is the rule for them.
 * A dictionary or bounds that leave no room for another value decide; else the column is decoded in the files in doubt.
 */
export async function acceptedValues(
  spec: Extract<RuleSpec, { rule: 'accepted_values' }>,
  context: AuditContext,
): Promise<RuleResult[]> {
  const { rule, column } = spec;
  const more = spec.values.length > SHOWN ? `, … (${spec.values.length} values)` : '';
  const shown = spec.values.slice(0, SHOWN).map((value) => JSON.stringify(value));
  const expected = `one of ${shown.join(', ')}${more}`;
  const scalar = await findScalar(rule, column, expected, context);
  if ('result' in scalar) return [scalar.result];
  const { type } = scalar.field;

  const keys = new Set<ReturnType<typeof equalityKey>>();
  for (const literal of spec.values) {
    const converted = literalValue(type, literal);
    if ('problem' in converted) return [{ rule, column, outcome: 'inconclusive', expected, found: converted.problem }];
    keys.add(equalityKey(converted.value));
  }
  const accepts = (value: AuditValue): boolean => keys.has(equalityKey(value));

  const doubtful: AuditedFile[] = [];
  for (const file of context.files) if (!(await provablyAccepted(file, column, type, accepts))) doubtful.push(file);
  const scan = await scanValues(doubtful, column, type, (value) => !accepts(value));
  if (scan.count === 0) {
    const evidence = doubtful.length === 0 ? 'statistics' : 'values';
    return [{ rule, column, outcome: 'passed', count: 0, expected, found: `no other value (by ${evidence})` }];
  }
  const found = `${scan.count} other ${scan.count === 1 ? 'value' : 'values'}: ${scan.samples.join(', ')}`;
  const where = { rows: scan.rows, ...fileOf(scan.file, context) };
  return [{ rule, column, outcome: 'failed', count: scan.count, ...where, expected, found }];
}

async function provablyAccepted(
  file: AuditedFile,
  column: string,
  type: string,
  accepts: (value: AuditValue) => boolean,
): Promise<boolean> {
  if (file.rows === 0) return true;
  const kind = typeKind(type);
  // Bounds leave NaN out, so they prove nothing about floating point.
  const bounds = kind === 'float' ? undefined : await file.bounds(column);
  if (bounds !== undefined && spanAccepted(bounds.lower, bounds.upper, kind === 'integer', accepts)) return true;
  return (await file.dictionary(column))?.every(accepts) ?? false;
}

/** Whether every value from `lower` to `upper` is accepted: one value, the two booleans, or a walk over whole numbers. */
function spanAccepted(
  lower: AuditValue,
  upper: AuditValue,
  integers: boolean,
  accepts: (value: AuditValue) => boolean,
): boolean {
  if (!accepts(lower) || !accepts(upper)) return false;
  if (typeof lower === 'boolean' || equalityKey(lower) === equalityKey(upper)) return true;
  if (!integers || (typeof lower !== 'number' && typeof lower !== 'bigint')) return false;
  // The walk ends at the first number that is not accepted: it is never longer than the list.
  for (let value = BigInt(lower) + 1n; value < BigInt(upper as number | bigint); value++) {
    if (!accepts(value)) return false;
  }
  return true;
}
