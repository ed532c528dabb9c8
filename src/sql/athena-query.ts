import { LakegateError } from '../errors.ts';
import type { StagedRows } from '../rules/rule.ts';

/** What Athena takes (service quotas: "Query string length"), in bytes of UTF-8. */
export const LONGEST_QUERY_BYTES = 262_144;

export interface ViolationQueries {
  /** One row, one number: how many rows the query gives. */
  count: string;
  /** The first few rows. */
  sample: string;
}

/**
 * Athena's statements for a sql rule. `delivery` is the staged snapshot's rows, those of the delivery's files only; the rule's query stands in
 * parentheses of its own, so that what is sent is one SELECT whatever the query says.
 * @param files the delivery's paths, as the staged snapshot has them
 * @throws LakegateError `invalid` when the query is not one SELECT, `unsupported` when the delivery has more files than a statement can name
 */
export function violationQueries(
  query: string,
  files: readonly string[],
  sample: number,
  { namespace, name, snapshotId }: StagedRows,
): ViolationQueries {
  const select = oneSelect(query);
  const table = `${quoteName(namespace.join('.'))}.${quoteName(name)}`;
  const statements = (where: string): ViolationQueries => {
    const start = `WITH delivery AS (SELECT * FROM ${table} FOR VERSION AS OF ${snapshotId} WHERE ${where}),\nviolations AS (\n${select}\n)\n`;
    return {
      count: `${start}SELECT count(*) FROM violations`,
      sample: `${start}SELECT * FROM violations LIMIT ${Math.max(0, Math.trunc(sample))}`,
    };
  };
  for (const where of [pathsIn(files), pathsUnder(files)]) {
    const made = statements(where);
    if (Buffer.byteLength(made.sample) <= LONGEST_QUERY_BYTES) return made;
  }
  throw new LakegateError(
    'unsupported',
    `a sql rule over a delivery of ${files.length} files needs a statement longer than Athena's ${LONGEST_QUERY_BYTES} bytes. Deliver fewer, larger files, or partition less finely.`,
    { context: { files: files.length } },
  );
}

/** By whole path, which Athena prunes files by before it reads any. */
function pathsIn(files: readonly string[]): string {
  return files.length === 0 ? 'false' : `"$path" IN (${files.map(quoteText).join(', ')})`;
}

/** By what comes after the part that all paths share: a fraction of the length, for deliveries of very many files. */
function pathsUnder(files: readonly string[]): string {
  const shared = sharedStart(files);
  const rests = files.map((file) => quoteText(file.slice(shared.length)));
  // Characters of SQL are code points, not UTF-16 units.
  const from = [...shared].length + 1;
  return `starts_with("$path", ${quoteText(shared)}) AND substr("$path", ${from}) IN (${rests.join(', ')})`;
}

function sharedStart(texts: readonly string[]): string {
  let shared = texts[0] ?? '';
  for (const text of texts) while (!text.startsWith(shared)) shared = shared.slice(0, -1);
  // Half of a surrogate pair would be no text.
  return /[\ud800-\udbff]$/.test(shared) ? shared.slice(0, -1) : shared;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The query without a semicolon at its end.
 * @throws LakegateError `invalid` when it could be anything but one SELECT: a second statement, or a parenthesis that closes what it did not open
 */
function oneSelect(query: string): string {
  const refuse = (found: string) => new LakegateError('invalid', `expected one SELECT statement, found ${found}`);
  let depth = 0;
  let end: number | undefined;
  let first = '';
  // What quotes and comments hold is not looked at; a quote that is not closed takes the rest.
  const token = /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[();]|[A-Za-z_]\w*|\S/g;
  for (const match of query.matchAll(token)) {
    const [text] = match;
    if (text.startsWith('--') || text.startsWith('/*')) {
      if (text.startsWith('/*') && !text.endsWith('*/')) throw refuse('a comment that does not end');
      continue;
    }
    if (/^['"]/.test(text) && !isClosed(text)) throw refuse('a quote that does not end');
    if (end !== undefined) throw refuse(text === ';' ? 'several semicolons' : 'several statements');
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    else if (text === ';') end = match.index;
    else first ||= text.toUpperCase();
    if (depth < 0) throw refuse('a ) without its (');
  }
  if (depth > 0) throw refuse('a ( without its )');
  if (first === '') throw refuse('none');
  if (!['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(first)) throw refuse(first);
  return end === undefined ? query : `${query.slice(0, end)} ${query.slice(end + 1)}`;
}

function isClosed(text: string): boolean {
  const quote = text[0]!;
  return text.length > 1 && text.endsWith(quote) && text.split(quote).length % 2 === 1;
}
