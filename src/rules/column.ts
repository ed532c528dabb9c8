import { nearest } from '../iceberg/types.ts';
import { typeKind } from './literal.ts';
import type { AuditContext, AuditedFile, FieldFacts, RuleName, RuleResult } from './rule.ts';

/** All rows of the delivery. */
export function totalRows(files: readonly AuditedFile[]): number {
  return files.reduce((sum, file) => sum + file.rows, 0);
}

/** The positions' file, named only where the delivery has several. */
export function fileOf(file: AuditedFile | undefined, context: AuditContext): { file?: string } {
  return file === undefined || context.files.length < 2 ? {} : { file: file.url };
}

/** `; did you mean X`, case aside, or nothing when no name is near. */
export function orMeant(name: string, names: readonly string[]): string {
  const byLowerCase = new Map(names.map((candidate) => [candidate.toLowerCase(), candidate]));
  const meant = nearest(name.toLowerCase(), [...byLowerCase.keys()]);
  return meant === undefined ? '' : `; did you mean ${byLowerCase.get(meant)}`;
}

/** Why a column is not there, with the name that was probably meant; undefined when every file has it. */
export async function missingColumn(name: string, context: AuditContext): Promise<string | undefined> {
  for (const file of context.files) {
    const fields = await file.fields();
    if (fields.some((field) => field.name === name)) continue;
    const meant = orMeant(
      name,
      fields.map((field) => field.name),
    );
    const where = context.files.length > 1 ? ` in ${file.url}` : '';
    return `no such column${where}${meant}`;
  }
  return undefined;
}

/** The facts of a column that must be there, or the result to give when it is not: a delivery without the column has failed the rule. */
export async function findColumn(
  rule: RuleName,
  name: string,
  expected: string,
  context: AuditContext,
): Promise<{ field: FieldFacts; fields: FieldFacts[] } | { result: RuleResult }> {
  const missing = await missingColumn(name, context);
  if (missing !== undefined) {
    return {
      result: { rule, column: name, outcome: 'failed', count: totalRows(context.files), expected, found: missing },
    };
  }
  const fields = await context.files[0]!.fields();
  return { field: fields.find((field) => field.name === name)!, fields };
}

/** As findColumn, for rules that look at values: a column with not exactly one primitive value per row makes them inconclusive. */
export async function findScalar(
  rule: RuleName,
  name: string,
  expected: string,
  context: AuditContext,
): Promise<{ field: FieldFacts } | { result: RuleResult }> {
  const found = await findColumn(rule, name, expected, context);
  if ('result' in found) return found;
  const container = ancestors(name, found.fields).find((field) => !field.type.startsWith('struct'));
  const reason =
    typeKind(found.field.type) === 'nested'
      ? `${name} is a ${found.field.type}: name one of its primitive fields`
      : container && `${name} lies inside ${container.name}, a ${container.type}, and has not one value per row`;
  if (reason !== undefined) return { result: { rule, column: name, outcome: 'inconclusive', expected, found: reason } };
  return { field: found.field };
}

/** The fields above a nested one, outermost first. */
export function ancestors(name: string, fields: readonly FieldFacts[]): FieldFacts[] {
  return fields.filter((field) => typeKind(field.type) === 'nested' && name.startsWith(`${field.name}.`));
}
