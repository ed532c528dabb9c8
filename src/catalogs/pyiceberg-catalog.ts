import type { CatalogAuth, CatalogConfig, SecretSource } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import type { PyicebergCatalog } from './pyiceberg-config.ts';

/**
 * A catalogue of PyIceberg's configuration as one that lakegate opens (PyIceberg documentation, "Catalogs"): SQLite, REST and Glue.
 * @param name as people ask for it; for SQLite it is the `catalog_name` in the rows, as for PyIceberg, in which case counts
 * @param defaultWarehouse where new tables go if the catalogue does not say; empty: nowhere. REST servers have their own
 * @throws LakegateError `unsupported` for other types and other ways to sign in, `config` without a uri, or with a token in the file
 */
export function pyicebergCatalog(name: string, found: PyicebergCatalog, defaultWarehouse: string): CatalogConfig {
  switch (found.type) {
    case 'sql':
      return sqlCatalog(name, found, defaultWarehouse);
    case 'rest':
      return restCatalog(name, found);
    case 'glue':
      return glueCatalog(found, defaultWarehouse);
    default:
      throw unsupported(name, found, `of type ${found.type}`);
  }
}

function sqlCatalog(name: string, found: PyicebergCatalog, defaultWarehouse: string): CatalogConfig {
  const uri = uriOf(name, found);
  if (!uri.startsWith('sqlite')) {
    throw unsupported(name, found, `a database other than SQLite (${uri.replace(/:.*/s, '')})`);
  }
  return { type: 'sql', uri, catalogName: name, warehouse: found.warehouse ?? defaultWarehouse };
}

function glueCatalog({ warehouse, properties, region }: PyicebergCatalog, defaultWarehouse: string): CatalogConfig {
  const at = properties['glue.region'] ?? properties['client.region'] ?? region;
  const catalogId = properties['glue.id'];
  return {
    type: 'glue',
    warehouse: warehouse ?? defaultWarehouse,
    ...(at === undefined ? {} : { region: at }),
    ...(catalogId === undefined ? {} : { catalogId }),
  };
}

function restCatalog(name: string, found: PyicebergCatalog): CatalogConfig {
  const uri = uriOf(name, found);
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new LakegateError(
      'config',
      `The catalogue "${name}" has a uri that is none of a server: expected one such as https://catalog.example.com, without a user in it.`,
      { context: { catalog: name } },
    );
  }
  return {
    type: 'rest',
    uri: uri.replace(/\/+$/, ''),
    ...(found.warehouse === undefined ? {} : { serverWarehouse: found.warehouse }),
    auth: authOf(name, found),
  };
}

function authOf(name: string, found: PyicebergCatalog): CatalogAuth {
  const { properties, region } = found;
  const other = Object.keys(properties).find((key) => key === 'auth' || key.startsWith('auth.'));
  if (other !== undefined) throw unsupported(name, found, `one that signs in by "${other}"`);
  if (properties['rest.sigv4-enabled']?.toLowerCase() === 'true') {
    const service = properties['rest.signing-name'] ?? 'execute-api';
    if (service !== 'glue' && service !== 's3tables' && service !== 'execute-api') {
      throw unsupported(name, found, `signed for ${JSON.stringify(service)}`);
    }
    const at = properties['rest.signing-region'] ?? properties['client.region'] ?? region ?? '';
    return { kind: 'sigv4', service, region: at };
  }
  if (properties.token !== undefined) return { kind: 'bearer', token: secretOf(name, found, 'token') };
  if (properties.credential === undefined) return { kind: 'none' };
  const { scope, 'oauth2-server-uri': serverUri } = properties;
  return {
    kind: 'oauth2',
    credential: secretOf(name, found, 'credential'),
    ...(serverUri === undefined ? {} : { serverUri }),
    ...(scope === undefined ? {} : { scope }),
  };
}

/** Secrets are taken by name only, so that they are in no configuration that is shown, logged or deployed. */
function secretOf(name: string, found: PyicebergCatalog, key: 'token' | 'credential'): SecretSource {
  const env = found.variables[key];
  if (env !== undefined) return { env };
  throw new LakegateError(
    'config',
    `The catalogue "${name}" has its ${key} in .pyiceberg.yaml; lakegate takes secrets from the environment or Secrets Manager only. Move it to ${variableOf(name, key)}, or describe the catalogue in lake.yaml.`,
    { context: { catalog: name } },
  );
}

function uriOf(name: string, { uri }: PyicebergCatalog): string {
  if (uri !== undefined) return uri;
  throw new LakegateError(
    'config',
    `The catalogue "${name}" has no uri. Set it in .pyiceberg.yaml, or ${variableOf(name, 'uri')}.`,
    { context: { catalog: name } },
  );
}

function variableOf(name: string, key: string): string {
  return `PYICEBERG_CATALOG__${name.toUpperCase().replaceAll('-', '_')}__${key.toUpperCase()}`;
}

function unsupported(name: string, { type }: PyicebergCatalog, what: string): LakegateError {
  return new LakegateError(
    'unsupported',
    `The catalogue "${name}" is ${what}; lakegate opens catalogues of type sql with a sqlite: uri, rest and glue. Choose another with --catalog.`,
    { context: { catalog: name, type } },
  );
}
