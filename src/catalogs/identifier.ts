import { LakegateError } from '../errors.ts';
import type { TableIdentifier } from './catalog.ts';

/** SQL catalogues keep the namespace and the name in columns of 255 characters each. */
const MAX_LENGTH = 255;

/**
 * A table's identifier from `namespace.table` or `a.b.table`.
 * @throws LakegateError `invalid` when the name could not be a table's (see checkIdentifier), or has no namespace
 */
export function parseIdentifier(text: string): TableIdentifier {
  const parts = text.split('.');
  const table = { namespace: parts.slice(0, -1), name: parts.at(-1)! };
  checkIdentifier(table);
  return table;
}

/** The identifier as people write it: `a.b.t`. */
export function formatIdentifier(table: TableIdentifier): string {
  return [...table.namespace, table.name].join('.');
}

/** Orders tables by their written names, by UTF-16 code units. */
export function compareIdentifiers(a: TableIdentifier, b: TableIdentifier): number {
  const left = formatIdentifier(a);
  const right = formatIdentifier(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * Checks that a table may have this name. Names become folder names, so nothing in them may lead elsewhere; and `#` and `?` are refused
 * because PyIceberg cuts a `file:` URL at them.
 * @throws LakegateError `invalid`
 */
export function checkIdentifier(table: TableIdentifier): void {
  const written = formatIdentifier(table);
  if (table.namespace.length === 0) {
    throw invalid(written, `expected namespace.table, found no namespace. Write for example "default.${table.name}".`);
  }
  for (const part of [...table.namespace, table.name]) {
    const fault = faultOf(part);
    if (fault !== undefined) throw invalid(written, `the part ${JSON.stringify(part)} ${fault}. Choose another name.`);
  }
  if (table.namespace.join('.').length > MAX_LENGTH || table.name.length > MAX_LENGTH) {
    throw invalid(written, `namespace and name may have ${MAX_LENGTH} characters each. Choose a shorter name.`);
  }
}

function faultOf(part: string): string | undefined {
  if (part === '') return 'is empty';
  if (part !== part.trim()) return 'begins or ends with white space';
  if (/^\.+$/.test(part)) return 'is a path of dots';
  if (part.includes('.')) return 'holds a dot, which separates parts';
  if (/[/\\#?]/.test(part)) return 'holds one of / \\ # ?';
  if (/\p{Cc}/u.test(part)) return 'holds a control character';
  if (!part.isWellFormed()) return 'is not well-formed Unicode';
  return undefined;
}

function invalid(written: string, why: string): LakegateError {
  return new LakegateError('invalid', `${JSON.stringify(written)} is not a table's name: ${why}`, {
    context: { table: written },
  });
}
