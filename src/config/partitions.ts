import { parseDuration } from './duration.ts';
import type { PartitionedTableConfig, PartitionsConfig } from './partitions-model.ts';
import type { LakeYaml } from './schema.ts';

type PartitionsYaml = NonNullable<LakeYaml['partitions']>;

/** Databases whose partitions are managed where lake.yaml names none. */
export const MANAGED_DATABASES = ['*_raw'];

const LOOKBACK = '3d';
const SCHEDULE = { incremental: '15m', full: '1d', reconcile: '7d' } as const;
const CONCURRENCY = 10;

/**
 * `partitions:` of a faultless lake.yaml, with every default filled in.
 * @param state URL of the folder of states and run records, ending in `/`
 */
export function partitionsConfig(yaml: PartitionsYaml, state: string): PartitionsConfig {
  const every = (run: keyof typeof SCHEDULE) => {
    const text = yaml.schedule?.[run] ?? SCHEDULE[run];
    return text === 'off' ? undefined : ms(text);
  };
  const [incrementalMs, fullMs, reconcileMs] = [every('incremental'), every('full'), every('reconcile')];
  return {
    databases: [yaml.databases ?? MANAGED_DATABASES].flat(),
    exclude: [yaml.exclude ?? []].flat(),
    lookbackMs: ms(yaml.lookback ?? LOOKBACK),
    remove: yaml.remove ?? false,
    updateSchema: yaml.update_schema ?? false,
    schedule: {
      ...(incrementalMs !== undefined && { incrementalMs }),
      ...(fullMs !== undefined && { fullMs }),
      ...(reconcileMs !== undefined && { reconcileMs }),
    },
    concurrency: yaml.concurrency ?? CONCURRENCY,
    buckets: yaml.buckets ?? [],
    tables: Object.entries(yaml.tables ?? {}).map(([pattern, table]) => tableConfig(pattern, table)),
    state,
  };
}

function tableConfig(
  pattern: string,
  { layout, lookback, remove, update_schema: updateSchema, skip }: NonNullable<PartitionsYaml['tables']>[string],
): PartitionedTableConfig {
  return {
    pattern,
    ...(layout !== undefined && { layout }),
    ...(lookback !== undefined && { lookbackMs: ms(lookback) }),
    ...(remove !== undefined && { remove }),
    ...(updateSchema !== undefined && { updateSchema }),
    ...(skip !== undefined && { skip }),
  };
}

function ms(duration: string): number {
  const parsed = parseDuration(duration);
  if (parsed === undefined) throw new TypeError(`${duration} is no duration`);
  return parsed;
}
