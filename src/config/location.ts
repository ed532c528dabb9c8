import { posix } from 'node:path';
import { isBucketName } from './bucket-name.ts';

export type Resolved = { url: string } | { fault: string };

const CONTROL = /[\p{Cc}]/u;

/** `s3://bucket/prefix`, and the schemes that Hadoop has for the same. */
const S3 = /^s3[an]?:\/\/([^/]*)(\/.*)?$/is;

/**
 * A folder as people write it (`./raw`, `/data/raw`, `file:///data/raw`, `s3://bucket/raw`) as an absolute URL ending in `/`. Characters stay
 * as they are (`file:///a b/`), since Iceberg writers keep paths literal.
 * @param folder absolute path that relative ones start from
 * @returns a sentence on what is wrong instead, starting with `expected`
 */
export function resolveFolder(text: string, folder: string): Resolved {
  if (/^s3[an]?:/i.test(text)) return resolveBucket(text);
  const path = resolvePath(text, folder);
  return 'fault' in path ? path : { url: `file://${path.url === '/' ? '' : path.url}/` };
}

/**
 * PyIceberg's `uri` of a SQLite catalogue made absolute: `sqlite:///catalog.db` lies in `folder`, `sqlite:////data/catalog.db` is absolute.
 * Percent codes are decoded by whoever opens it (SQLAlchemy does), unlike in table locations: so `%` and `?` of `folder` are encoded.
 * @returns a sentence on what is wrong instead, starting with `expected`
 */
export function resolveSqliteUri(uri: string, folder: string): Resolved {
  const [, path, options = ''] = /^sqlite:\/\/\/([^?]+)(\?.*)?$/s.exec(uri) ?? [];
  if (path === undefined) {
    return {
      fault: 'expected a SQLite database such as sqlite:///catalog.db (other databases are not in this version yet)',
    };
  }
  if (path === ':memory:') {
    return { fault: 'expected a database file: a catalogue in memory would be gone after each command' };
  }
  if (options !== '' && !/^\?timeout=\d{1,6}$/.test(options)) {
    return { fault: 'expected no options but ?timeout=SECONDS' };
  }
  const encoded = folder.replace(/[%?]/g, (character) => (character === '%' ? '%25' : '%3F'));
  const resolved = resolvePath(path, encoded);
  return 'fault' in resolved ? resolved : { url: `sqlite:///${resolved.url}${options}` };
}

function resolveBucket(text: string): Resolved {
  const [, bucket = '', prefix = ''] = S3.exec(text) ?? [];
  if (!isBucketName(bucket)) return { fault: 'expected a bucket and perhaps a prefix: s3://bucket/prefix/' };
  if (CONTROL.test(prefix)) return { fault: 'expected a prefix without control characters' };
  if (/\/(?:\/|\.{1,2}(?:\/|$))/.test(prefix)) return { fault: 'expected a prefix without empty parts, . and ..' };
  return { url: `s3://${bucket}${prefix.replace(/\/$/, '')}/` };
}

/** `url` is an absolute path here, with no slash at its end (but for the root). */
function resolvePath(text: string, folder: string): Resolved {
  if (text === '') return { fault: 'expected a folder, found nothing' };
  if (CONTROL.test(text)) return { fault: 'expected a path without control characters' };
  if (/^s3[an]?:/i.test(text)) return { fault: 'expected a file on this machine' };
  if (text.startsWith('~')) return { fault: 'expected the whole path: `~` is not expanded here' };
  let path = text;
  if (/^file:/i.test(text)) {
    const local = /^file:(?:\/\/(?:localhost)?)?(\/.*)$/is.exec(text)?.[1];
    if (local === undefined) return { fault: 'expected an absolute file URL such as file:///data/raw/' };
    path = local.replace(/^\/\/+/, '/');
  } else if (/^[a-z][a-z0-9+.-]+:/i.test(text)) {
    return { fault: 'expected a folder or a file:/// URL' };
  }
  const whole = posix.normalize(path.startsWith('/') ? path : posix.join(folder, path));
  return { url: whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole };
}

/** What the checks have already found to be right. @throws TypeError when they did not */
export function sound(resolved: Resolved): string {
  if ('fault' in resolved) throw new TypeError(resolved.fault);
  return resolved.url;
}
