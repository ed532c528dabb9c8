const UNITS = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** What a size looks like in lake.yaml: a whole number and its unit. */
export const BYTE_SIZE_PATTERN = /^(\d{1,9})\s?(B|kB|KB|MB|GB|KiB|MiB|GiB)$/;

/** A size such as `512MB` (powers of 1000) or `16 MiB` (of 1024) in bytes; undefined when the text is none. */
export function parseByteSize(text: string): number | undefined {
  const match = BYTE_SIZE_PATTERN.exec(text);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
