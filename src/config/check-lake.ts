import { checkCatalog } from './check-catalog.ts';
import { checkMonitor } from './check-monitor.ts';
import { checkPartitions } from './check-partitions.ts';
import { checkPipelines } from './check-pipelines.ts';
import { checkReports } from './check-reports.ts';
import { checkRules, type Partially } from './check-rules.ts';
import { checkStage } from './check-stage.ts';
import { checkCsv, checkTable } from './check-table.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Overrides } from './environment.ts';
import { shown, type YamlPath } from './fault.ts';
import { type Resolved, resolveFolder, resolveSqliteUri } from './location.ts';
import { normalizePrefix } from './prefix.ts';
import type { LakeYaml } from './schema.ts';
import { found, type PathFault } from './shape-faults.ts';

/** What lake.yaml is checked against besides itself. */
export interface Surroundings {
  /** Absolute path of lake.yaml's folder. */
  folder: string;
  overrides: Overrides;
  /** Names of catalogues that are defined elsewhere. */
  otherCatalogs: readonly string[];
}

const IDENTIFIER = /^[A-Za-z0-9_]+$/;

/** Everything the shape cannot say, over the whole file. Takes what is left of a faulty file, so that all faults come at once. */
export function checkLake(lake: Partially<LakeYaml>, around: Surroundings): PathFault[] {
  const faults: PathFault[] = [];
  const report = (path: YamlPath, message: string, part: 'key' | 'value' = 'value') =>
    faults.push({ path, part, message });

  const defaults = lake.defaults ?? {};
  const tables = Object.entries(lake.tables ?? {}).flatMap(([name, table]) => (table ? [{ name, table }] : []));
  for (const { name, table } of tables) {
    const path = ['tables', name];
    if (name.split('.').length < 2 || !name.split('.').every((level) => IDENTIFIER.test(level))) {
      report(path, `expected namespace.table in letters, digits and underscores, ${found(name)}`, 'key');
    }
    faults.push(...checkTable(name, table, path, defaults));
  }
  if (lake.auto_tables !== undefined) {
    faults.push(...checkTable('auto_tables', lake.auto_tables, ['auto_tables'], defaults));
    const namespace = lake.auto_tables.namespace;
    if (namespace !== undefined && !namespace.split('.').every((level) => IDENTIFIER.test(level))) {
      report(['auto_tables', 'namespace'], `expected letters, digits and underscores, ${found(namespace)}`);
    }
  }
  if (defaults.rules !== undefined) faults.push(...checkRules(defaults.rules, ['defaults', 'rules']));
  faults.push(...checkCsv(defaults.csv, ['defaults', 'csv']));
  checkCatalogs(lake, around, report);
  for (const [name, catalog] of Object.entries(lake.catalogs ?? {})) {
    if (catalog !== undefined) faults.push(...checkCatalog(catalog, ['catalogs', name]));
  }
  faults.push(...checkReports(lake.reports));
  faults.push(...checkPartitions(lake.partitions));
  faults.push(...checkPipelines(lake));
  if (lake.reports?.monitor) faults.push(...checkMonitor(lake.reports.monitor, ['reports', 'monitor'], around.folder));
  for (const [name, stage] of Object.entries(lake.stages ?? {})) {
    if (stage !== undefined) faults.push(...checkStage(lake, name, stage, ['stages', name]));
  }
  checkFolders(lake, around, tables, report);
  checkNesting(tables, report);
  checkChannel(lake, around, report);
  return faults;
}

type Report = (path: YamlPath, message: string, part?: 'key' | 'value') => void;
type Tables = { name: string; table: { from?: string | undefined } }[];

function checkCatalogs(lake: Partially<LakeYaml>, around: Surroundings, report: Report): void {
  const own = Object.keys(lake.catalogs ?? { local: {} });
  const known = [...own, ...around.otherCatalogs];
  const check = (name: string | undefined, path: YamlPath) => {
    if (name === undefined || known.includes(name)) return;
    report(
      path,
      `expected a catalogue of this lake, ${found(name)}.${didYouMean(name, known) || ` There are ${known.map(shown).join(', ')}`}`,
    );
  };
  check(lake.catalog, ['catalog']);
  check(lake.auto_tables?.catalog, ['auto_tables', 'catalog']);
  for (const [name, table] of Object.entries(lake.tables ?? {})) check(table?.catalog, ['tables', name, 'catalog']);
  if (lake.catalog === undefined && own.length !== 1) {
    report(
      ['catalogs'],
      `expected \`catalog: NAME\` at the top to say which one is meant by default, found ${own.length} catalogues`,
      'key',
    );
  }
}

