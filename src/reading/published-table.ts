import type { CatalogConfig, SecretSource } from '../config/model.ts';
import { LakegateError } from '../errors.ts';

/** A table as other engines are to find it. */
export interface PublishedTable {
  namespace: readonly string[];
  name: string;
  /** URL of the folder that has the table's files. */
  location: string;
  /** URL of its metadata as last published. */
  metadataLocation: string;
  catalog: CatalogConfig;
  /** Of the deployed stage, where the command is about one. */
  region?: string;
  account?: string;
}

/** How a catalogue is reached by engines that are not lakegate. */
export type Reach =
  | { by: 'glue'; region: string; account: string }
  | { by: 's3tables'; region: string; arn: string; account: string; bucket: string; uri: string }
  | { by: 'rest'; uri: string; warehouse: string | undefined; auth: RestAuth }
  /** Only its metadata files: the catalogue itself is lakegate's and PyIceberg's. */
  | { by: 'files' };

export type RestAuth =
  | { kind: 'none' }
  | { kind: 'bearer'; token: string }
  | { kind: 'oauth2'; id: string; secret: string; serverUri: string; scope: string | undefined }
  | { kind: 'sigv4'; service: string; region: string };

/** How the table's catalogue is reached. What only its owner knows stands in angle brackets. */
export function reachOf({ catalog, region, account }: PublishedTable): Reach {
  switch (catalog.type) {
    case 'sql':
      return { by: 'files' };
    case 'glue':
      return {
        by: 'glue',
        region: catalog.region ?? region ?? '<region>',
        account: catalog.catalogId ?? account ?? '<account id>',
      };
    case 'nessie':
      return {
        by: 'rest',
        uri: `${catalog.uri}/iceberg/${encodeURIComponent(catalog.branch)}`,
        warehouse: catalog.serverWarehouse,
        auth: authOf(catalog.auth, `${catalog.uri}/iceberg`),
      };
    case 'rest': {
      const { auth, serverWarehouse = '', uri } = catalog;
      const arn = /^arn:[^:]+:s3tables:([^:]+):([^:]+):bucket\/(.+)$/.exec(serverWarehouse);
      if (auth.kind === 'sigv4' && auth.service === 's3tables' && arn !== null) {
        return { by: 's3tables', region: arn[1]!, account: arn[2]!, bucket: arn[3]!, arn: serverWarehouse, uri };
      }
      if (auth.kind === 'sigv4' && auth.service === 'glue') {
        return { by: 'glue', region: auth.region, account: serverWarehouse || account || '<account id>' };
      }
      return { by: 'rest', uri, warehouse: catalog.serverWarehouse, auth: authOf(auth, uri) };
    }
  }
}

type ConfiguredAuth = Extract<CatalogConfig, { type: 'rest' }>['auth'];

function authOf(auth: ConfiguredAuth, uri: string): RestAuth {
  switch (auth.kind) {
    case 'none':
      return auth;
    case 'bearer':
      return { kind: 'bearer', token: placeholder(auth.token) };
    case 'sigv4':
      return { kind: 'sigv4', service: auth.service, region: auth.region };
    case 'oauth2': {
      const whole = placeholder(auth.credential).slice(1, -1);
      return {
        kind: 'oauth2',
        id: `<client id: the part before ":" in ${whole}>`,
        secret: `<client secret: the part after ":" in ${whole}>`,
        serverUri: auth.serverUri ?? `${uri}/v1/oauth/tokens`,
        scope: auth.scope,
      };
    }
  }
}

/** A secret's name where its value is to be put: lakegate prints no secret. */
function placeholder(source: SecretSource): string {
  if ('env' in source) return `<value of the environment variable ${source.env}>`;
  return `<value of ${source.key === undefined ? '' : `${source.key} in `}the Secrets Manager entry ${source.secret}>`;
}

/** Why an engine cannot read a table where it lies. */
export function unreadable(engine: string, table: PublishedTable, why: string): LakegateError {
  const written = [...table.namespace, table.name].join('.');
  return new LakegateError('unsupported', `${engine} cannot read ${written} where it is: ${why}`, {
    context: { table: written, engine },
  });
}
