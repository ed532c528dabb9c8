/** `20261112_101503` (UTC), or `20261112` where one name serves a day. */
export function stamp(ms: number, naming: 'timestamp' | 'day'): string {
  const digits = new Date(ms).toISOString().replace(/[-:]/g, '');
  return naming === 'day' ? digits.slice(0, 8) : `${digits.slice(0, 8)}_${digits.slice(9, 15)}`;
}

/** A name as part of a file's: every character that is no letter, digit, `-` or `_` becomes `_`; `na` where there is none. */
export function namePart(name: string | undefined): string {
  return name === undefined || name === ''
    ? 'na'
    : [...name].map((c) => (/[\p{L}\p{N}_-]/u.test(c) ? c : '_')).join('');
}
