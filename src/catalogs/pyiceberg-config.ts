import { parse } from 'yaml';
import { LakegateError } from '../errors.ts';

/** A catalogue as PyIceberg's configuration describes it. */
export interface PyicebergCatalog {
  /** As configured, or inferred from the uri as PyIceberg does; `unknown` when neither says. */
  type: string;
  uri?: string;
  warehouse?: string;
  /** Every setting, the above included; keys in lower case, nested ones joined by dots. */
  properties: Record<string, string>;
  /** Of the settings that come from the environment: the variable's name. */
  variables: Record<string, string>;
  /** The environment's own AWS region. */
  region?: string;
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

/** Settings as read: text, or settings below. A Map, so that no name from a file or the environment can reach a prototype. */
type Settings = Map<string, string | Settings>;

/**
 * The catalogues that PyIceberg knows of here, by name in lower case: from the first `.pyiceberg.yaml` with anything in it ($PYICEBERG_HOME,
 * home, working folder), overridden by `PYICEBERG_CATALOG__NAME__KEY` (where `_` means `-`, and a further `__` a dot).
 * @throws LakegateError `config` for a file that is no YAML mapping
 */
export function findPyicebergCatalogs(around: PyicebergSurroundings): Record<string, PyicebergCatalog> {
  const settings = fromFiles(around);
  const variables = new Map<string, string>();
  for (const [variable, value] of Object.entries(around.env)) {
    const path = value === undefined ? undefined : override(settings, variable, value);
    if (path !== undefined) variables.set(path.join('.'), variable);
  }
  const region = around.env.AWS_REGION || around.env.AWS_DEFAULT_REGION;
  const catalogs = settings.get('catalog');
  if (catalogs === undefined || typeof catalogs === 'string') return {};
  // Without a prototype: a name such as "constructor" finds nothing unless it is configured.
  const found: Record<string, PyicebergCatalog> = Object.create(null);
  for (const [name, own] of catalogs) {
    if (typeof own === 'string') continue;
    const described = describe(own);
    const named = Object.keys(described.properties).flatMap((key) => {
      const variable = variables.get(`catalog.${name}.${key}`);
      return variable === undefined ? [] : [[key, variable]];
    });
    found[name] = { ...described, variables: Object.fromEntries(named), ...(region ? { region } : {}) };
  }
  return found;
}

function describe(own: Settings): Omit<PyicebergCatalog, 'variables'> {
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

/** Sets what a variable sets. Gives the way there; undefined where it sets nothing. */
function override(settings: Settings, variable: string, value: string): string[] | undefined {
  const lower = variable.toLowerCase();
  if (!lower.startsWith(ENV_PREFIX)) return undefined;
  const [first, second, ...rest] = lower.slice(ENV_PREFIX.length).split('__');
  const path = [first, second, rest.length > 0 ? rest.join('.') : undefined]
    .filter((part) => part !== undefined)
    .map((part) => part.replaceAll('_', '-'));
  const last = path.at(-1)!;
  let at = settings;
  for (const part of path.slice(0, -1)) {
    const below = at.get(part);
    // A value where a catalogue should be: PyIceberg stops here; a variable of another program must not stop lakegate.
    if (typeof below === 'string') return undefined;
    const next: Settings = below ?? new Map();
    at.set(part, next);
    at = next;
  }
  at.set(last, value);
  return path;
}
