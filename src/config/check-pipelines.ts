import { checkRules, type Partially } from './check-rules.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseDuration } from './duration.ts';
import { shown, type YamlPath } from './fault.ts';
import { resolveFolder } from './location.ts';
import { isWhole } from './pipelines.ts';
import { normalizePrefix } from './prefix.ts';
import type { LakeYaml } from './schema.ts';
import { found, type PathFault } from './shape-faults.ts';

type PipelinesYaml = Partially<NonNullable<LakeYaml['pipelines']>>;

/** Glue runs a job for as long as a week. @see https://docs.aws.amazon.com/glue/latest/dg/add-job.html */
const LONGEST_JOB_MS = 7 * 86_400_000;
const MINUTE_MS = 60_000;

/** Faults of `pipelines:` that its shape cannot say. @param lake all of lake.yaml: drops of tables must lie apart from snapshots */
export function checkPipelines(lake: Partially<LakeYaml>): PathFault[] {
  const { pipelines } = lake;
  if (pipelines === undefined) return [];
  const faults: PathFault[] = [];
  const report = (path: YamlPath, message: string, part: 'key' | 'value' = 'value') =>
    faults.push({ path: ['pipelines', ...path], part, message });
  const sources = Object.entries(pipelines.sources ?? {});
  if (pipelines.sources !== undefined && sources.length === 0) report(['sources'], 'expected a source at least', 'key');
  for (const [name, source] of sources) {
    const path: YamlPath = ['sources', name];
    checkPlace([...path, 'path'], source?.path, lake, report);
    const map = source?.map === undefined ? undefined : resolveFolder(source.map, '/');
    if (map !== undefined && 'fault' in map)
      report([...path, 'map'], `${map.fault.replace('a folder', 'a file')}, ${found(source?.map)}`);
    if (source?.map !== undefined && source.table !== undefined) {
      report([...path, 'table'], 'expected `map` or `table`: a map names the tables itself');
    }
    faults.push(...checkAudit(source?.audit, [...path, 'audit', 'rules'], lake));
    const drops = source?.path === undefined || isWhole(source.path) ? undefined : clash(lake, source.path);
    if (drops !== undefined) {
      report(
        [...path, 'path'],
        `expected a folder apart from the drops of ${drops}, ${found(source?.path)}: snapshots there would be taken for drops`,
      );
    }
  }
  const known = sources.map(([name]) => name);
  for (const kind of ['bucketed', 'partitioned'] as const) checkPipeline(kind, lake, known, report, faults);
  if (pipelines.bucketed === undefined && pipelines.partitioned === undefined) {
    report([], 'expected `bucketed`, `partitioned` or both', 'key');
  }
  const targets = [pipelines.bucketed?.target, pipelines.partitioned?.target].map((text) => text && placeName(text));
  if (targets[0] !== undefined && targets[0] === targets[1]) {
    const target = pipelines.partitioned?.target;
    report(
      ['partitioned', 'target'],
      `expected another folder than that of \`bucketed\`, ${found(target)}: a table's files and its folders of snapshots cannot lie in one place`,
    );
  }
  const timeout = pipelines.glue?.timeout;
  const ms = timeout === undefined ? undefined : parseDuration(timeout);
  if (ms !== undefined && (ms % MINUTE_MS !== 0 || ms > LONGEST_JOB_MS)) {
    report(['glue', 'timeout'], `expected whole minutes, at most 7d, ${found(timeout)}`);
  }
  if (pipelines.start?.on_marker === true && !sources.some(([, source]) => source?.marker !== undefined)) {
    report(['start', 'on_marker'], 'expected a source with a `marker`: nothing else says that a snapshot is complete');
  }
  return faults;
}

/** A place as it is told from others. */
function placeName(text: string): string {
  const resolved = isWhole(text) ? resolveFolder(text, '/') : normalizePrefix(text);
  if ('url' in resolved) return resolved.url;
  return 'prefix' in resolved ? resolved.prefix : text;
}

type Report = (path: YamlPath, message: string, part?: 'key' | 'value') => void;

function checkPipeline(
  kind: 'bucketed' | 'partitioned',
  lake: Partially<LakeYaml>,
  known: readonly string[],
  report: Report,
  faults: PathFault[],
): void {
  const pipelines: PipelinesYaml = lake.pipelines ?? {};
  const pipeline = pipelines[kind];
  if (pipeline === undefined) return;
  for (const [index, name] of (pipeline.reports ?? []).entries()) {
    if (name === undefined || lake.reports?.[name] !== undefined) continue;
    report(
      [kind, 'reports', index],
      `expected a report that this lake makes, ${found(name)}. Add \`reports: ${name}:\``,
    );
  }
  for (const [index, name] of (pipeline.sources ?? []).entries()) {
    if (name === undefined || known.includes(name)) continue;
    const near = didYouMean(name, known) || ` There are ${known.map(shown).join(', ')}`;
    report([kind, 'sources', index], `expected a source under \`pipelines.sources\`, ${found(name)}.${near}`);
  }
  checkPlace([kind, 'target'], pipeline.target, lake, report);
  faults.push(...checkAudit(pipeline.audit, [kind, 'audit', 'rules'], lake));
  const { bucketed } = pipelines;
  if (kind === 'bucketed' && bucketed?.engine === 'copy' && bucketed.bucketing !== 'ctas') {
    report(
      ['bucketed', 'engine'],
      'expected `spark`, or `bucketing: ctas` too: the copy engine moves no rows into buckets',
    );
  }
}

type AuditYaml = NonNullable<PipelinesYaml['partitioned']>['audit'];

function checkAudit(audit: AuditYaml, within: YamlPath, { stages }: Partially<LakeYaml>): PathFault[] {
  if (typeof audit !== 'object' || audit.rules === undefined) return [];
  const path = ['pipelines', ...within];
  const faults = checkRules(audit.rules, path);
  for (const [index, rule] of audit.rules.entries()) {
    if (rule?.sql === undefined || stages === undefined) continue;
    const message = 'expected another rule: a stage runs no `sql` over the files of a snapshot';
    faults.push({ path: [...path, index, 'sql'], part: 'key', message });
  }
  return faults;
}

function checkPlace(path: YamlPath, text: string | undefined, { stages }: Partially<LakeYaml>, report: Report): void {
  if (text === undefined) return;
  const resolved = isWhole(text) ? resolveFolder(text, '/') : normalizePrefix(text);
  if ('fault' in resolved) report(path, `${resolved.fault}, ${found(text)}`);
  else if (/[\\*?]|\$\{/.test(text)) {
    // Rights and rules on S3's events name the folder, and would take these for patterns.
    report(path, `expected a folder without wildcards, ${found(text)}`);
  } else if ('url' in resolved && !resolved.url.startsWith('s3://') && stages !== undefined) {
    report(
      path,
      `expected an s3:// URL, or a folder in the stage's own bucket: stages do not reach this machine, ${found(text)}`,
    );
  }
}

/** The table whose drops and a source's snapshots would lie in each other. */
function clash(lake: Partially<LakeYaml>, path: string): string | undefined {
  if (lake.auto_tables !== undefined) return 'auto_tables';
  const own = normalizePrefix(path);
  if ('fault' in own) return undefined;
  return Object.entries(lake.tables ?? {}).find(([, table]) => {
    const drops = table?.from === undefined ? undefined : normalizePrefix(table.from);
    return (
      drops !== undefined &&
      'prefix' in drops &&
      (own.prefix.startsWith(drops.prefix) || drops.prefix.startsWith(own.prefix))
    );
  })?.[0];
}
