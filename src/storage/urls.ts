import { LakegateError } from '../errors.ts';

/**
 * Object URLs. Paths in them are literal: `%20` is three characters, `#` and `?` are ordinary ones. That is how PyIceberg, Spark (Hadoop's
 * Path) and Trino write and read them, and a location must stay byte for byte what another engine wrote: a decoded path names another file.
 */

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/;

/** The scheme of a URL in lower case; `file` for a bare absolute path. @throws LakegateError `invalid` for a relative path */
export function schemeOf(url: string): string {
  const scheme = SCHEME.exec(url)?.[1];
  if (scheme !== undefined) return scheme.toLowerCase();
  if (url.startsWith('/')) return 'file';
  throw refused(url, 'expected an absolute path or a URL such as file:///data/x or memory:/x');
}

/**
 * The absolute path in a URL of a scheme without hosts (`file`, `memory`): `file:/p`, `file:///p`, `file://localhost/p` and `/p` all give
 * `/p`. Repeated slashes count once, as they do to the kernel. A trailing slash stays.
 * @throws LakegateError `invalid` for another scheme, a host, `.` or `..` as a segment, or a NUL
 */
export function pathOf(url: string, scheme: string): string {
  const found = schemeOf(url);
  if (found !== scheme) throw refused(url, `expected the scheme ${scheme}, found ${found}`);
  const afterScheme = url.startsWith('/') ? url : url.slice(scheme.length + 1);
  const authority = url.startsWith('/') ? undefined : /^\/\/([^/]*)/.exec(afterScheme)?.[1];
  const absolute = authority === undefined ? afterScheme : afterScheme.slice(2 + authority.length);
  if (!absolute.startsWith('/') || (authority !== undefined && authority !== '' && authority !== 'localhost')) {
    throw refused(url, `expected ${scheme}:///absolute/path, with no host and no relative path`);
  }
  const path = absolute.replace(/\/{2,}/g, '/');
  if (path.includes('\0')) throw refused(url, 'it holds a NUL character');
  // Resolving them would let a location that starts with the warehouse's name lie outside of it.
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) throw refused(url, 'it holds . or .. as a folder; write the path without');
  return path;
}

/**
 * One spelling for all URLs of the same object: `file:///p`, `memory:/p`, `s3://bucket/key` (also of `s3a:` and `s3n:`); URLs of other schemes
 * are given back as they are.
 */
export function canonicalUrl(url: string): string {
  const scheme = schemeOf(url);
  if (scheme === 'file') return `file://${pathOf(url, scheme)}`;
  if (scheme === 'memory') return `memory:${pathOf(url, scheme)}`;
  if (scheme === 's3a' || scheme === 's3n') return `s3${url.slice(scheme.length)}`;
  return url;
}

/**
 * A listing's prefix in parts: `folder`, the URL up to and with its last slash, exactly as written, and `stem`, what the names in it must
 * start with. Listed URLs are `folder` + key, so that they are spelled as the caller spells them.
 */
export function splitPrefix(prefix: string): { folder: string; stem: string } {
  const cut = prefix.lastIndexOf('/') + 1;
  return { folder: prefix.slice(0, cut), stem: prefix.slice(cut) };
}

/** Orders keys by their UTF-8 bytes, as S3 does; UTF-16 order, JavaScript's own, differs above U+FFFF. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function refused(url: string, why: string): LakegateError {
  return new LakegateError('invalid', `"${url}" is not a usable object URL: ${why}.`, { context: { url } });
}
