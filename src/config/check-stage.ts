import { isBucketName } from './bucket-name.ts';
import type { Partially } from './check-rules.ts';
import { LAKE_NAME } from './defaults.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseDuration } from './duration.ts';
import { shown, type YamlPath } from './fault.ts';
import type { LakeYaml } from './schema.ts';
import { found, type PathFault } from './shape-faults.ts';
import { BUCKET_PURPOSES, bucketNameOf, GLUE, LONGEST_BATCH_WINDOW_MS, LONGEST_TIMEOUT_MS, NESSIE } from './stages.ts';

type StageYaml = NonNullable<LakeYaml['stages']>[string];

/** Faults of a stage that its shape cannot say: times that AWS does not take, bucket names that come out too long, unknown catalogues. */
export function checkStage(
  lake: Partially<LakeYaml>,
  name: string,
  stage: Partially<StageYaml>,
  path: YamlPath,
): PathFault[] {
  const faults: PathFault[] = [];
  const report = (at: YamlPath, message: string) => faults.push({ path: [...path, ...at], part: 'value', message });
  const atMost = (key: 'timeout' | 'batch_window', longest: number, words: string) => {
    const value = stage.gate?.[key];
    const ms = value === undefined ? undefined : parseDuration(value);
    if (ms !== undefined && ms > longest) report(['gate', key], `expected at most ${words}, ${found(value)}`);
  };
  atMost('timeout', LONGEST_TIMEOUT_MS, '15m, which is as long as a Lambda function may run');
  atMost('batch_window', LONGEST_BATCH_WINDOW_MS, '5m, which is as long as a Lambda event source waits');

  const catalogs = Object.entries(lake.catalogs ?? {}).flatMap(([key, catalog]) =>
    catalog?.type === 'sql' || catalog === undefined ? [] : [key],
  );
  const known = [...new Set([...catalogs, GLUE, ...(stage.nessie === undefined ? [] : [NESSIE])])];
  if (stage.catalog !== undefined && !known.includes(stage.catalog)) {
    const sqlite = lake.catalogs?.[stage.catalog]?.type === 'sql' ? ' (SQLite is for one machine)' : '';
    report(
      ['catalog'],
      `expected a catalogue that can be reached from AWS${sqlite}, ${found(stage.catalog)}.${didYouMean(stage.catalog, known) || ` There are ${known.map(shown).join(', ')}`}`,
    );
  }
  const { account, region } = stage;
  const names = new Map<string, string>();
  for (const purpose of BUCKET_PURPOSES) {
    const own = stage.buckets?.[purpose];
    if (own?.existing === true && own.name === undefined) {
      report(['buckets', purpose], 'expected `name` too: which bucket is there already?');
    }
    if (account === undefined || region === undefined) continue;
    const bucket = own?.name ?? bucketNameOf(lake.name ?? LAKE_NAME, name, purpose, { account, region });
    if (!isBucketName(bucket)) {
      report(
        [],
        `expected shorter names: the ${purpose} bucket would be ${bucket}, of ${bucket.length} characters; S3 takes 63. Or give it a name under \`buckets\``,
      );
    }
    const other = names.get(bucket);
    if (other !== undefined)
      report(['buckets', purpose, 'name'], `expected a bucket of its own, found that of ${other}`);
    names.set(bucket, purpose);
  }
  return faults;
}
