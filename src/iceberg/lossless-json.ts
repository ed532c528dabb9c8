/**
 * JSON in which integers beyond 2^53 keep every digit: Iceberg's snapshot ids are 63-bit, and JSON's own number is not.
 *
 * A reviver would be exact too, but costs several times the parse. Instead each long integer that stands behind a key is put in
 * quotes, marked by U+0001, parsed natively and taken out again. That is exact: a quote directly after a letter or digit is not
 * escaped, so it delimits a string, and it cannot open one; so `word":` ends a key, and what follows is not inside a string.
 * Anything this rule cannot place goes through the reviver.
 */

/** 15 digits always fit a double, so only longer integers matter. All such integers inside an object or array match. */
const LONG_INTEGER = /([[,:]\s*)(-?[1-9]\d{15,})(?=\s*[,}\]])/g;
const COLON = 0x3a;
const QUOTE = 0x22;
const MARK = 0x01;
const ESCAPED_MARK = '\\u0001';

/**
 * Parses the JSON text of an object or array; integers of 16 digits and more come as bigint, all shorter ones as number.
 * @throws SyntaxError as JSON.parse does
 */
export function parseLossless(text: string): unknown {
  let placed = !text.includes(ESCAPED_MARK);
  let found = false;
  const quoted = placed
    ? text.replace(LONG_INTEGER, (match, before: string, digits: string, offset: number) => {
        found = true;
        placed &&= followsKey(text, offset);
        return placed ? `${before}"${ESCAPED_MARK}${digits}"` : match;
      })
    : text;
  if (!placed) return JSON.parse(text, reviveLongInteger);
  const value: unknown = JSON.parse(quoted);
  if (found) unmark(value as Record<string, unknown>);
  return value;
}

/** Writes JSON text; bigint is written as an integer, undefined properties are left out. */
export function stringifyLossless(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(stringifyLossless).join(',')}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${stringifyLossless(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** Whether the character at `offset` is the colon behind a key that ends in a letter or digit. */
function followsKey(text: string, offset: number): boolean {
  if (text.charCodeAt(offset) !== COLON) return false;
  let quote = offset - 1;
  while (isSpace(text.charCodeAt(quote))) quote--;
  return text.charCodeAt(quote) === QUOTE && isLetterOrDigit(text.charCodeAt(quote - 1));
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isLetterOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a);
}

function unmark(node: Record<string, unknown>): void {
  for (const key in node) {
    const value = node[key];
    if (typeof value === 'string') {
      if (value.charCodeAt(0) === MARK) node[key] = BigInt(value.slice(1));
    } else if (typeof value === 'object' && value !== null) {
      unmark(value as Record<string, unknown>);
    }
  }
}

function reviveLongInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && /^-?\d{16,}$/.test(source) ? BigInt(source) : value;
}
