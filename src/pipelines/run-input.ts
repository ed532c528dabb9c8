import type { PipelineSource } from '../config/pipelines-model.ts';

/** What an execution is to work on; nothing named is everything, and the latest. */
export interface RunWish {
  /** `YYYY-MM-DD`. */
  snapshot?: string;
  /** As they were written. */
  tables: string[];
  sources?: string[];
  force: boolean;
  /** Who chose the snapshot: its marker arrived, or a person named it. Absent: it is the latest. */
  chosenBy?: 'marker' | 'person';
}

const NONE = '_NONE_';
/** Older names of arguments, by which people know them. */
const KEYS = { snapshot: 'SNAPSHOT_DT', tables: 'TABLES_FILTER', sources: undefined, force: undefined } as const;

/**
 * What an execution was started with: `{ snapshot, tables, sources, force }`, all of it optional; an event of a schedule; or one of S3 about a
 * snapshot's marker, which means that snapshot of that source.
 * @param report hears of each fault
 */
export function runWish(input: unknown, sources: readonly PipelineSource[], report: (fault: string) => void): RunWish {
  const nothing: RunWish = { tables: [], force: false };
  if (input === undefined || input === null) return nothing;
  if (!isObject(input)) {
    report(`the input: expected an object, found ${shown(input)}`);
    return nothing;
  }
  if (typeof input['detail-type'] === 'string') return { ...nothing, ...markerWish(input, sources, report) };
  const known: readonly string[] = Object.entries(KEYS).flatMap(([key, older]) => [key, ...(older ? [older] : [])]);
  for (const key of Object.keys(input)) {
    if (!known.includes(key)) report(`${key}: there is no such input. There are ${known.join(', ')}`);
  }
  for (const [key, older] of Object.entries(KEYS)) {
    if (older !== undefined && isGiven(input[key]) && isGiven(input[older])) {
      report(`${key} and its older name ${older}: expected one of them`);
    }
  }
  const snapshot = snapshotIn(input.snapshot ?? input.SNAPSHOT_DT, report);
  const tables = namesIn('tables', input.tables ?? input.TABLES_FILTER, report);
  const wanted = namesIn('sources', input.sources, report);
  const { force = false } = input;
  if (typeof force !== 'boolean') report(`force: expected true or false, found ${shown(force)}`);
  return {
    ...(snapshot !== undefined && { snapshot, chosenBy: 'person' as const }),
    tables: tables ?? [],
    ...(wanted !== undefined && { sources: wanted }),
    force: force === true,
  };
}

/** EventBridge says in `detail-type` what it is about. */
function markerWish(
  { 'detail-type': type, detail }: Record<string, unknown>,
  sources: readonly PipelineSource[],
  report: (fault: string) => void,
): Partial<RunWish> {
  if (type === 'Scheduled Event') return {};
  const { bucket, object } = isObject(detail) ? detail : {};
  const [inBucket, key] = [isObject(bucket) ? bucket.name : undefined, isObject(object) ? object.key : undefined];
  const url = `s3://${String(inBucket)}/${String(key)}`;
  for (const { name: source, path, marker } of sources) {
    if (marker === undefined || !url.startsWith(path)) continue;
    const [, snapshot, name] = /^snapshot_dt=(\d{4}-\d{2}-\d{2})\/(.+)$/.exec(url.slice(path.length)) ?? [];
    if (snapshot === undefined || name === undefined) continue;
    if (name === marker) return { snapshot, chosenBy: 'marker', sources: [source] };
    // Writers of parts put one into each part's folder: a rule for markers hears of it, and nothing is to be done.
    if (name.endsWith(`/${marker}`)) return { sources: [] };
  }
  report(`the event ${shown(type)}: expected one about the marker of a source's snapshot, found ${url}`);
  return {};
}

function snapshotIn(value: unknown, report: (fault: string) => void): string | undefined {
  if (!isGiven(value) || value === NONE) return undefined;
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)) return value;
  report(`snapshot: expected YYYY-MM-DD or ${NONE}, found ${shown(value)}`);
  return undefined;
}

/** A list of names, or a text of them by commas; undefined where nothing is given. */
function namesIn(key: string, value: unknown, report: (fault: string) => void): string[] | undefined {
  if (!isGiven(value) || value === NONE) return undefined;
  const names = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
    report(`${key}: expected a list of names, found ${shown(value)}`);
    return undefined;
  }
  const found = (names as string[]).map((name) => name.trim()).filter((name) => name !== '');
  if (names.length > 0 && found.length === 0) report(`${key}: expected a name at least, found ${shown(value)}`);
  return found.length === 0 ? undefined : [...new Set(found)];
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 200);
}
