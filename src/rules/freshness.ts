import { fileOf, findScalar, totalRows } from './column.ts';
import { formatDuration, formatValue } from './format-value.ts';
import { typeKind } from './literal.ts';
import type { AuditContext, AuditedFile, RuleResult, RuleSpec } from './rule.ts';

/**
 * The newest value of a date or timestamp column is at most `withinMs` old when the audit runs; a date counts as its midnight UTC, and a time in
 * the future is fresh. A delivery without rows is inconclusive, for there is nothing to judge; rows without a single value fail.
 */
export async function freshness(
  spec: Extract<RuleSpec, { rule: 'freshness' }>,
  context: AuditContext,
): Promise<RuleResult[]> {
  const { rule, column } = spec;
  const expected = `newest value at most ${formatDuration(spec.withinMs)} old`;
  const scalar = await findScalar(rule, column, expected, context);
  if ('result' in scalar) return [scalar.result];
  const { type } = scalar.field;
  const rows = totalRows(context.files);
  const result = (rest: Pick<RuleResult, 'outcome' | 'found' | 'count' | 'file'>): RuleResult[] => [
    { rule, column, expected, ...rest },
  ];
  if (typeKind(type) !== 'date' && typeKind(type) !== 'timestamp') {
    return result({ outcome: 'inconclusive', found: `${column} is a ${type}: name a date or timestamp column` });
  }
  if (rows === 0) return result({ outcome: 'inconclusive', found: 'the delivery has no rows: nothing to judge' });

  const oldest = BigInt(Math.floor(context.nowMs - spec.withinMs)) * 1000n;
  const { micros, file } = await newest(context.files, column, oldest);
  if (micros === undefined) return result({ outcome: 'failed', count: rows, found: 'no value at all' });
  const age = formatDuration(Math.max(0, context.nowMs - Number(micros / 1000n)));
  const found = `newest value ${formatValue({ micros }, type)}, ${age} old`;
  if (micros >= oldest) return result({ outcome: 'passed', count: 0, found });
  return result({ outcome: 'failed', count: 1, found, ...fileOf(file, context) });
}

/** The newest value over the files. Statistics first, over all files: one that is new enough spares decoding the others. */
async function newest(
  files: readonly AuditedFile[],
  column: string,
  enough: bigint,
): Promise<{ micros?: bigint; file?: AuditedFile }> {
  let best: { micros?: bigint; file?: AuditedFile } = {};
  const take = (micros: bigint, file: AuditedFile): void => {
    if (best.micros === undefined || micros > best.micros) best = { micros, file };
  };
  const undecided: AuditedFile[] = [];
  for (const file of files) {
    const bounds = file.rows === 0 ? undefined : await file.bounds(column);
    if (bounds?.exact && typeof bounds.upper === 'object' && 'micros' in bounds.upper) take(bounds.upper.micros, file);
    else if (file.rows > 0) undecided.push(file);
  }
  for (const file of undecided) {
    if (best.micros !== undefined && best.micros >= enough) break;
    for await (const { values } of file.values(column)) {
      for (const value of values) if (typeof value === 'object' && 'micros' in value) take(value.micros, file);
    }
  }
  return best;
}
