import { posix } from 'node:path';
import { LakegateError } from '../errors.ts';
import { checkLake } from './check-lake.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Environment, readOverrides } from './environment.ts';
import { type Fault, formatFault, formatPath, shown } from './fault.ts';
import type { CatalogConfig, LakeConfig, StageConfig } from './model.ts';
import { lakeConfig } from './normalize.ts';
import { lakeYaml, lakeYamlJsonSchema } from './schema.ts';
import { shapeFaults, withoutFaults } from './shape-faults.ts';
import { onStage } from './stages.ts';
import { readYaml } from './yaml-document.ts';

/**
 * lake.yaml as typed configuration with every default filled in.
 * @param text the file's text
 * @param path absolute path of the file; relative folders in it start from its folder
 * @param env environment variables: SOURCE_BUCKET (`raw`), LAKE_BUCKET (`warehouse`), SLACK_CHANNEL and SLACK_TOKEN override the file
 * @param otherCatalogs catalogues defined elsewhere (`.pyiceberg.yaml`) that the file may name; its own come first
 * @param stage the deployed stage that the lake is meant on; without one, the lake on this machine
 * @throws LakegateError `usage` for a stage that there is not, `config` with all faults at once, in the order of the file: the message has a line for each
 *   (`lake.yaml:12:5 tables.sales.orders.rules[0]: …`), `context.faults` has them as `Fault[]`
 */
export function loadConfig(
  text: string,
  path: string,
  env: Environment,
  otherCatalogs: Readonly<Record<string, CatalogConfig>> = {},
  stage?: string,
): LakeConfig {
  if (!posix.isAbsolute(path)) {
    throw new LakegateError('internal', `loadConfig: expected the absolute path of lake.yaml, found ${shown(path)}`);
  }
  const folder = posix.dirname(path);
  const { overrides, faults } = readOverrides(env, folder);
  const document = readYaml(text);
  const inFile = [...document.faults];
  if (!document.broken) {
    const result = lakeYaml.safeParse(document.value);
    const shape = result.success ? [] : shapeFaults(result.error.issues, document.value, lakeYamlJsonSchema);
    const rest = result.success ? result.data : withoutFaults(document.value, shape);
    const whole = checkLake(rest ?? {}, { folder, overrides, otherCatalogs: Object.keys(otherCatalogs) });
    for (const fault of [...shape, ...whole]) {
      inFile.push({
        path: formatPath(fault.path),
        ...document.locate(fault.path, fault.part),
        message: shape.length > 0 && document.value === null ? EMPTY : fault.message,
      });
    }
    if (result.success && faults.length === 0 && inFile.length === 0) {
      const local = lakeConfig(result.data, { path, folder, env, overrides, otherCatalogs });
      if (stage === undefined) return local;
      if (!local.stages.includes(stage)) throw noSuchStage(stage, local.stages, path);
      return onStage(local, result.data, stage, folder);
    }
  }
  const all = [...faults, ...inFile.sort(byPlace)];
  const name = posix.basename(path);
  const count = all.length === 1 ? 'a fault' : `${all.length} faults`;
  const lines = all.map((fault) => `  ${formatFault(fault, name)}`);
  throw new LakegateError('config', `${path} has ${count}:\n${lines.join('\n')}`, { context: { path, faults: all } });
}

/**
 * The lake on each of its stages, in the order of the file: what `cdk deploy` works from.
 * @throws LakegateError `config` as `loadConfig`, and for a lake without stages
 */
export function loadStages(text: string, path: string): (LakeConfig & { stage: StageConfig })[] {
  const { stages } = loadConfig(text, path, {});
  if (stages.length === 0) {
    throw new LakegateError(
      'config',
      `${path}: expected at least one stage under \`stages:\`, found none. docs/lake-yaml.md shows one`,
    );
  }
  return stages.map((name) => {
    const config = loadConfig(text, path, {}, {}, name);
    return { ...config, stage: config.stage! };
  });
}

function noSuchStage(stage: string, known: readonly string[], path: string): LakegateError {
  const there = known.length === 0 ? 'it describes none, under `stages:`' : `it has ${known.join(', ')}`;
  return new LakegateError('usage', `${path} has no stage ${shown(stage)}: ${there}.${didYouMean(stage, known)}`, {
    context: { stage, known },
  });
}

const EMPTY =
  'expected at least a table under `tables:`, found an empty file. `lakegate init` writes one to start from';

function byPlace(a: Fault, b: Fault): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
