/** `1,234` */
export function number(amount: number): string {
  return amount.toLocaleString('en-US');
}

/** `1 row`, `1,234 rows` */
export function count(amount: number, noun: string): string {
  return `${number(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}

/** `512 MB` (powers of 1000) */
export function bytesText(amount: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let [value, unit] = [amount, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/** `45 days`, `6 hours` */
export function daysText(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  return hours < 48 ? count(hours, 'hour') : count(Math.floor(hours / 24), 'day');
}

/** `+12.5%`, `-3%` */
export function percentText(percent: number): string {
  const value = Math.round(percent * 100) / 100;
  return `${value < 0 ? '' : '+'}${value}%`;
}
