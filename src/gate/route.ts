import type { LakeConfig, TableConfig } from '../config/model.ts';

export type Route =
  | { kind: 'table'; table: TableConfig }
  /** Nothing claims the object: `reason` says what was looked for. */
  | { kind: 'unrouted'; reason: string };

/** A key segment that can stand as a table name as it is. */
const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Names that mark unfinished, hidden or bookkeeping objects, by the convention of Hadoop and of people's tools. */
export function isHidden(key: string): boolean {
  return key.split('/').some((part) => part.startsWith('.') || part.startsWith('_'));
}

/** Whether nobody misses an object that no table claims: folders, what its name marks as no data, and snapshots, which the pipelines take. */
export function isNoData(config: Pick<LakeConfig, 'raw' | 'pipelines'>, url: string): boolean {
  const { raw } = config;
  if (snapshotSource(config, url) !== undefined) return true;
  const key = url.startsWith(raw) ? url.slice(raw.length) : url.slice(url.lastIndexOf('/') + 1);
  return key === '' || key.endsWith('/') || isHidden(key);
}

/** Name of the pipelines' source whose snapshots lie where the object does. */
function snapshotSource({ pipelines }: Pick<LakeConfig, 'pipelines'>, url: string): string | undefined {
  return pipelines?.sources.find(({ path }) => url.startsWith(path))?.name;
}

/**
 * Which table a dropped object belongs to: the one whose prefix its key starts with (prefixes do not overlap: lake.yaml is checked).
 * @param url the object's URL, under `config.raw`
 */
export function route(config: LakeConfig, url: string): Route {
  if (!url.startsWith(config.raw))
    return { kind: 'unrouted', reason: `it does not lie under the raw area ${config.raw}` };
  const key = url.slice(config.raw.length);
  if (key === '' || key.endsWith('/')) return { kind: 'unrouted', reason: 'it is a folder' };
  if (isHidden(key)) return { kind: 'unrouted', reason: 'names that start with . or _ are not data' };
  const table = config.tables.find((candidate) => key.startsWith(candidate.prefix));
  if (table) return { kind: 'table', table };
  const source = snapshotSource(config, url);
  if (source !== undefined) {
    return { kind: 'unrouted', reason: `it is of the snapshots ${source}, which the pipelines split into tables` };
  }
  const [first, ...rest] = key.split('/');
  if (config.autoTables && first && rest.length > 0) {
    if (!TABLE_NAME.test(first)) {
      return {
        kind: 'unrouted',
        reason: `folder ${JSON.stringify(first)} is no table name (letters, digits and _ only)`,
      };
    }
    return { kind: 'table', table: autoTable(config, first) };
  }
  if (config.autoTables) {
    const reason = `it lies in no folder: ${config.raw}NAME/${key} would go to the table ${config.autoTables.namespace}.NAME`;
    return { kind: 'unrouted', reason };
  }
  const prefixes = config.tables.map((candidate) => candidate.prefix);
  return {
    kind: 'unrouted',
    reason: `no table claims ${JSON.stringify(key)}; known prefixes: ${prefixes.length > 0 ? prefixes.join(', ') : 'none'}`,
  };
}

/** The settings of a table by its whole name, or undefined when the lake has none such. */
export function tableOf(config: LakeConfig, name: string): TableConfig | undefined {
  const declared = config.tables.find((table) => table.name === name);
  if (declared || !config.autoTables) return declared;
  const own = name.slice(config.autoTables.namespace.length + 1);
  return name === `${config.autoTables.namespace}.${own}` && TABLE_NAME.test(own) ? autoTable(config, own) : undefined;
}

/** The settings of a table that no lake.yaml names: the embedded lake makes one for each folder under the raw area. */
export function autoTable(config: LakeConfig, name: string): TableConfig {
  if (!config.autoTables) throw new Error('autoTable called for a lake without automatic tables');
  const { namespace, ...settings } = config.autoTables;
  return { ...settings, name: `${namespace}.${name}`, prefix: `${name}/` };
}
