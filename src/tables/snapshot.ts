import { LakegateError } from '../errors.ts';
import type { ObjectInfo, ObjectStore } from '../storage/store.ts';

export interface SnapshotOptions {
  /** `YYYY-MM-DD`; the latest where it is absent or `_NONE_`. */
  snapshot?: string;
  /** Name of an object in a snapshot's folder that says it is complete, such as `_SUCCESS`. */
  marker?: string;
}

export interface Snapshot {
  /** `YYYY-MM-DD`. */
  date: string;
  /** Its folder, ending in `/`. */
  folder: string;
  /** In the order of their names; hidden ones (`_…`, `.…`) are none. */
  files: ObjectInfo[];
  /** Newer ones that lack the marker. */
  incomplete: string[];
}

/** What jobs hand over in place of a date to have the latest found. */
const NONE = '_NONE_';
const FOLDER = /^snapshot_dt=(\d{4}-\d{2}-\d{2})\//;
/** Names that a message tells where no snapshot was found. */
const SHOWN = 3;

/**
 * Finds a snapshot directly under a folder: the one asked for, else the latest by its name; of those with the marker, where one is configured.
 * @param source URL ending in `/`
 * @throws LakegateError `invalid` for a date that is none, `not_found` naming the folder
 */
export async function findSnapshot(store: ObjectStore, source: string, options: SnapshotOptions): Promise<Snapshot> {
  const wanted = options.snapshot === undefined || options.snapshot === NONE ? undefined : options.snapshot;
  if (wanted !== undefined && !isDate(wanted)) {
    throw new LakegateError(
      'invalid',
      `expected a snapshot such as 2026-01-31 or ${NONE}, found ${JSON.stringify(wanted)}`,
    );
  }
  const { found, others } = await snapshotsUnder(
    store,
    wanted === undefined ? source : `${source}snapshot_dt=${wanted}/`,
    source,
  );
  const dates = [...found.keys()].sort().reverse();
  const complete = dates.filter((date) => options.marker === undefined || found.get(date)!.names.has(options.marker));
  const [date] = complete;
  if (date === undefined) throw missing(source, { wanted, dates, others }, options.marker);
  const folder = `${source}snapshot_dt=${date}/`;
  const { files } = found.get(date)!;
  if (files.length === 0) {
    throw new LakegateError('not_found', `the snapshot ${folder} has no files: expected Parquet files in it`, {
      context: { folder },
    });
  }
  return { date, folder, files, incomplete: dates.slice(0, dates.indexOf(date)) };
}

interface Listed {
  files: ObjectInfo[];
  /** Names directly in the folder. */
  names: Set<string>;
}

/** @returns snapshots by their dates, and the first names of what else there is */
async function snapshotsUnder(
  store: ObjectStore,
  prefix: string,
  source: string,
): Promise<{ found: Map<string, Listed>; others: Set<string> }> {
  const found = new Map<string, Listed>();
  const others = new Set<string>();
  for await (const object of store.list(prefix)) {
    const path = object.url.slice(source.length);
    const date = FOLDER.exec(path)?.[1];
    if (date === undefined || !isDate(date)) {
      if (others.size < SHOWN) others.add(/^[^/]*\/?/.exec(path)![0]);
      continue;
    }
    const listed = found.get(date) ?? { files: [], names: new Set() };
    found.set(date, listed);
    const inside = path.slice(path.indexOf('/') + 1);
    listed.names.add(inside);
    if (!inside.split('/').some((part) => /^[._]/.test(part))) listed.files.push(object);
  }
  for (const { files } of found.values()) files.sort((a, b) => (a.url < b.url ? -1 : 1));
  return { found, others };
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function missing(
  source: string,
  { wanted, dates, others }: { wanted: string | undefined; dates: readonly string[]; others: ReadonlySet<string> },
  marker: string | undefined,
): LakegateError {
  const what = wanted === undefined ? 'snapshot_dt=YYYY-MM-DD/ folder' : `snapshot_dt=${wanted}/ folder`;
  const message =
    dates.length === 0
      ? `there is no ${what} directly under ${source}${others.size === 0 ? '' : `, but ${[...others].join(', ')}`}`
      : `no snapshot under ${source} is complete: ${dates.slice(0, 3).join(', ')} lack ${marker}. Wait for its writer, or leave the marker out.`;
  return new LakegateError('not_found', message, { context: { source } });
}
