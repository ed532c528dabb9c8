import { tokensOf } from '../partitions/layout-tokens.ts';
import { matches } from '../partitions/name-pattern.ts';
import type { Partially } from './check-rules.ts';
import { parseDuration } from './duration.ts';
import type { YamlPath } from './fault.ts';
import { MANAGED_DATABASES } from './partitions.ts';
import type { LakeYaml } from './schema.ts';
import { found, type PathFault } from './shape-faults.ts';

const MINUTE_MS = 60_000;

/** Faults of `partitions:` that its shape cannot say: layouts that cannot be read, tables of databases that are not managed, odd schedules. */
export function checkPartitions(partitions: Partially<LakeYaml>['partitions']): PathFault[] {
  const faults: PathFault[] = [];
  const report = (path: YamlPath, message: string, part: 'key' | 'value' = 'value') =>
    faults.push({ path: ['partitions', ...path], part, message });

  for (const [run, every] of Object.entries(partitions?.schedule ?? {})) {
    const ms = every === undefined ? undefined : parseDuration(every);
    if (ms !== undefined && ms % MINUTE_MS !== 0) {
      report(['schedule', run], `expected whole minutes, which is what EventBridge's schedules take, ${found(every)}`);
    }
  }
  const databases = [partitions?.databases ?? MANAGED_DATABASES].flat().filter((name) => name !== undefined);
  for (const [name, table] of Object.entries(partitions?.tables ?? {})) {
    const path = ['tables', name];
    const database = name.slice(0, name.indexOf('.'));
    if (name.includes('.') && !database.includes('*') && !databases.some((pattern) => matches(pattern, database))) {
      report(
        path,
        `expected a table of a managed database (\`databases\`: ${databases.join(', ')}), ${found(name)}`,
        'key',
      );
    }
    const fault = table?.layout === undefined ? undefined : layoutFault(table.layout);
    if (fault !== undefined) report([...path, 'layout'], `${fault}, ${found(table?.layout)}`);
  }
  return faults;
}

/** What can be said of a layout without the table's keys. */
function layoutFault(layout: string): string | undefined {
  if (layout === 'hive') return undefined;
  for (const level of layout.replace(/^\/|\/$/g, '').split('/')) {
    const tokens = tokensOf(level);
    if (typeof tokens === 'string') return tokens.replace(/, found .*/s, '');
    if (tokens.length === 0) return 'expected a name between two slashes';
  }
  return layout.includes('{')
    ? undefined
    : 'expected `hive`, or a template with the keys in braces such as {year}/{month}';
}
