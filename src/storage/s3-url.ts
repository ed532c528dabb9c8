import { LakegateError } from '../errors.ts';
import { schemeOf } from './urls.ts';

/**
 * URLs of S3: `s3://bucket/key`, and `s3a://`, `s3n://` as Hadoop's engines write them, which name the same objects. The key is literal: every
 * character after the bucket's slash belongs to it, `%20` is three characters, `//` is two.
 */

export interface S3Place {
  bucket: string;
  key: string;
}

/** Schemes of the store's URLs. `s3-upload` names unfinished uploads: `s3-upload://bucket/upload-id/key`. */
export const S3_SCHEMES = ['s3', 's3a', 's3n', 's3-upload'] as const;

const UPLOAD = 's3-upload://';
/** UTF-8 bytes; S3's own limit. */
const LONGEST_KEY = 1024;

/** Bucket and key of one object. @throws LakegateError `invalid` for what cannot name one */
export function s3Place(url: string): S3Place {
  const place = s3Prefix(url);
  if (place.key === '' || place.key.endsWith('/'))
    throw refused(url, 'it names a folder, expected the URL of one object');
  return place;
}

/** Bucket and the beginning of keys, which may be empty. @throws LakegateError `invalid` */
export function s3Prefix(url: string): S3Place {
  const scheme = schemeOf(url);
  const found = /^\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,254})\/(.*)$/s.exec(url.slice(scheme.length + 1));
  if (!['s3', 's3a', 's3n'].includes(scheme) || !found) throw refused(url, 'expected s3://bucket/key');
  const [, bucket, key] = found as unknown as [string, string, string];
  if (key.includes('\0')) throw refused(url, 'it holds a NUL character');
  if (!key.isWellFormed()) throw refused(url, 'it holds half a character, which has no UTF-8 form');
  // S3 takes them literally, but HTTP clients and proxies on the way resolve them: another object would be meant.
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(key))
    throw refused(url, 'it holds . or .. as a folder; S3 clients disagree on those');
  if (Buffer.byteLength(key) > LONGEST_KEY) throw refused(url, `S3 takes keys of up to ${LONGEST_KEY} bytes`);
  return { bucket, key };
}

/**
 * Whether a URL lies in a bucket of S3 Tables: only those end so (S3 user guide, "General purpose bucket naming rules"). They take objects and
 * give them back, but know no CopyObject, no DeleteObject and no listing (S3 API reference, "Supported Amazon S3 object-level API operations for
 * S3 Tables"); what no snapshot names, S3 removes by itself.
 */
export function isTableBucket(url: string): boolean {
  return /^s3[an]?:\/\/[^/]+--table-s3\//i.test(url);
}

/** How an unfinished upload is named for `delete`. */
export function uploadUrl({ bucket, key }: S3Place, uploadId: string): string {
  return `${UPLOAD}${bucket}/${encodeURIComponent(uploadId)}/${key}`;
}

/** The upload that a URL names, or undefined when it names an object. */
export function uploadOf(url: string): (S3Place & { uploadId: string }) | undefined {
  if (!url.startsWith(UPLOAD)) return undefined;
  const [bucket = '', uploadId = '', ...key] = url.slice(UPLOAD.length).split('/');
  return { bucket, uploadId: decodeURIComponent(uploadId), key: key.join('/') };
}

/** The `x-amz-copy-source` header: URL-encoded, since a header holds ASCII only and S3 decodes it (API reference, CopyObject). */
export function copySource({ bucket, key }: S3Place, version?: string): string {
  const path = encodeURIComponent(key)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');
  return `${bucket}/${path}${version === undefined ? '' : `?versionId=${encodeURIComponent(version)}`}`;
}

/** A key as a listing with `encoding-type=url` spells it. */
export function decodedKey(key: string, encoding: string | undefined): string {
  return encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;
}

/** An ETag without its quotes, as S3's events spell it. */
export function bareEtag(etag: string | undefined): string {
  return (etag ?? '').replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
}

/** An ETag as headers take it. */
export function quotedEtag(etag: string): string {
  return `"${bareEtag(etag)}"`;
}

function refused(url: string, why: string): LakegateError {
  return new LakegateError('invalid', `"${url}" is not a usable object URL: ${why}.`, { context: { url } });
}
