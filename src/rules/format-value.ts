import { typeKind } from './literal.ts';
import type { AuditValue } from './rule.ts';

const LONGEST = 60;

/** A value as a person reads it: strings quoted and shortened, dates and timestamps in ISO 8601 UTC, binary in hexadecimal. */
export function formatValue(value: AuditValue, type: string): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return `0x${shorten(Buffer.from(value.subarray(0, LONGEST)).toString('hex'))}`;
  return 'decimal' in value ? value.decimal : formatMicros(value.micros, type);
}

/** Milliseconds as the largest unit that tells them plainly: `36 hours`, `2 days`. */
export function formatDuration(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ] as const;
  const [name, size] = units.find(([, unit]) => ms >= unit * (unit === 86_400_000 ? 2 : 1)) ?? (['ms', 1] as const);
  const amount = Math.floor((ms / size) * 10) / 10;
  return name === 'ms' ? `${amount} ms` : `${amount} ${name}${amount === 1 ? '' : 's'}`;
}

function formatMicros(micros: bigint, type: string): string {
  const kind = typeKind(type);
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = (micros - fraction) / 1_000_000n;
  const date = new Date(Number(seconds) * 1000);
  // The 64-bit range is wider than what a Date can hold.
  if (Number.isNaN(date.getTime())) return `${micros} µs since 1970`;
  const iso = date.toISOString().replace('.000Z', '');
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
  if (kind === 'time') return `${iso.slice(-8)}${digits}`;
  return kind === 'date' ? iso.slice(0, -9) : `${iso}${digits}Z`;
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
