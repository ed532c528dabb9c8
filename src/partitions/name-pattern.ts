/** Whether a name is one that a pattern means. @param pattern a name with `*` for any text; Glue's names are lower case */
export function matches(pattern: string, name: string): boolean {
  const source = pattern
    .toLowerCase()
    .split('*')
    .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(name.toLowerCase());
}
