import { LakegateError } from '../errors.ts';

/** A name in double quotes (Athena, DuckDB, Snowflake, Trino), dotted where there are several parts. */
export function quoted(...parts: readonly string[]): string {
  return parts.map((part) => `"${plain(part).replaceAll('"', '""')}"`).join('.');
}

/** A name, a setting or its value in backticks (Spark), dotted where there are several parts. */
export function backticked(...parts: readonly string[]): string {
  return parts.map((part) => `\`${plain(part).replaceAll('`', '``')}\``).join('.');
}

/** A text in single quotes. */
export function text(value: string): string {
  return `'${plain(value).replaceAll("'", "''")}'`;
}

/** A text in single quotes for Snowflake, where a backslash begins an escape. */
export function escapedText(value: string): string {
  return text(value.replaceAll('\\', '\\\\'));
}

/** @throws LakegateError `unsupported` for what could end a comment or a line of what is printed */
function plain(value: string): string {
  if (!/\p{Cc}/u.test(value)) return value;
  throw new LakegateError(
    'unsupported',
    `${JSON.stringify(value)} holds a control character and cannot be written into SQL`,
  );
}
