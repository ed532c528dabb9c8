import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CatalogConfig, LakeConfig, StageConfig } from '../src/config/model.ts';
import { LakegateError } from '../src/errors.ts';

/** A lake on one of its stages, with every default filled in. */
export type StageLakeConfig = LakeConfig & { stage: StageConfig };

/** Environment variable that leads to another configuration than the one packed with the function. */
export const CONFIG_FILE = 'LAKEGATE_CONFIG_FILE';

/** Environment variable with the event bus's name, where it is not `<name>-<stage>`. */
export const BUS = 'LAKEGATE_BUS';

/** Environment variable with the address of a Nessie that is deployed with the stage: known only then. */
export const NESSIE_ENDPOINT = 'NESSIE_ENDPOINT';

/** What the stage's parts are named after: `<name>-<stage>`; also the name of its event bus. */
export function lakeName({ name, stage }: StageLakeConfig): string {
  return `${name}-${stage.name}`;
}

/**
 * The configuration that was packed with the function's code when it was deployed.
 * @param folder where `lake.json` is, beside the bundle
 * @throws LakegateError `config` when it is not there, or no stage's
 */
export function readStageConfig(env: Readonly<Record<string, string | undefined>>, folder: string): StageLakeConfig {
  const path = env[CONFIG_FILE] || join(folder, 'lake.json');
  let config: LakeConfig;
  try {
    config = JSON.parse(readFileSync(path, 'utf8')) as LakeConfig;
  } catch (cause) {
    throw new LakegateError('config', `the configuration ${path} cannot be read; deploy again: npx cdk deploy`, {
      context: { path },
      cause,
    });
  }
  if (typeof config.raw === 'string' && Array.isArray(config.tables) && config.stage !== undefined) {
    return { ...config, stage: config.stage, catalogs: withNessie(config.catalogs, env[NESSIE_ENDPOINT]) };
  }
  throw new LakegateError('config', `${path} is not the configuration of a stage; deploy again: npx cdk deploy`, {
    context: { path },
  });
}

function withNessie(
  catalogs: Readonly<Record<string, CatalogConfig>>,
  endpoint: string | undefined,
): Record<string, CatalogConfig> {
  const entries = Object.entries(catalogs).map(([name, catalog]): [string, CatalogConfig] => [
    name,
    catalog.type === 'nessie' && catalog.uri === '' && endpoint ? { ...catalog, uri: endpoint } : catalog,
  ]);
  return Object.fromEntries(entries);
}
