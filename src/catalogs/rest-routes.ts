import { LakegateError } from '../errors.ts';
import type { TableIdentifier } from './catalog.ts';

/** The server's own settings that a client has to follow (Iceberg REST OpenAPI: CatalogConfig), overrides over defaults. */
export type ServerSettings = Readonly<Record<string, string>>;

/** Addresses of an Iceberg REST server (Iceberg REST OpenAPI: `/v1/{prefix}/…`). */
export interface RestRoutes {
  /** `pageToken`: what the page before said comes next. */
  namespaces(parent?: readonly string[], pageToken?: string): string;
  tables(namespace: readonly string[], pageToken?: string): string;
  /** `snapshots=all` or `purgeRequested=false` and the like go into `query`. */
  table(identifier: TableIdentifier, query?: Readonly<Record<string, string>>): string;
}

/** What separates the levels of a namespace, URL-encoded, unless the server says otherwise. */
const UNIT_SEPARATOR = '%1F';

/** The address that tells the server's settings. @param uri without `/v1` */
export function configRoute(uri: string, warehouse: string | undefined): string {
  return `${uri}/v1/config${queryOf(warehouse === undefined ? {} : { warehouse })}`;
}

/**
 * @param uri without `/v1` and without a slash at the end
 * @param settings as the server gave them; `prefix` goes into paths as it is, since servers give it URL-encoded where it has to be
 * @throws LakegateError `config` for a prefix or separator that would lead elsewhere
 */
export function restRoutes(uri: string, settings: ServerSettings): RestRoutes {
  const prefix = (settings.prefix ?? '').replace(/^\/+|\/+$/g, '');
  const separator = settings['namespace-separator'] ?? UNIT_SEPARATOR;
  const odd = /[?#\\\s\p{Cc}]|(?:^|\/)\.{1,2}(?:\/|$)/u;
  if (odd.test(prefix)) throw wrongSetting(uri, 'prefix', prefix);
  if (odd.test(separator) || separator === '' || separator.includes('/')) {
    throw wrongSetting(uri, 'namespace-separator', separator);
  }
  const root = prefix === '' ? `${uri}/v1` : `${uri}/v1/${prefix}`;
  const joined = (levels: readonly string[]) => levels.map(encoded).join(separator);

  return {
    namespaces: (parent, pageToken) => {
      const page = queryOf(pageToken === undefined ? {} : { pageToken });
      // The levels are encoded already: the separator is, too.
      if (parent === undefined || parent.length === 0) return `${root}/namespaces${page}`;
      return `${root}/namespaces?parent=${joined(parent)}${page.replace('?', '&')}`;
    },
    tables: (namespace, pageToken) =>
      `${root}/namespaces/${joined(namespace)}/tables${queryOf(pageToken === undefined ? {} : { pageToken })}`,
    table: ({ namespace, name }, query = {}) =>
      `${root}/namespaces/${joined(namespace)}/tables/${encoded(name)}${queryOf(query)}`,
  };
}

function queryOf(parameters: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(parameters).map(([key, value]) => `${key}=${encoded(value)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Percent-encoded as RFC 3986 has it, which is also what signatures are made over. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function wrongSetting(uri: string, setting: string, value: string): LakegateError {
  return new LakegateError(
    'config',
    `The catalogue server ${uri} says its ${setting} is ${JSON.stringify(value.slice(0, 100))}, expected a part of a path. Correct its configuration, or \`uri\` and \`server_warehouse\` of the catalogue.`,
    { context: { uri, setting } },
  );
}
