import { isKind, LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { KnownSources } from './known-sources.ts';
import { matchSplitMap } from './match-map.ts';
import type { Finding, Layout, MapEntry, SourceFile, SplitPlan, SplitTable } from './model.ts';
import { planSplit } from './plan.ts';
import { findSnapshot, type Snapshot } from './snapshot.ts';
import { inspectSources, type Refusal, sealedFile } from './sources.ts';
import { parseSplitMap } from './split-map.ts';

export interface SplitRequest {
  /** Folder of the snapshots, URL ending in `/`. */
  source: string;
  /** Folder of the tables, URL ending in `/`. */
  target: string;
  /** Text of the split map, and how messages call it. Absent: all columns go to the one table `table`. */
  map?: { text: string; name: string };
  /** That one table; `addressable_ids` where it is absent. */
  table?: string;
  /** Default: `partitioned`. */
  layout?: Layout;
  snapshot?: string;
  marker?: string;
  key: string;
  aliases: Readonly<Record<string, string>>;
  /** These tables alone; all when empty. */
  only: readonly string[];
  /** Whether any finding stops the run, not only those that nothing can be run with. */
  strict: boolean;
  targetBytes: number;
}

/** Columns of a table in a Clean Room, partition keys counted (AWS Clean Rooms quotas). */
const MAX_COLUMNS = 100;
const SNAPSHOT_KEY = 'snapshot_dt';
const SINGLE_TABLE = 'addressable_ids';
/** What one turn of a machine should read: minutes, not the quarter of an hour that a Lambda has. */
const PART_BYTES = 2 * 1024 ** 3;

/** Tables written side by side on S3: each holds parts of 8 MiB until they are sent. On disk a table holds nothing. */
const TABLES_AT_ONCE = { s3: 8, file: 64 } as const;

/** What a snapshot is held against; without a target where nothing is to be written. */
export type SourceRequest = Omit<SplitRequest, 'target' | 'targetBytes'> & { target?: string };

/** A snapshot and the tables that are to be made of it, whoever makes them. */
export interface MatchedSource {
  snapshot: Snapshot;
  findings: Finding[];
  tables: SplitTable[];
  /** Those that can be copied from, and those that cannot, with the reason. */
  files: SourceFile[];
  refused: Refusal[];
}

/**
 * Finds the snapshot, reads its files' footers and holds the split map against them; nothing is written.
 * @param sources keeps what was read of the files
 * @throws LakegateError `config` with all findings where the map and the source do not go together, and what the steps throw
 */
export async function matchSource(
  store: ObjectStore,
  request: SourceRequest,
  sources?: KnownSources,
): Promise<MatchedSource> {
  checkApart(request);
  const { map, layout = 'partitioned' } = request;
  const mapped = map === undefined ? undefined : parseSplitMap(map.text, map.name);
  const snapshot = await findSnapshot(store, request.source, request);
  const { files, refused } = await inspectSources(store, snapshot.files, sources);
  const columns = [...new Set(files.flatMap((file) => file.columns.map(({ name }) => name)))];
  if (files.length === 0) {
    throw nothingCopyable(snapshot, refused);
  }
  // Some writers put the folder's date into the files too; in the one table it is the folder's.
  const known = mapped === undefined ? columns.filter((name) => name.toLowerCase() !== SNAPSHOT_KEY) : columns;
  const { tables, findings } = matchSplitMap(mapped ?? single(known, request.table), known, {
    ...request,
    only: mapped === undefined ? [] : request.only,
    maxColumns: MAX_COLUMNS,
    partitionKeys: layout === 'partitioned' ? [SNAPSHOT_KEY] : [],
  });
  const stopping = findings.filter(({ fatal }) => fatal || request.strict);
  if (stopping.length > 0) throw unfit(request, snapshot, findings);
  return { snapshot, findings, tables, files, refused };
}

/**
 * Whether `matchSource` failed because it can read none of a snapshot's files: another engine may.
 * @returns the snapshot's date, `YYYY-MM-DD`
 */
export function uncopyableSnapshot(error: unknown): string | undefined {
  const found = isKind(error, 'unsupported') ? error.context.uncopyable : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** Whether `matchSource` failed for the sake of a file that is encrypted: no other engine reads it either. */
export function sealedSnapshot(error: unknown): boolean {
  return isKind(error, 'unsupported') && error.context.sealed !== undefined;
}

/**
 * Plans the copy of a snapshot; nothing is written.
 * @param sources keeps what was read of the files, for `runSplit`
 * @throws LakegateError as `matchSource`
 */
export async function prepareSplit(
  store: ObjectStore,
  request: SplitRequest,
  sources?: KnownSources,
): Promise<{ snapshot: Snapshot; findings: Finding[]; refused: Refusal[]; plan: SplitPlan }> {
  const { snapshot, findings, tables, files, refused } = await matchSource(store, request, sources);
  const plan = planSplit(files, refused, tables, {
    snapshot: snapshot.date,
    target: request.target,
    layout: request.layout ?? 'partitioned',
    targetBytes: request.targetBytes,
    partBytes: PART_BYTES,
    tablesAtOnce: request.target.startsWith('s3') ? TABLES_AT_ONCE.s3 : TABLES_AT_ONCE.file,
  });
  return { snapshot, findings, refused, plan };
}

/** A map of all columns to one table. */
function single(columns: readonly string[], table = SINGLE_TABLE): MapEntry[] {
  return columns.map((column, index) => ({ table, column, description: '', line: index + 1 }));
}

/** What is written under the source would be taken for a part of it, and a table of a source's name would replace it. */
function checkApart({ source, target }: SourceRequest): void {
  if (target === undefined || (!source.startsWith(target) && !target.startsWith(source))) return;
  throw new LakegateError('config', `expected the tables apart from their source, found ${target} and ${source}`);
}

const SHOWN = 200;

function nothingCopyable({ date, folder }: Snapshot, refused: readonly Refusal[]): LakegateError {
  const lines = refused.slice(0, SHOWN).map(({ url, reason }) => `\n  ${url}: ${reason}`);
  const more = refused.length > SHOWN ? `\n  and ${refused.length - SHOWN} more` : '';
  const sealed = sealedFile(refused);
  const next = sealed?.next ?? 'Spark may read them: take --engine spark, or `engine: spark` in a pipeline.';
  return new LakegateError('unsupported', `no file of ${folder} can be copied from:${lines.join('')}${more}\n${next}`, {
    context: { folder, uncopyable: date, ...(sealed !== undefined && { sealed: sealed.url }) },
  });
}

function unfit({ map, strict }: SourceRequest, { folder }: Snapshot, findings: readonly Finding[]): LakegateError {
  const lines = findings.slice(0, SHOWN).map(({ message }) => `\n  ${message}`);
  const more = findings.length > SHOWN ? `\n  and ${findings.length - SHOWN} more` : '';
  const way = strict && !findings.some(({ fatal }) => fatal) ? '; without --strict it would run all the same' : '';
  return new LakegateError(
    'config',
    `${map === undefined ? 'the one table' : `the split map ${map.name}`} and ${folder} do not go together${way}:${lines.join('')}${more}`,
    { context: { findings: findings.length } },
  );
}
