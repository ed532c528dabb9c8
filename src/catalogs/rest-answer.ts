import { LakegateError } from '../errors.ts';
import {
  arrayAt,
  asObject,
  corrupt,
  integerAt,
  type JsonObject,
  stringAt,
  stringMapAt,
} from '../iceberg/json-object.ts';
import { parseLossless } from '../iceberg/lossless-json.ts';
import { metadataFromJson } from '../iceberg/metadata.ts';
import type { LoadedTable, TableIdentifier } from './catalog.ts';
import type { ServerSettings } from './rest-routes.ts';

/** What a server answered, whole. */
export interface RestAnswer {
  status: number;
  text: string;
  /** Of the table's version, where the server tells it. */
  etag?: string;
  /** Milliseconds that the server asks to be left alone for. */
  retryAfterMs?: number;
}

/**
 * The table in an answer (Iceberg REST OpenAPI: LoadTableResult, CommitTableResponse); ids are exact.
 * @param where names the server and the request, for errors
 * @throws LakegateError `corrupt`, `unsupported` for a table of format version 3
 */
export function tableInAnswer(identifier: TableIdentifier, answer: RestAnswer, where: string): LoadedTable {
  const found = objectInAnswer(answer, where);
  const metadataLocation = stringAt(found, 'metadata-location', where);
  return { identifier, metadataLocation, metadata: metadataFromJson(found.metadata, metadataLocation) };
}

/** The server's settings (CatalogConfig): its overrides over its defaults. @throws LakegateError `corrupt` */
export function settingsInAnswer(answer: RestAnswer, where: string): ServerSettings {
  const found = objectInAnswer(answer, where);
  return { ...stringMapAt(found, 'defaults', where), ...stringMapAt(found, 'overrides', where) };
}

export interface Page<T> {
  members: T[];
  /** Undefined on the last page. */
  next?: string;
}

/** A page of namespaces (ListNamespacesResponse). @throws LakegateError `corrupt` */
export function namespacesInAnswer(answer: RestAnswer, where: string): Page<string[]> {
  const found = objectInAnswer(answer, where);
  return pageOf(
    found,
    arrayAt(found, 'namespaces', where).map((levels) => levelsOf(levels, where)),
  );
}

/** A page of tables (ListTablesResponse). @throws LakegateError `corrupt` */
export function identifiersInAnswer(answer: RestAnswer, where: string): Page<TableIdentifier> {
  const found = objectInAnswer(answer, where);
  const identifiers = arrayAt(found, 'identifiers', where).map((member) => {
    const table = asObject(member, where);
    return { namespace: levelsOf(table.namespace, where), name: stringAt(table, 'name', where) };
  });
  return pageOf(found, identifiers);
}

export interface AccessToken {
  token: string;
  /** Milliseconds that it lives from now on; undefined where the server does not tell. */
  lifetimeMs?: number;
}

/** A token (OAuth 2, RFC 6749 section 5.1). @throws LakegateError `corrupt`, which does not repeat it */
export function tokenInAnswer(answer: RestAnswer, where: string): AccessToken {
  const found = objectInAnswer(answer, where);
  if (typeof found.access_token !== 'string' || found.access_token === '') {
    throw new LakegateError('corrupt', `${where}: expected an "access_token", found none`, { context: { where } });
  }
  if (found.expires_in === undefined || found.expires_in === null) return { token: found.access_token };
  return { token: found.access_token, lifetimeMs: integerAt(found, 'expires_in', where) * 1000 };
}

function objectInAnswer(answer: RestAnswer, where: string): JsonObject {
  let found: unknown;
  try {
    found = parseLossless(answer.text);
  } catch {
    // No cause: the parser's message shows a piece of the text, which may be a token.
    throw new LakegateError(
      'corrupt',
      `${where}: expected JSON, found ${answer.text === '' ? 'nothing' : 'something else'} (HTTP ${answer.status}). Check that \`uri\` is an Iceberg REST catalogue's.`,
      { context: { where } },
    );
  }
  return asObject(found, where);
}

function pageOf<T>(found: JsonObject, members: T[]): Page<T> {
  const next = found['next-page-token'];
  return typeof next === 'string' && next !== '' ? { members, next } : { members };
}

function levelsOf(json: unknown, where: string): string[] {
  if (Array.isArray(json) && json.every((level) => typeof level === 'string')) return json;
  throw corrupt(where, 'a namespace should be a list of strings');
}
