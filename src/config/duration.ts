const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** What a duration looks like in lake.yaml: a whole number and its unit. */
export const DURATION_PATTERN = /^([1-9]\d{0,6})\s?([smhdw])$/;

/** Longer than this is a slip of the keyboard, and would pass what a table's `max-ref-age-ms` can sensibly hold. */
export const LONGEST_DURATION_MS = 3_650 * UNITS.d;

/**
 * A duration such as `14d`, `12h`, `30m`, `45s` or `2w` in milliseconds.
 * @returns undefined when the text is none, is zero, or is longer than ten years (`LONGEST_DURATION_MS`)
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  return ms <= LONGEST_DURATION_MS ? ms : undefined;
}