function checkFolders(lake: Partially<LakeYaml>, around: Surroundings, tables: Tables, report: Report): void {
  const resolve = (path: YamlPath, text: string | undefined, by: (text: string, folder: string) => Resolved) => {
    const resolved = text === undefined ? undefined : by(text, around.folder);
    if (resolved !== undefined && 'fault' in resolved) report(path, `${resolved.fault}, ${found(text)}`);
    return resolved !== undefined && 'url' in resolved ? resolved.url : undefined;
  };
  const ownRaw = resolve(['raw'], lake.raw ?? './raw', resolveFolder);
  const ownWarehouse = resolve(['warehouse'], lake.warehouse ?? './warehouse', resolveFolder);
  const raw = around.overrides.raw ?? ownRaw;
  const written: [YamlPath, string | undefined][] = [
    [['warehouse'], around.overrides.warehouse ?? ownWarehouse],
    [['records'], resolve(['records'], lake.records, resolveFolder)],
  ];
  for (const [name, catalog] of Object.entries(lake.catalogs ?? {})) {
    if (catalog?.type === 'sql') resolve(['catalogs', name, 'uri'], catalog.uri, resolveSqliteUri);
    written.push([
      ['catalogs', name, 'warehouse'],
      resolve(['catalogs', name, 'warehouse'], catalog?.warehouse, resolveFolder),
    ]);
  }
  if (raw === undefined) return;
  const watched: [string, string][] = tables.flatMap(({ name, table }) => {
    const prefix = table.from === undefined ? undefined : normalizePrefix(table.from);
    return prefix !== undefined && 'prefix' in prefix ? [[name, raw + prefix.prefix]] : [];
  });
  if (lake.auto_tables !== undefined) watched.push(['auto_tables', raw]);
  for (const [path, folder] of written) {
    const clash = watched.find(
      ([, drops]) => folder !== undefined && (folder.startsWith(drops) || drops.startsWith(folder)),
    );
    if (clash !== undefined) {
      report(
        path,
        `expected a folder apart from the drops of ${clash[0]}, found ${folder} and ${clash[1]}: what is written there would be taken for drops`,
      );
    }
  }
}

/** Each drop belongs to one table, and each table's files lie in a folder of their own. */
function checkNesting(tables: Tables, report: Report): void {
  const seen: { name: string; prefix: string }[] = [];
  for (const { name, table } of tables) {
    const path = ['tables', name, 'from'];
    const outer = tables.find((other) => name.startsWith(`${other.name}.`));
    if (outer !== undefined) {
      report(
        ['tables', name],
        `expected a name outside the table ${outer.name}: its files would lie in that table's folder`,
        'key',
      );
    }
    if (table.from === undefined) continue;
    const result = normalizePrefix(table.from);
    if ('fault' in result) {
      report(path, `${result.fault}, ${found(table.from)}`);
      continue;
    }
    const { prefix } = result;
    const other = seen.find((earlier) => prefix.startsWith(earlier.prefix) || earlier.prefix.startsWith(prefix));
    if (other !== undefined) {
      const relation =
        prefix === other.prefix ? 'the same folder' : prefix.startsWith(other.prefix) ? 'inside' : 'around';
      report(
        path,
        `expected a folder of its own, found ${shown(prefix)}, ${relation}${relation === 'the same folder' ? ' as' : ''} ${shown(other.prefix)} of table ${other.name}: a file there would belong to both`,
      );
    }
    seen.push({ name, prefix });
  }
}

function checkChannel(lake: Partially<LakeYaml>, around: Surroundings, report: Report): void {
  if (lake.notify?.slack?.channel !== undefined || around.overrides.channel !== undefined) return;
  const named: YamlPath | undefined = lake.defaults?.channel
    ? ['defaults', 'channel']
    : Object.entries(lake.tables ?? {})
        .filter(([, table]) => table?.channel !== undefined)
        .map(([name]) => ['tables', name, 'channel'])[0];
  if (named !== undefined) {
    report(
      named,
      'expected `notify: { slack: { channel: "#name" } }` too (or SLACK_CHANNEL): without it nothing is sent to Slack',
    );
  }
}
