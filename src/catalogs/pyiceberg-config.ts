import { parse } from 'yaml';
import type { CatalogConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';

/** A catalogue as PyIceberg's configuration describes it. */
export interface PyicebergCatalog {
  /** As configured, or inferred from the uri as PyIceberg does; `unknown` when neither says. */
  type: string;
  uri?: string;
  warehouse?: string;
  /** Every setting, the above included; keys in lower case, nested ones joined by dots. */
  properties: Record<string, string>;
}

export interface PyicebergSurroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder. */
  home: string;
  cwd: string;
  /** The text of a file, undefined when there is none. */
  readFile: (path: string) => string | undefined;
}

const FILE_NAME = '.pyiceberg.yaml';
const ENV_PREFIX = 'pyiceberg_';
/** Types that are opened; of `sql`, SQLite alone. */
const OPENABLE = 'sql';

/** Settings as read: text, or settings below. A Map, so that no name from a file or the environment can reach a prototype. */
type Settings = Map<string, string | Settings>;

/**
 * The catalogues that PyIceberg knows of here, by name in lower case: from the first `.pyiceberg.yaml` with anything in it ($PYICEBERG_HOME,
 * home, working folder), overridden by `PYICEBERG_CATALOG__NAME__KEY` (where `_` means `-`, and a further `__` a dot).
 * @throws LakegateError `config` for a file that is no YAML mapping
 */
export function findPyicebergCatalogs(around: PyicebergSurroundings): Record<string, PyicebergCatalog> {
  const settings = fromFiles(around);
  for (const [variable, value] of Object.entries(around.env)) {
    if (value !== undefined) override(settings, variable, value);
  }
  const catalogs = settings.get('catalog');
  if (catalogs === undefined || typeof catalogs === 'string') return {};
  // Without a prototype: a name such as "constructor" finds nothing unless it is configured.
  const found: Record<string, PyicebergCatalog> = Object.create(null);
  for (const [name, own] of catalogs) if (typeof own !== 'string') found[name] = describe(own);
  return found;
}

/**
 * A catalogue of PyIceberg's configuration as one that lakegate opens.
 * @param name as people ask for it; it is the `catalog_name` in the rows, as for PyIceberg, in which case counts
 * @param defaultWarehouse where new tables go if the catalogue does not say; empty: nowhere
 * @throws LakegateError `unsupported` for other types than SQLite, `config` without a uri
 */
export function pyicebergCatalog(name: string, found: PyicebergCatalog, defaultWarehouse: string): CatalogConfig {
  const context = { catalog: name };
  const { type, uri, warehouse } = found;
  if (type !== OPENABLE || (uri !== undefined && !uri.startsWith('sqlite'))) {
    const what = type === OPENABLE ? `a database other than SQLite (${uri!.replace(/:.*/s, '')})` : `of type ${type}`;
    throw new LakegateError(
      'unsupported',
      `The catalogue "${name}" is ${what}; lakegate opens catalogues of type sql with a sqlite: uri. Choose another with --catalog.`,
      { context: { ...context, type } },
    );
  }
  if (uri === undefined) {
    throw new LakegateError(
      'config',
      `The catalogue "${name}" has no uri. Set it in ${FILE_NAME}, or PYICEBERG_CATALOG__${name.toUpperCase()}__URI.`,
      { context },
    );
  }
  return { type: 'sql', uri, catalogName: name, warehouse: warehouse ?? defaultWarehouse };
}

function describe(own: Settings): PyicebergCatalog {
  const properties = Object.fromEntries(flatten(own, ''));
  const { uri, warehouse } = properties;
  const type = properties.type?.toLowerCase() || inferredType(uri);
  return { type, ...(uri ? { uri } : {}), ...(warehouse ? { warehouse } : {}), properties };
}

function inferredType(uri: string | undefined): string {
  if (uri?.startsWith('http')) return 'rest';
  if (uri?.startsWith('thrift')) return 'hive';
  if (uri?.startsWith('sqlite') || uri?.startsWith('postgresql')) return 'sql';
  return 'unknown';
}

function* flatten(settings: Settings, prefix: string): Generator<[string, string]> {
  for (const [key, value] of settings) {
    if (typeof value === 'string') yield [prefix + key, value];
    else yield* flatten(value, `${prefix}${key}.`);
  }
}

function fromFiles({ env, home, cwd, readFile }: PyicebergSurroundings): Settings {
  for (const folder of [env.PYICEBERG_HOME, home, cwd]) {
    if (!folder) continue;
    const path = `${folder.replace(/\/+$/, '')}/${FILE_NAME}`;
    const text = readFile(path);
    const settings = text === undefined ? undefined : parseFile(text, path);
    if (settings !== undefined && settings.size > 0) return settings;
  }
  return new Map();
}

function parseFile(text: string, path: string): Settings {
  let found: unknown;
  try {
    // PyIceberg reads every value as text, numbers and booleans too. No aliases: a small file could grow without bound.
    found = parse(text, { schema: 'failsafe', mapAsMap: true, maxAliasCount: 0 });
  } catch (cause) {
    throw new LakegateError(
      'config',
      `Cannot read ${path}: ${cause instanceof Error ? cause.message.trim() : String(cause)}`,
      {
        cause,
        context: { path },
      },
    );
  }
  if (found === null || found === '') return new Map();
  if (found instanceof Map) return asSettings(found);
  throw new LakegateError('config', `Cannot read ${path}: expected a mapping with "catalog:" at its top.`, {
    context: { path },
  });
}

function asSettings(found: ReadonlyMap<unknown, unknown>): Settings {
  const settings: Settings = new Map();
  for (const [key, value] of found) {
    settings.set(String(key).toLowerCase(), value instanceof Map ? asSettings(value) : String(value ?? ''));
  }
  return settings;
}

function override(settings: Settings, variable: string, value: string): void {
  const lower = variable.toLowerCase();
  if (!lower.startsWith(ENV_PREFIX)) return;
  const [first, second, ...rest] = lower.slice(ENV_PREFIX.length).split('__');
  const path = [first, second, rest.length > 0 ? rest.join('.') : undefined]
    .filter((part) => part !== undefined)
    .map((part) => part.replaceAll('_', '-'));
  const last = path.pop()!;
  let at = settings;
  for (const part of path) {
    const below = at.get(part);
    // A value where a catalogue should be: PyIceberg stops here; a variable of another program must not stop lakegate.
    if (typeof below === 'string') return;
    const next: Settings = below ?? new Map();
    at.set(part, next);
    at = next;
  }
  at.set(last, value);
}
