import { fileOf, orMeant } from './column.ts';
import type { AuditContext, AuditedFile, FieldFacts, RuleResult, RuleSpec } from './rule.ts';

/**
 * The delivered files have the columns, each of its Iceberg type (dotted paths reach into structs; `list`, `map` and `struct` alone mean any),
 * and no other top-level column unless `allowExtra`. A result for every missing, differing or extra column; one when all is well.
 */
export async function schema(
  spec: Extract<RuleSpec, { rule: 'schema' }>,
  context: AuditContext,
): Promise<RuleResult[]> {
  const failed: RuleResult[] = [];
  for (const file of context.files) {
    const fields = await (file.storedFields?.() ?? file.fields());
    for (const fault of faults(spec, fields, file, context)) {
      // Files of one delivery mostly share a fault: it is told once, for the first of them.
      const same = failed.some((other) => other.column === fault.column && other.found === fault.found);
      if (!same) failed.push(fault);
    }
  }
  if (failed.length > 0) return failed;
  const columns = Object.keys(spec.columns).length;
  const expected = spec.allowExtra ? `${columns} columns as declared` : `exactly the ${columns} declared columns`;
  return [{ rule: 'schema', outcome: 'passed', count: 0, expected, found: 'names and types agree' }];
}

function faults(
  spec: Extract<RuleSpec, { rule: 'schema' }>,
  fields: readonly FieldFacts[],
  file: AuditedFile,
  context: AuditContext,
): RuleResult[] {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const declared = Object.keys(spec.columns);
  const fault = (column: string, expected: string, found: string): RuleResult => ({
    rule: 'schema',
    column,
    outcome: 'failed',
    count: 1,
    ...fileOf(file, context),
    expected,
    found,
  });
  const results: RuleResult[] = [];
  for (const [name, type] of Object.entries(spec.columns)) {
    const field = byName.get(name);
    if (field === undefined) {
      const undeclared = fields.map((other) => other.name).filter((other) => !declared.includes(other));
      results.push(fault(name, type, `no such column${orMeant(name, undeclared)}`));
    } else if (!sameType(type, field.type)) results.push(fault(name, type, field.type));
  }
  if (spec.allowExtra) return results;
  for (const field of fields) {
    const known = declared.some((name) => name === field.name || name.startsWith(`${field.name}.`));
    if (!field.nested && !known) results.push(fault(field.name, 'no such column', `an extra column, ${field.type}`));
  }
  return results;
}

function sameType(expected: string, found: string): boolean {
  const [wanted, actual] = [plain(expected), plain(found)];
  return wanted === actual || (/^(list|map|struct)$/.test(wanted) && actual.startsWith(`${wanted}<`));
}

function plain(type: string): string {
  return type.toLowerCase().replace(/\s+/g, '');
}
