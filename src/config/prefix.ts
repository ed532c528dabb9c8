/**
 * `from:` of a table as the start of its drops' keys: `orders`, `./orders/` and `orders/` are all `orders/`.
 * @returns a sentence on what is wrong instead, starting with `expected`
 */
export function normalizePrefix(from: string): { prefix: string } | { fault: string } {
  if (/^[a-z][a-z0-9+.-]*:/i.test(from) || from.startsWith('/')) {
    return { fault: 'expected a folder under `raw`, without a leading slash or scheme' };
  }
  const parts = from.replace(/\/+$/, '').split('/');
  while (parts[0] === '.') parts.shift();
  if (
    parts.length === 0 ||
    parts.some((part) => part === '' || part === '.' || part === '..' || /[\p{Cc}\\*?]/u.test(part))
  ) {
    return { fault: 'expected a folder under `raw` such as orders/ (no `..`, no wildcards)' };
  }
  return { prefix: `${parts.join('/')}/` };
}
