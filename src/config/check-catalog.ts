import type { CatalogYaml } from './catalog-schema.ts';
import type { Partially } from './check-rules.ts';
import { shown, type YamlPath } from './fault.ts';
import { found, type PathFault } from './shape-faults.ts';

type Type = CatalogYaml['type'];

/** Keys that each type takes besides `type`, and those it cannot do without. */
const KEYS: Readonly<Record<Type, { takes: readonly (keyof CatalogYaml)[]; needs: readonly (keyof CatalogYaml)[] }>> = {
  sql: { takes: ['uri', 'catalog_name', 'warehouse'], needs: [] },
  glue: { takes: ['warehouse', 'region', 'catalog_id'], needs: [] },
  rest: { takes: ['uri', 'server_warehouse', 'warehouse', 'region', 'auth'], needs: ['uri'] },
  s3tables: { takes: ['arn', 'uri', 'region'], needs: ['arn'] },
  nessie: { takes: ['uri', 'branch', 'server_warehouse', 'auth'], needs: ['uri'] },
};

/** Faults of a catalogue that its shape cannot say: keys of another type, keys that are missing, more than one way to sign in. */
export function checkCatalog(catalog: Partially<CatalogYaml>, path: YamlPath): PathFault[] {
  const faults: PathFault[] = [];
  const report = (at: YamlPath, message: string, part: 'key' | 'value' = 'value') =>
    faults.push({ path: [...path, ...at], part, message });
  const { type, uri, auth } = catalog;
  if (type === undefined) return [];
  const { takes, needs } = KEYS[type];
  for (const key of Object.keys(catalog) as (keyof CatalogYaml)[]) {
    if (key === 'type' || takes.includes(key)) continue;
    report([key], `expected a key of catalogues of type ${type} (${takes.join(', ')}), found ${shown(key)}`, 'key');
  }
  for (const key of needs) {
    if (!(key in catalog)) report([], `expected a key \`${key}\` in a catalogue of type ${type}, found none`, 'key');
  }
  if (type !== 'sql' && uri !== undefined && !isHttpUrl(uri)) {
    report(['uri'], `expected the URL of a server such as https://catalog.example.com, ${found(uri)}`);
  }
  if (auth !== undefined) checkAuth(auth, (at, message) => report(['auth', ...at], message));
  return faults;
}

/** Plain http is for servers in one's own network; a password inside the URL would end up in logs. */
function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

function checkAuth(
  auth: Partially<NonNullable<CatalogYaml['auth']>>,
  report: (at: YamlPath, message: string) => void,
): void {
  const ways = (['sigv4', 'token_env', 'token_secret', 'credential_env', 'credential_secret'] as const).filter(
    (key) => auth[key] !== undefined,
  );
  if (ways.length !== 1) {
    report(
      [],
      `expected one of sigv4, token_env, token_secret, credential_env and credential_secret, found ${ways.join(' and ') || 'none'}`,
    );
  }
  if (ways.some((way) => way.startsWith('credential'))) return;
  for (const key of ['server_uri', 'scope'] as const) {
    if (auth[key] !== undefined)
      report([key], 'expected together with credential_env or credential_secret only (OAuth 2)');
  }
}
