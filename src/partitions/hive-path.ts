/** Stands for null (and for the empty string, which Hive does not tell from it) in paths and in the catalogue. */
export const HIVE_NULL = '__HIVE_DEFAULT_PARTITION__';

/** What Hive escapes besides control characters (FileUtils.charToEscape in Hive's common module; Spark has the same list). */
const ESCAPED = new Set('"#%\'*/:=?\\{[]^\u007f');

/**
 * A name or value as Hive writes it into a path: special characters become `%` and two hex digits in upper case; the empty string becomes
 * `__HIVE_DEFAULT_PARTITION__`.
 */
export function escapeHivePath(text: string): string {
  if (text === '') return HIVE_NULL;
  let escaped = '';
  for (const character of text) {
    const special = character < ' ' || ESCAPED.has(character);
    escaped += special ? `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : character;
  }
  return escaped;
}

/** The text that a part of a Hive path stands for. A `%` that no two hex digits follow stands for itself, as in Hive. */
export function unescapeHivePath(text: string): string {
  return !text.includes('%')
    ? text
    : text.replace(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
