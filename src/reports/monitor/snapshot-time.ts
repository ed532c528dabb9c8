import type { Fact } from './facts.ts';

/**
 * The day that a snapshot is of, by its name: `2026-11-01`, `20261101`, or either with a time after it.
 * @returns midnight UTC, milliseconds since the epoch; not known where the name is no day
 */
export function snapshotDay(name: string): Fact<number> {
  const [, year, month, day] = /^(\d{4})-?(\d{2})-?(\d{2})(?!\d)/.exec(name) ?? [];
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Months and days past their end would roll over into the next.
  const isDay = !Number.isNaN(at) && new Date(at).toISOString().startsWith(`${year}-${month}-${day}`);
  if (isDay) return { known: at };
  return { unknown: `${JSON.stringify(name.slice(0, 60))} is no day` };
}
