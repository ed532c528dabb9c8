import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import type { PipelinesConfig } from '../config/pipelines-model.ts';
import { LakegateError } from '../errors.ts';
import { auditShares } from './audit-share.ts';
import { checkCatalog, removeBuildings } from './check-catalog.ts';
import { type CheckedSource, checkSource, chosenTables, readMap } from './check-source.ts';
import type { RunSource } from './documents.ts';
import { lockUrl, otherHolder, pipelineBusy, releaseLock, takeLock } from './lock.ts';
import type { PipelineAnswers, PipelineRequest, RunPlan, SourceItem } from './model.ts';
import type { PipelinePorts } from './ports.ts';
import { lastTaken, type RunFiles, runFiles, runFolder } from './run-files.ts';
import { type RunWish, runWish } from './run-input.ts';
import { sparkArguments } from './spark-arguments.ts';
import { type NamedPipeline, pipelineOf, targetOf } from './work.ts';

/** Footers of wide files take memory while they are read. */
const SOURCES_AT_ONCE = 2;
/** Lines: a fault of a split map may have as many as the map. */
const SHOWN = 200;

/** What the same snapshot is split anew for, when it changes without a word in lake.yaml. */
const FORMAT = 1;

/** An execution waits so long for another one of its pipeline. */
const LONGEST_WAIT_MS = 12 * 3_600_000;

type Validate = Pick<Extract<PipelineRequest, { mode: 'validate' }>, 'pipeline' | 'input' | 'execution' | 'since'>;

/**
 * Looks at all that a run depends on before anything is paid for: its input, split maps, snapshots, the Glue database and its tables. Then takes
 * the pipeline's lock, and writes down what the run works on.
 * @param execution names the run: the same one gets the same run
 * @returns the plan; `busy` while another execution has the pipeline
 * @throws LakegateError `invalid` with every fault at once; `conflict` when it has waited too long; what is worth another try
 */
export async function validate(
  ports: PipelinePorts,
  config: PipelinesConfig,
  request: Validate,
): Promise<PipelineAnswers['validate']> {
  const { execution } = request;
  const pipeline = pipelineOf(config, request.pipeline);
  const lock = lockUrl(config.runs, pipeline.name);
  const other = await otherHolder(ports, lock, execution);
  if (other !== undefined) return inTurn(ports, request, other);
  const { wish, sources } = await checkAll(ports, config, pipeline, request.input);
  const run = runFiles(ports.store, runFolder(config.runs, pipeline.name, execution));
  const taken = await takeLock(ports, lock, execution, run.folder);
  if ('busy' in taken) return inTurn(ports, request, taken.busy);
  const { isNew } = taken;
  try {
    // An execution of the same name may have left its files.
    if (isNew) {
      await run.clear();
      if (ports.catalog !== undefined) await removeBuildings(ports.catalog, pipeline, sources);
    }
    return await writeRun(ports, config, { pipeline, run, wish, sources, execution });
  } catch (error) {
    // Best effort: who comes next finds that this execution runs no more.
    if (isNew) await releaseLock(ports, lock, run.folder).catch(() => undefined);
    throw error;
  }
}

function inTurn({ now }: PipelinePorts, { pipeline, since }: Validate, other: string): { busy: string } {
  if (since !== undefined && now() - Date.parse(since) > LONGEST_WAIT_MS) throw pipelineBusy(pipeline, other);
  return { busy: other };
}

async function checkAll(
  ports: PipelinePorts,
  config: PipelinesConfig,
  pipeline: NamedPipeline,
  input: unknown,
): Promise<{ wish: RunWish; sources: CheckedSource[] }> {
  const faults: string[] = [];
  const report = (fault: string) => void faults.push(fault);
  const wish = runWish(input, config.sources, report);
  const known = config.sources.filter(({ name }) => pipeline.sources.includes(name));
  for (const name of wish.sources ?? []) {
    // A marker starts both pipelines; one of them may not split its source.
    if (config.sources.some((source) => source.name === name)) continue;
    report(`sources: there is no source ${JSON.stringify(name)}. There are ${pipeline.sources.join(', ')}`);
  }
  const wanted = pipeline.sources.flatMap((name) => known.find((source) => source.name === name) ?? []);
  const own = wanted.filter(({ name }) => wish.sources?.includes(name) ?? true);
  const mapped = await eachOf(
    own,
    report,
    ({ name }) => name,
    (source) => readMap(ports.store, source),
  );
  const { sources: chosen, unknown } = chosenTables(mapped, wish.tables);
  if (own.length > 0 && mapped.length === own.length && unknown.length > 0) {
    const tables = mapped.flatMap((source) => source.tables).join(', ');
    for (const name of unknown) report(`tables: no split map has ${JSON.stringify(name)}. There are ${tables}`);
  }
  const only = wish.tables.length > 0;
  const { snapshot } = wish;
  const sources = await eachOf(
    chosen,
    report,
    ({ source }) => source.name,
    (each) => checkSource(ports.store, pipeline, each, { ...(snapshot !== undefined && { snapshot }), only }),
  );
  if (ports.catalog !== undefined) {
    const whole = !only && own.length === wanted.length && mapped.length === own.length;
    for (const fault of await checkCatalog(ports.catalog, pipeline, chosen, whole)) report(fault);
  }
  if (faults.length === 0) return { wish, sources };
  const lines = faults.flatMap((fault) => fault.split('\n'));
  const shown = lines.slice(0, SHOWN).map((line) => `\n  ${line}`);
  const more = lines.length > SHOWN ? `\n  and ${lines.length - SHOWN} lines more` : '';
  throw new LakegateError('invalid', `the pipeline ${pipeline.name} was not begun:${shown.join('')}${more}`, {
    context: { pipeline: pipeline.name, faults: faults.length },
  });
}

