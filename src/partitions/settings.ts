import type { PartitionedTableConfig, PartitionsConfig } from '../config/partitions-model.ts';
import { matches } from './name-pattern.ts';

/** How one table is treated. */
export interface TableSettings {
  layout: string;
  lookbackMs: number;
  remove: boolean;
  updateSchema: boolean;
  /** Why it is left alone. */
  skip?: string;
}

/** Whether the partitions of a database are managed. */
export function isManaged({ databases, exclude }: PartitionsConfig, database: string): boolean {
  return (
    databases.some((pattern) => matches(pattern, database)) && !exclude.some((pattern) => matches(pattern, database))
  );
}

/** The settings of a table: of the entries that match it, the last one that says something, else those of all. */
export function settingsOf(config: PartitionsConfig, database: string, table: string): TableSettings {
  const own = config.tables.filter(({ pattern }) => matches(pattern, `${database}.${table}`));
  const last = <K extends keyof PartitionedTableConfig>(key: K) =>
    own.findLast((entry) => entry[key] !== undefined)?.[key];
  const skip = last('skip');
  return {
    layout: last('layout') ?? 'hive',
    lookbackMs: last('lookbackMs') ?? config.lookbackMs,
    remove: last('remove') ?? config.remove,
    updateSchema: last('updateSchema') ?? config.updateSchema,
    ...(skip !== undefined && { skip }),
  };
}
