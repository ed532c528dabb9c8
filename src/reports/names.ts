/** `20261112_101503` (UTC), or `20261112` where one name serves a day. */
export function stamp(ms: number, naming: 'timestamp' | 'day'): string {
  const digits = new Date(ms).toISOString().replace(/[-:]/g, '');
  return naming === 'day' ? digits.slice(0, 8) : `${digits.slice(0, 8)}_${digits.slice(9, 15)}`;
}

/** Bytes of a name that a file's name has room for: file systems take 255, of which stamp and ending need some 70. */
const MOST_BYTES = 150;

/**
 * A name as part of a file's: every character that is no letter, digit, `-` or `_` becomes `_`; `na` where there is none. Very long ones are cut:
 * a hundred characters of a collaboration's name may be three hundred bytes.
 */
export function namePart(name: string | undefined): string {
  if (name === undefined || name === '') return 'na';
  let part = '';
  let bytes = 0;
  for (const character of name) {
    const safe = /[\p{L}\p{N}_-]/u.test(character) ? character : '_';
    bytes += Buffer.byteLength(safe);
    if (bytes > MOST_BYTES) break;
    part += safe;
  }
  return part;
}
