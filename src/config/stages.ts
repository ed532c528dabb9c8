import { catalogConfig, secretSource } from './catalogs.ts';
import { parseDuration } from './duration.ts';
import type { BucketConfig, CatalogConfig, LakeConfig, StageConfig } from './model.ts';
import { pipelinesConfig } from './pipelines.ts';
import type { LakeYaml } from './schema.ts';

type StageYaml = NonNullable<LakeYaml['stages']>[string];

/** Name of the catalogue that every stage has: the account's own Glue Data Catalog. */
export const GLUE = 'glue';

/** Name of the catalogue that a stage has which brings Nessie with it. */
export const NESSIE = 'nessie';

export const BUCKET_PURPOSES = ['raw', 'lake', 'results'] as const;

export const LONGEST_TIMEOUT_MS = 15 * 60_000;
export const LONGEST_BATCH_WINDOW_MS = 5 * 60_000;

const SUPPRESS_MS = 60 * 60_000;

/** The name of a bucket that a stage creates; it can be told from lake.yaml alone, so that no command has to ask for it. */
export function bucketNameOf(
  lake: string,
  stage: string,
  purpose: (typeof BUCKET_PURPOSES)[number],
  { account, region }: { account: string; region: string },
): string {
  return `${lake}-${stage}-${purpose}-${account}-${region}`;
}

/**
 * A lake as it is on one of its stages: drops, tables and records in the stage's buckets, tables in a catalogue that AWS can reach, messages
 * with the token from Secrets Manager.
 * @param local the same lake on one machine
 * @param folder absolute path of lake.yaml's folder
 */
export function onStage(local: LakeConfig, lake: LakeYaml, name: string, folder: string): LakeConfig {
  const yaml = lake.stages![name]!;
  const stage = stageConfig(local.name, name, yaml);
  const warehouse = `s3://${stage.buckets.lake.name}/warehouse/`;
  const around = { folder, warehouse, region: stage.region };
  const catalogs: Record<string, CatalogConfig> = {
    [GLUE]: { type: 'glue', warehouse, region: stage.region },
    // Its address is known once it is deployed: NESSIE_ENDPOINT brings it.
    ...(stage.nessie && { [NESSIE]: { type: 'nessie', uri: '', branch: 'main', auth: { kind: 'none' } } }),
  };
  for (const [own, catalog] of Object.entries(lake.catalogs ?? {})) {
    if (catalog.type !== 'sql') catalogs[own] = catalogConfig(own, catalog, around);
  }
  const defaultCatalog = yaml.catalog ?? (stage.nessie ? NESSIE : GLUE);
  const onAws = <T extends { catalog?: string; channel?: string }>(table: T): T => {
    const { catalog, channel, ...rest } = table;
    const heard = yaml.channel ?? channel;
    return {
      ...rest,
      ...(catalog !== undefined && catalogs[catalog] !== undefined && { catalog }),
      ...(heard !== undefined && { channel: heard }),
    } as T;
  };
  const { slack: said, teams: teamsSaid, suppress_for: suppressFor } = lake.notify ?? {};
  const channel = yaml.channel ?? said?.channel;
  const tokenSecret = secretSource(undefined, said?.token_secret);
  const webhook = secretSource(teamsSaid?.webhook_env, teamsSaid?.webhook_secret);
  return {
    ...local,
    raw: `s3://${stage.buckets.raw.name}/`,
    warehouse,
    records: `s3://${stage.buckets.lake.name}/lakegate/deliveries/`,
    defaultCatalog,
    catalogs,
    tables: local.tables.map(onAws),
    ...(local.autoTables && { autoTables: onAws(local.autoTables) }),
    notify: {
      ...(channel !== undefined && {
        slack: {
          channel,
          tokenEnv: local.notify.slack?.tokenEnv ?? 'SLACK_TOKEN',
          ...(tokenSecret !== undefined && { tokenSecret }),
        },
      }),
      ...(webhook !== undefined && { teams: { webhook } }),
      suppressMs: suppressFor === 'off' ? 0 : (parseDuration(suppressFor ?? '') ?? SUPPRESS_MS),
    },
    ...(local.partitions && {
      partitions: { ...local.partitions, state: `s3://${stage.buckets.lake.name}/lakegate/partitions/` },
    }),
    ...(lake.pipelines && {
      pipelines: pipelinesConfig(lake.pipelines, {
        folder,
        raw: `s3://${stage.buckets.raw.name}/`,
        base: `s3://${stage.buckets.lake.name}/`,
        tables: `s3://${stage.buckets.lake.name}/tables/`,
        runs: `s3://${stage.buckets.lake.name}/lakegate/tables/`,
      }),
    }),
    stage,
  };
}

function stageConfig(lake: string, name: string, yaml: StageYaml): StageConfig {
  const { account, region, gate = {} } = yaml;
  const bucket = (purpose: (typeof BUCKET_PURPOSES)[number]): BucketConfig => ({
    name: yaml.buckets?.[purpose]?.name ?? bucketNameOf(lake, name, purpose, { account, region }),
    existing: yaml.buckets?.[purpose]?.existing ?? false,
  });
  return {
    name,
    account,
    region,
    buckets: { raw: bucket('raw'), lake: bucket('lake'), results: bucket('results') },
    gate: {
      memory: gate.memory ?? 1024,
      timeout: seconds(gate.timeout, 300),
      batchSize: gate.batch_size ?? 100,
      batchWindow: seconds(gate.batch_window, 5),
      concurrency: gate.concurrency ?? 10,
      attempts: gate.attempts ?? 5,
    },
    logDays: yaml.log_days ?? 30,
    ...(yaml.alarm_email !== undefined && { alarmEmail: yaml.alarm_email }),
    ...(yaml.nessie !== undefined && { nessie: yaml.nessie }),
    destroyData: yaml.destroy_data ?? false,
  };
}

function seconds(duration: string | undefined, otherwise: number): number {
  const ms = duration === undefined ? undefined : parseDuration(duration);
  return ms === undefined ? otherwise : ms / 1000;
}
