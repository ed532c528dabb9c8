import { LakegateError } from '../errors.ts';
import type { DroppedObject } from './dropped-object.ts';

/** JSON from outside, before anything is known of it. */
export type Json = Readonly<Record<string, unknown>>;

/** Whether it is an object of JSON, not an array or null. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An event that is not what it should be: it goes to the dead-letter queue, where a person sees it. @returns the error to throw */
export function malformed(what: string, found: unknown): LakegateError {
  const shown = (JSON.stringify(found) ?? String(found)).slice(0, 200);
  return new LakegateError('invalid', `the event is not understood: expected ${what}, found ${shown}`);
}

/** @throws LakegateError `invalid` when the field is not an object */
export function objectIn(parent: Json, name: string): Json {
  const value = parent[name];
  if (!isObject(value)) throw malformed(`an object in "${name}"`, value);
  return value;
}

/** @throws LakegateError `invalid` when the field is no text or empty */
export function textIn(parent: Json, name: string): string {
  const value = parent[name];
  if (typeof value !== 'string' || value === '') throw malformed(`text in "${name}"`, value);
  return value;
}

/** S3's rules for names of buckets, old ones with capitals and underscores included. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;

/** S3's limit for a key, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/**
 * The object's URL, its key literal.
 * @throws LakegateError `invalid` for what can be no bucket or key
 */
export function objectUrl(bucket: string, key: string): string {
  if (!BUCKET.test(bucket)) throw malformed('the name of a bucket', bucket);
  const bytes = new TextEncoder().encode(key).length;
  if (bytes === 0 || bytes > MAX_KEY_BYTES || key.includes('\0')) {
    throw malformed(`a key of 1 to ${MAX_KEY_BYTES} bytes`, key);
  }
  return `s3://${bucket}/${key}`;
}

/** The version that an event tells; a field that is missing or odd is left out, and the store is asked instead. */
export function versionFacts(object: Json, names: { etag: string; version: string }): Partial<DroppedObject> {
  const etag = object[names.etag];
  const version = object[names.version];
  const { size } = object;
  return {
    ...(typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 && { size }),
    ...(typeof etag === 'string' && etag !== '' && { etag: etag.replace(/^"|"$/g, '') }),
    // `null` is what S3 calls the version of an object from before the bucket had versions.
    ...(typeof version === 'string' && version !== '' && version !== 'null' && { version }),
  };
}

/** Milliseconds since the epoch of an ISO time; nothing for what is none. */
export function timeFact(value: unknown): Pick<DroppedObject, 'at'> {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? {} : { at };
}
