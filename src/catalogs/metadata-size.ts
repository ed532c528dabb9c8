import { isKind, LakegateError } from '../errors.ts';
import { asUpdates, planExpiry } from '../iceberg/expire.ts';
import { serializeMetadata } from '../iceberg/metadata.ts';
import type { TableMetadata } from '../iceberg/model.ts';
import { applyUpdates } from '../iceberg/updates.ts';

/** How large a catalogue lets a table's metadata file become. Bytes, uncompressed: the file that a reader has to hold. */
export interface MetadataLimits {
  /** From here on each commit expires what the table's retention lets go, and tells of it. */
  warnBytes: number;
  /** From here on snapshots go that are younger than the table's retention asks, because the next commits would be refused. */
  urgentBytes: number;
  /** The catalogue takes no more. */
  maxBytes: number;
}

/** A table's metadata has become large: somebody should look at its retention. */
export interface MetadataSizeReport {
  /** `namespace.table`. */
  table: string;
  /** Of the file as committed. */
  bytes: number;
  limits: MetadataLimits;
  /** What this commit expired to make room. */
  expiredSnapshots: number;
  expiredRefs: string[];
  /** Age down to which snapshots had to go although the table's retention keeps them longer; undefined: its retention was kept. Milliseconds. */
  shortenedToMs?: number;
}

export interface FittedMetadata {
  metadata: TableMetadata;
  /** The metadata file, not yet compressed. */
  bytes: Uint8Array;
  /** Only where the warning threshold was passed. */
  report?: MetadataSizeReport;
}

const HOUR_MS = 3_600_000;
/** Ages tried in turn, longest first: no younger snapshot ever goes for want of room. */
const SHORTENED_AGES_MS = [72, 24, 12, 6, 3, 1].map((hours) => hours * HOUR_MS);

/**
 * Makes room in metadata that is about to be committed: expiry is part of the same commit, so it costs no request and cannot come too late.
 * Files of expired snapshots stay for the sweep, which finds them unreferenced.
 * @param nowMs milliseconds since the epoch, UTC
 * @throws LakegateError `invalid` when the metadata is over the limit whatever expires
 */
export function fitMetadata(
  table: string,
  metadata: TableMetadata,
  nowMs: number,
  limits: MetadataLimits,
): FittedMetadata {
  const bytes = serializeMetadata(metadata);
  if (bytes.length <= limits.warnBytes) return { metadata, bytes };
  let fitted = expired(metadata, nowMs, undefined);
  let shortenedToMs: number | undefined;
  for (const age of SHORTENED_AGES_MS) {
    if (fitted.bytes.length <= limits.urgentBytes) break;
    const shorter = expired(metadata, nowMs, age);
    if (shorter.bytes.length < fitted.bytes.length) {
      fitted = shorter;
      shortenedToMs = age;
    }
  }
  if (fitted.bytes.length > limits.maxBytes) throw tooLarge(table, fitted, limits);
  const refs = Object.keys(metadata.refs).filter((ref) => !Object.hasOwn(fitted.metadata.refs, ref));
  return {
    ...fitted,
    report: {
      table,
      bytes: fitted.bytes.length,
      limits,
      expiredSnapshots: metadata.snapshots.length - fitted.metadata.snapshots.length,
      expiredRefs: refs,
      ...(shortenedToMs === undefined ? {} : { shortenedToMs }),
    },
  };
}

function expired(metadata: TableMetadata, nowMs: number, maxSnapshotAgeMs: number | undefined): FittedMetadata {
  try {
    const plan = planExpiry(metadata, nowMs, maxSnapshotAgeMs === undefined ? {} : { maxSnapshotAgeMs });
    const smaller = applyUpdates(metadata, asUpdates(plan), metadata.lastUpdatedMs);
    return { metadata: smaller, bytes: serializeMetadata(smaller) };
  } catch (error) {
    // gc.enabled=false, or a retention property that is no number: a person's to mend. The commit goes on as long as there is room.
    if (!isKind(error, 'invalid')) throw error;
    return { metadata, bytes: serializeMetadata(metadata) };
  }
}

function tooLarge(table: string, { metadata, bytes }: FittedMetadata, limits: MetadataLimits): LakegateError {
  const { snapshots, refs, schemas } = metadata;
  return new LakegateError(
    'invalid',
    `Cannot commit to ${table}: its metadata would have ${megabytes(bytes.length)}, and the catalogue takes at most ${megabytes(limits.maxBytes)}. Expiring what may expire was not enough: ${snapshots.length} snapshots, ${Object.keys(refs).length} branches and tags and ${schemas.length} schemas are left. Drop branches and tags that nobody needs, see that gc.enabled is not false and that history.expire.min-snapshots-to-keep is small, then run \`lakegate table expire ${table} --older-than 1h\`.`,
    { context: { table, bytes: bytes.length, maxBytes: limits.maxBytes } },
  );
}

/** `12.3 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** A report in words: how large, what was done, what a person may do. */
export function describeMetadataSize(report: MetadataSizeReport): string {
  const { table, bytes, limits, expiredSnapshots, expiredRefs, shortenedToMs } = report;
  const gone =
    expiredSnapshots + expiredRefs.length === 0
      ? 'nothing of it may expire'
      : `${expiredSnapshots} snapshots and ${expiredRefs.length} branches and tags were expired to make room`;
  const shortened =
    shortenedToMs === undefined
      ? ''
      : `, also younger ones than its retention keeps (down to ${shortenedToMs / HOUR_MS} hours)`;
  return `the metadata of ${table} has ${megabytes(bytes)} of the ${megabytes(limits.maxBytes)} that its catalogue takes: ${gone}${shortened}. Shorten its retention (history.expire.max-snapshot-age-ms), or deliver in larger batches.`;
}
