import { parseByteSize } from './byte-size.ts';
import { parseDuration } from './duration.ts';
import { resolveFolder, sound } from './location.ts';
import type {
  BucketedPipeline,
  PartitionedPipeline,
  PipelineBase,
  PipelineSource,
  PipelinesConfig,
} from './pipelines-model.ts';
import { ruleSpec } from './rule-spec.ts';
import type { LakeYaml } from './schema.ts';

type PipelinesYaml = NonNullable<LakeYaml['pipelines']>;
type SourceYaml = PipelinesYaml['sources'][string];
type BaseYaml = Pick<
  NonNullable<PipelinesYaml['bucketed']>,
  'sources' | 'target' | 'audit' | 'reports' | 'cut' | 'max_columns' | 'database'
>;

/** Where the places that lake.yaml gives start from. */
export interface PipelinePlaces {
  /** Absolute path of lake.yaml's folder: split maps lie beside it. */
  folder: string;
  /** URLs ending in `/`: snapshots lie under `raw`, tables under `tables` (or where `target` says, from `base` on), runs are remembered under `runs`. */
  raw: string;
  base: string;
  tables: string;
  runs: string;
}

export const KEY = 'customer_user_id';
const TARGET_BYTES = 512 * 2 ** 20;
const WEEK_MS = 7 * 86_400_000;
const MAX_ROW_CHANGE = 0.2;

/** `pipelines:` of a faultless lake.yaml, with every default filled in. */
export function pipelinesConfig(yaml: PipelinesYaml, places: PipelinePlaces): PipelinesConfig {
  const sources = Object.entries(yaml.sources).map(([name, source]) => sourceConfig(name, source, places));
  const keys = new Map(sources.map(({ name, key }) => [name, key]));
  const { bucketed, partitioned, glue, start } = yaml;
  return {
    sources,
    ...(bucketed && { bucketed: bucketedConfig(bucketed, keys, places) }),
    ...(partitioned && { partitioned: partitionedConfig(partitioned, keys, places) }),
    targetBytes: (yaml.file_size === undefined ? undefined : parseByteSize(yaml.file_size)) ?? TARGET_BYTES,
    concurrency: yaml.concurrency ?? 5,
    glue: {
      workerType: glue?.worker_type ?? 'G.4X',
      workers: glue?.workers ?? 8,
      timeoutMinutes: ms(glue?.timeout, 4 * 3_600_000) / 60_000,
    },
    start: { ...(start?.schedule !== undefined && { schedule: start.schedule }), onMarker: start?.on_marker ?? false },
    runs: places.runs,
  };
}

function sourceConfig(name: string, yaml: SourceYaml, { folder, raw }: PipelinePlaces): PipelineSource {
  const key = (yaml.key ?? KEY).toLowerCase();
  const { audit } = yaml;
  return {
    name,
    path: under(raw, yaml.path),
    ...(yaml.map !== undefined && { map: mapUrl(yaml.map, folder) }),
    table: yaml.table ?? name,
    key,
    aliases: Object.fromEntries(
      Object.entries(yaml.aliases ?? {}).map(([source, own]) => [source.toLowerCase(), own.toLowerCase()]),
    ),
    ...(yaml.marker !== undefined && { marker: yaml.marker }),
    strict: yaml.strict ?? false,
    ...(audit !== 'off' && {
      audit: {
        rules: audit?.rules?.map(ruleSpec) ?? [
          // The first snapshot has no earlier one's rows to be held against.
          { rule: 'row_count', min: 1 },
          { rule: 'not_null', columns: [key] },
          { rule: 'unique', columns: [key] },
        ],
        maxRowChange: audit?.max_row_change ?? MAX_ROW_CHANGE,
      },
    }),
  };
}

function baseConfig(
  pipeline: string,
  yaml: BaseYaml,
  keys: ReadonlyMap<string, string>,
  { base, tables }: PipelinePlaces,
): Omit<PipelineBase, 'engine' | 'tablePrefix'> {
  const sources = yaml.sources ?? [...keys.keys()];
  const key = [...new Set(sources.map((name) => keys.get(name)!))];
  return {
    sources,
    target: yaml.target === undefined ? `${tables}${pipeline}/` : under(base, yaml.target),
    database: yaml.database,
    maxColumns: yaml.max_columns ?? 100,
    tooWide: yaml.cut ? 'cut' : 'fail',
    ...(yaml.audit !== 'off' && {
      audit: {
        rules: yaml.audit?.rules?.map(ruleSpec) ?? (key.length === 1 ? [{ rule: 'not_null', columns: key }] : []),
      },
    }),
    reports: yaml.reports ?? [],
  };
}

function bucketedConfig(
  yaml: NonNullable<PipelinesYaml['bucketed']>,
  keys: ReadonlyMap<string, string>,
  places: PipelinePlaces,
): BucketedPipeline {
  const bucketing = yaml.bucketing ?? 'direct';
  return {
    ...baseConfig('bucketed', yaml, keys, places),
    engine: yaml.engine ?? (bucketing === 'direct' ? 'spark' : 'copy'),
    tablePrefix: yaml.table_prefix ?? 'bucketed_',
    bucketing,
    bucketCount: yaml.buckets ?? 256,
    stagedPrefix: yaml.staged_prefix ?? 'ext_',
    keepMs: ms(yaml.keep_versions, WEEK_MS),
  };
}

function partitionedConfig(
  yaml: NonNullable<PipelinesYaml['partitioned']>,
  keys: ReadonlyMap<string, string>,
  places: PipelinePlaces,
): PartitionedPipeline {
  const er = yaml.entity_resolution?.toLowerCase();
  return {
    ...baseConfig('partitioned', yaml, keys, places),
    engine: yaml.engine ?? 'copy',
    tablePrefix: yaml.table_prefix ?? 'part_',
    prepare: yaml.prepare ?? 'sync',
    ...(er !== undefined && {
      entityResolution: { source: er, table: `${er}_er`, keepMs: ms(yaml.keep_versions, WEEK_MS) },
    }),
  };
}

/** A folder as lake.yaml has it: a URL or absolute path, else under another. */
export function under(base: string, text: string): string {
  if (isWhole(text)) return sound(resolveFolder(text, '/'));
  return `${base}${text.replace(/^(\.\/)+/, '').replace(/\/*$/, '/')}`;
}

/** Whether a place says by itself where it is. */
export function isWhole(text: string): boolean {
  return text.startsWith('/') || /^[a-z][a-z0-9+.-]*:/i.test(text);
}

/** URL of a split map: beside lake.yaml, or where it says. */
export function mapUrl(text: string, folder: string): string {
  return sound(resolveFolder(text, folder)).replace(/\/$/, '');
}

function ms(duration: string | undefined, otherwise: number): number {
  return (duration === undefined ? undefined : parseDuration(duration)) ?? otherwise;
}
