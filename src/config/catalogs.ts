import type { CatalogYaml } from './catalog-schema.ts';
import { resolveFolder, resolveSqliteUri, sound } from './location.ts';
import type { CatalogAuth, CatalogConfig, SecretSource } from './model.ts';

/** What a catalogue's settings are completed from. */
export interface CatalogSurroundings {
  /** Absolute path that relative folders start from. */
  folder: string;
  /** The lake's warehouse, URL ending in `/`. */
  warehouse: string;
  /** The stage's region, else that of the environment; undefined where neither says. */
  region?: string;
}

/** S3 Tables' Iceberg REST endpoint of a region (S3 user guide, "Accessing tables using the S3 Tables Iceberg REST endpoint"). */
const s3TablesUri = (region: string): string => `https://s3tables.${region}.amazonaws.com/iceberg`;

/** A faultless catalogue of lake.yaml in the program's terms. S3 Tables is an Iceberg REST catalogue with requests signed for it. */
export function catalogConfig(name: string, catalog: CatalogYaml, around: CatalogSurroundings): CatalogConfig {
  const { type } = catalog;
  const own = catalog.warehouse === undefined ? undefined : sound(resolveFolder(catalog.warehouse, around.folder));
  const warehouse = own ?? around.warehouse;
  const region = catalog.region ?? around.region;
  switch (type) {
    case 'sql':
      return {
        type,
        uri: sound(resolveSqliteUri(catalog.uri ?? 'sqlite:///catalog.db', around.folder)),
        catalogName: catalog.catalog_name ?? name,
        warehouse,
      };
    case 'glue':
      return {
        type,
        warehouse,
        ...(region !== undefined && { region }),
        ...(catalog.catalog_id !== undefined && { catalogId: catalog.catalog_id }),
      };
    case 's3tables': {
      // The table bucket's own region is where its endpoint is.
      const at = catalog.region ?? catalog.arn!.split(':')[3]!;
      return {
        type: 'rest',
        uri: withoutSlash(catalog.uri ?? s3TablesUri(at)),
        serverWarehouse: catalog.arn!,
        auth: { kind: 'sigv4', service: 's3tables', region: at },
      };
    }
    case 'rest':
      return {
        type,
        uri: withoutSlash(catalog.uri!),
        ...(catalog.server_warehouse !== undefined && { serverWarehouse: catalog.server_warehouse }),
        ...(own !== undefined && { warehouse: own }),
        auth: catalogAuth(catalog.auth, region),
      };
    case 'nessie':
      return {
        type,
        uri: withoutSlash(catalog.uri!),
        branch: catalog.branch ?? 'main',
        ...(catalog.server_warehouse !== undefined && { serverWarehouse: catalog.server_warehouse }),
        auth: catalogAuth(catalog.auth, region),
      };
  }
}

function catalogAuth(auth: CatalogYaml['auth'], region: string | undefined): CatalogAuth {
  if (auth?.sigv4 !== undefined) return { kind: 'sigv4', service: auth.sigv4, region: region ?? '' };
  const token = secretSource(auth?.token_env, auth?.token_secret);
  if (token !== undefined) return { kind: 'bearer', token };
  const credential = secretSource(auth?.credential_env, auth?.credential_secret);
  if (credential === undefined) return { kind: 'none' };
  return {
    kind: 'oauth2',
    credential,
    ...(auth?.server_uri !== undefined && { serverUri: auth.server_uri }),
    ...(auth?.scope !== undefined && { scope: auth.scope }),
  };
}

/** Where a secret is, as lake.yaml names it: a variable, or a Secrets Manager entry and perhaps its field (`name#field`). */
export function secretSource(env: string | undefined, secret: string | undefined): SecretSource | undefined {
  if (secret !== undefined) {
    const [name, key] = secret.split('#');
    return { secret: name!, ...(key !== undefined && { key }) };
  }
  return env === undefined ? undefined : { env };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