/** Does the same for each; a fault of one is told with the others'. What may pass by itself is thrown: nothing is known of that one then. */
async function eachOf<T, R>(
  all: readonly T[],
  report: (fault: string) => void,
  nameOf: (one: T) => string,
  work: (one: T) => Promise<R>,
): Promise<R[]> {
  const limit = pLimit(SOURCES_AT_ONCE);
  const done = await Promise.all(
    all.map((one) =>
      limit(async () => {
        try {
          return [await work(one)];
        } catch (error) {
          if (!(error instanceof LakegateError) || error.retryable) throw error;
          report(`${nameOf(one)}: ${error.message}`);
          return [];
        }
      }),
    ),
  );
  return done.flat();
}

interface Begun {
  pipeline: NamedPipeline;
  run: RunFiles;
  wish: RunWish;
  sources: readonly CheckedSource[];
  execution: string;
}

async function writeRun(ports: PipelinePorts, config: PipelinesConfig, begun: Begun): Promise<RunPlan> {
  const { pipeline, run, wish, sources, execution } = begun;
  const filtered = wish.tables.length > 0;
  const found: RunSource[] = [];
  const items: SourceItem[] = [];
  for (const checked of sources) {
    const { source, snapshot, map, tables, rows } = checked;
    const last = await lastTaken(ports.store, config.runs, pipeline.name, source.name);
    const fingerprint = fingerprintOf(config, pipeline, checked);
    // A marker that is written late, or a newest snapshot that was moved away, takes no tables back; a person may.
    const isMeant = wish.force || wish.chosenBy === 'person';
    const newer = !isMeant && last && last.snapshot > snapshot.date ? last.snapshot : undefined;
    const isSame = !wish.force && !filtered && last?.fingerprint === fingerprint;
    // Where each snapshot has its own partition, there is room for one that came late.
    const isBeside = newer !== undefined && wish.chosenBy === 'marker' && pipeline.name === 'partitioned';
    const skip = isSame || (newer !== undefined && !isBeside);
    const shares = skip ? 0 : auditShares(source, rows ?? 0);
    if (map !== undefined) await writeMap(ports, run.mapUrl(source.name), map.text);
    found.push({
      source: source.name,
      snapshot: snapshot.date,
      folder: snapshot.folder,
      skip,
      ...(newer !== undefined && { newer }),
      shares,
      rows: rows ?? null,
      lastRows: last?.rows ?? null,
      fingerprint,
      notes: checked.notes,
      files: snapshot.files.map(({ url, size, etag, version }) => ({
        url,
        size,
        etag,
        ...(version !== undefined && { version }),
      })),
      tables,
    });
    items.push({
      pipeline: pipeline.name,
      run: run.folder,
      source: source.name,
      snapshot: snapshot.date,
      engine: pipeline.engine,
      skip,
      shares: Array.from({ length: shares }, (_, share) => share),
      arguments:
        pipeline.engine === 'copy'
          ? null
          : sparkArguments({
              pipeline,
              source,
              snapshot: snapshot.date,
              target: targetOf(pipeline, source.name),
              ...(map !== undefined && { map: run.mapUrl(source.name) }),
              tables: filtered ? tables : [],
              targetBytes: config.targetBytes,
              result: run.splitUrl(source.name),
            }),
      tables: filtered ? tables : [],
    });
  }
  const at = new Date(ports.now()).toISOString();
  await run.writeRun({ pipeline: pipeline.name, execution, at, filtered, sources: found });
  return { pipeline: pipeline.name, run: run.folder, sources: items };
}

/** The run goes by the map as it is now, whatever becomes of it. */
async function writeMap({ store }: PipelinePorts, url: string, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  if ((await store.create(url, bytes)) !== undefined) return;
  const { etag } = await store.read(url);
  await store.replace(url, bytes, etag);
}

/** Equal for runs that would make the same tables: by the versions of the files, the map, and the settings that tables depend on. */
function fingerprintOf(
  config: PipelinesConfig,
  pipeline: NamedPipeline,
  { source, snapshot, map }: CheckedSource,
): string {
  const { name, path, table, key, aliases } = source;
  const { audit: _audit, reports: _reports, sources: _sources, ...settings } = pipeline;
  const made = [
    FORMAT,
    { name, path, table, key, aliases },
    map?.text ?? null,
    settings,
    config.targetBytes,
    snapshot.files.map(({ url, size, etag, version }) => [url, size, etag, version ?? '']),
  ];
  // How long old versions are kept makes no other tables.
  const text = JSON.stringify(made, (key, value: unknown) => (key === 'keepMs' ? undefined : value));
  return createHash('sha256').update(text).digest('hex');
}
