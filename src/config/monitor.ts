import { parseByteSize } from './byte-size.ts';
import { parseDuration } from './duration.ts';
import { resolveFolder, sound } from './location.ts';
import type { MonitorConfig, MonitorThresholds } from './monitor-model.ts';
import type { MonitorThresholdsYaml, MonitorYaml } from './monitor-schema.ts';

const DAY_MS = 86_400_000;

/** What the monitor goes by where lake.yaml does not say. */
export function monitorDefaults(): MonitorConfig {
  return {
    folder: 'data-monitor/',
    namePrefix: 'ACX',
    everyMs: DAY_MS,
    databases: [],
    folders: [],
    thresholds: {
      freshnessMs: 45 * DAY_MS,
      rowChange: 20,
      fileSize: { min: 16e6, max: 2e9, smallFiles: 10 },
      key: [],
      keyRows: 10_000_000,
      snapshotKey: 'snapshot_dt',
    },
    tables: [],
  };
}

/** `reports.monitor` in the terms of the program. @param folder absolute path that relative folders start from */
export function monitorConfig(yaml: MonitorYaml, folder: string): MonitorConfig {
  const defaults = monitorDefaults();
  const { folder: target, name_prefix: namePrefix, every, channel, databases, folders, tables, ...own } = yaml;
  return {
    folder: target === undefined ? defaults.folder : `${target.replace(/\/+$/, '')}/`,
    namePrefix: namePrefix ?? defaults.namePrefix,
    everyMs: (every === undefined ? undefined : parseDuration(every)) ?? defaults.everyMs,
    ...(channel !== undefined && { channel }),
    databases: (databases ?? []).map(({ name, prefix, buckets }) => ({
      name: name.toLowerCase(),
      prefix: prefix ?? '',
      buckets: buckets ?? [],
    })),
    folders: (folders ?? []).map((text) => sound(resolveFolder(text, folder))),
    thresholds: { ...defaults.thresholds, ...thresholds(own, defaults.thresholds) },
    tables: Object.entries(tables ?? {}).map(([pattern, settings]) => ({
      pattern,
      thresholds: thresholds(settings, { ...defaults.thresholds, ...thresholds(own, defaults.thresholds) }),
    })),
  };
}

/** The thresholds of one table: the general ones, then those of each pattern that its name fits, with its namespace or without, a later one winning. */
export function thresholdsOf({ thresholds: general, tables }: MonitorConfig, table: string): MonitorThresholds {
  const own = tables
    .filter(({ pattern }) => fits(pattern, table) || fits(pattern, table.slice(table.lastIndexOf('.') + 1)))
    .map(({ thresholds: settings }) => settings);
  return Object.assign({}, general, ...own);
}

function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}

function thresholds(yaml: MonitorThresholdsYaml, before: MonitorThresholds): Partial<MonitorThresholds> {
  const { partitions, freshness, row_change: rowChange, file_size: size, key, key_rows: keyRows } = yaml;
  const freshnessMs = freshness === undefined ? undefined : parseDuration(freshness);
  return {
    ...(partitions !== undefined && { partitions: partitionBounds(partitions) }),
    ...(freshnessMs !== undefined && { freshnessMs }),
    ...(rowChange !== undefined && { rowChange }),
    ...(size !== undefined && {
      fileSize: {
        min: bytes(size.min, before.fileSize.min),
        max: bytes(size.max, before.fileSize.max),
        smallFiles: size.small_files ?? before.fileSize.smallFiles,
      },
    }),
    ...(key !== undefined && { key: [key].flat() }),
    ...(keyRows !== undefined && { keyRows }),
    ...(yaml.snapshot_key !== undefined && { snapshotKey: yaml.snapshot_key }),
  };
}

function partitionBounds(partitions: NonNullable<MonitorThresholdsYaml['partitions']>): { min?: number; max?: number } {
  if (typeof partitions === 'number') return { min: partitions, max: partitions };
  const { min, max } = partitions;
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

function bytes(text: string | undefined, otherwise: number): number {
  return (text === undefined ? undefined : parseByteSize(text)) ?? otherwise;
}
