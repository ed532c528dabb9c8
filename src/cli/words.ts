/** `1 row`, `1,234 rows`, `2 deliveries`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return `${number(amount)} ${amount === 1 ? noun : plural}`;
}

/** `1,234` */
export function number(amount: number): string {
  return amount.toLocaleString('en-US');
}

/** Bytes for people: `1.2 GB` (powers of 1000). */
export function bytes(amount: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = amount;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `2026-11-21 10:15:03` (UTC). */
export function time(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** The last part of a URL: a file's name. */
export function fileName(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
