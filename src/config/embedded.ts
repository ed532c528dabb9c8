import { LakegateError } from '../errors.ts';
import { LAKE_NAME, tableDefaults } from './defaults.ts';
import { type Environment, readOverrides, tokenVariable } from './environment.ts';
import { formatFault } from './fault.ts';
import { resolveFolder, resolveSqliteUri } from './location.ts';
import type { LakeConfig } from './model.ts';

/**
 * The lake of a folder without lake.yaml: everything lies in `<cwd>/.lakegate/`, and a drop under `raw/<name>/` goes to the table
 * `lake.<name>`. Environment variables override it as they do lake.yaml. Loads neither the YAML parser nor the schema.
 * @param cwd absolute path of the folder
 * @throws LakegateError `config` when an environment variable cannot be used, all of them at once (`context.faults`)
 */
export function embeddedConfig(cwd: string, env: Environment): LakeConfig {
  const { overrides, faults } = readOverrides(env, cwd);
  if (faults.length > 0) {
    const lines = faults.map((fault) => formatFault(fault, 'lake.yaml'));
    throw new LakegateError('config', lines.join('\n'), { context: { faults } });
  }
  const home = resolveFolder('.lakegate', cwd);
  const database = resolveSqliteUri('sqlite:///.lakegate/catalog.db', cwd);
  if ('fault' in home) throw new LakegateError('config', `${cwd}: ${home.fault}`, { context: { cwd } });
  if ('fault' in database) throw new LakegateError('config', `${cwd}: ${database.fault}`, { context: { cwd } });
  const warehouse = overrides.warehouse ?? `${home.url}warehouse/`;
  return {
    raw: overrides.raw ?? `${home.url}raw/`,
    warehouse,
    records: `${home.url}deliveries/`,
    defaultCatalog: 'default',
    catalogs: {
      default: {
        type: 'sql',
        uri: database.url,
        catalogName: 'default',
        warehouse,
      },
    },
    tables: [],
    autoTables: { namespace: 'lake', ...tableDefaults() },
    notify: {
      ...(overrides.channel !== undefined && {
        slack: { channel: overrides.channel, tokenEnv: tokenVariable(env, undefined) },
      }),
      suppressMs: 0,
    },
    name: LAKE_NAME,
    stages: [],
  };
}
