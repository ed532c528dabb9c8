import { carriedKeys, carryUnknown } from './carried-keys.ts';
import type { JsonObject } from './json-object.ts';
import {
  asObject,
  corrupt,
  idAt,
  integerAt,
  optionalIdAt,
  optionalIntegerAt,
  shown,
  stringAt,
  stringMapAt,
  unsupported,
} from './json-object.ts';
import { stringifyLossless } from './lossless-json.ts';
import type { Snapshot, SnapshotRef } from './model.ts';

const SNAPSHOT_KEYS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'sequence-number',
  'timestamp-ms',
  'manifest-list',
  'summary',
  'schema-id',
]);
const REF_KEYS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'type',
  'min-snapshots-to-keep',
  'max-snapshot-age-ms',
  'max-ref-age-ms',
]);

/**
 * Each snapshot's JSON text. A table's snapshots are nearly all the same from one commit to the next, so their text is joined, not
 * written again. They are frozen with it: a changed snapshot has to be another object.
 */
const texts = new WeakMap<Snapshot, string>();

/**
 * A snapshot from its JSON form (spec: "Snapshots").
 * @throws LakegateError `corrupt`, or `unsupported` for a snapshot of format version 1 without a manifest list
 */
export function snapshotFromJson(json: unknown, where: string): Snapshot {
  const object = asObject(json, where);
  if (object['manifest-list'] === undefined && object.manifests !== undefined) {
    throw unsupported(
      where,
      'the snapshot names its manifests without a manifest list, as only early format version 1 did. Expire it, or rewrite the table with a current engine.',
    );
  }
  const parent = optionalIdAt(object, 'parent-snapshot-id', where);
  const schemaId = optionalIntegerAt(object, 'schema-id', where);
  const summary = stringMapAt(object, 'summary', where);
  const snapshot: Snapshot = {
    snapshotId: idAt(object, 'snapshot-id', where),
    ...(parent === undefined ? undefined : { parentSnapshotId: parent }),
    sequenceNumber: optionalIntegerAt(object, 'sequence-number', where) ?? 0,
    timestampMs: integerAt(object, 'timestamp-ms', where),
    manifestList: stringAt(object, 'manifest-list', where),
    // Without a word on what it did, the snapshot may have done anything: overwrite promises least.
    summary: (summary.operation === undefined
      ? { ...summary, operation: 'overwrite' }
      : summary) as Snapshot['summary'],
    ...(schemaId === undefined ? undefined : { schemaId }),
  };
  return carryUnknown(snapshot, object, SNAPSHOT_KEYS);
}

/** A snapshot's JSON text. The snapshot and its summary are frozen, since the text is kept. */
export function snapshotText(snapshot: Snapshot): string {
  let text = texts.get(snapshot);
  if (text === undefined) {
    text = writeSnapshot(snapshot);
    Object.freeze(snapshot.summary);
    texts.set(Object.freeze(snapshot), text);
  }
  return text;
}

function writeSnapshot(snapshot: Snapshot): string {
  const parent = snapshot.parentSnapshotId === undefined ? '' : `"parent-snapshot-id":${snapshot.parentSnapshotId},`;
  const schema = snapshot.schemaId === undefined ? '' : `,"schema-id":${snapshot.schemaId}`;
  return (
    `{"sequence-number":${snapshot.sequenceNumber},"snapshot-id":${snapshot.snapshotId},${parent}` +
    `"timestamp-ms":${snapshot.timestampMs},"summary":${JSON.stringify(snapshot.summary)},` +
    `"manifest-list":${JSON.stringify(snapshot.manifestList)}${schema}${members(carriedKeys(snapshot))}}`
  );
}

/** Carried keys as JSON text that continues an object: `,"key":value` each. */
export function members(carried: JsonObject | undefined): string {
  if (carried === undefined) return '';
  return Object.entries(carried)
    .map(([key, value]) => `,${JSON.stringify(key)}:${stringifyLossless(value)}`)
    .join('');
}

/** A branch or tag from its JSON form (spec: "Snapshot References"). @throws LakegateError `corrupt` */
export function refFromJson(json: unknown, where: string): SnapshotRef {
  const object = asObject(json, where);
  const type = stringAt(object, 'type', where);
  if (type !== 'branch' && type !== 'tag') throw corrupt(where, `"type" should be branch or tag, found ${shown(type)}`);
  const ref: SnapshotRef = { snapshotId: idAt(object, 'snapshot-id', where), type };
  const minSnapshotsToKeep = optionalIntegerAt(object, 'min-snapshots-to-keep', where);
  const maxSnapshotAgeMs = optionalAge(object, 'max-snapshot-age-ms', where);
  const maxRefAgeMs = optionalAge(object, 'max-ref-age-ms', where);
  if (minSnapshotsToKeep !== undefined) ref.minSnapshotsToKeep = minSnapshotsToKeep;
  if (maxSnapshotAgeMs !== undefined) ref.maxSnapshotAgeMs = maxSnapshotAgeMs;
  if (maxRefAgeMs !== undefined) ref.maxRefAgeMs = maxRefAgeMs;
  return carryUnknown(ref, object, REF_KEYS);
}

/** A branch's or tag's JSON form. */
export function refToJson(ref: SnapshotRef): JsonObject {
  return {
    'snapshot-id': ref.snapshotId,
    type: ref.type,
    'min-snapshots-to-keep': ref.minSnapshotsToKeep,
    'max-snapshot-age-ms': ref.maxSnapshotAgeMs,
    'max-ref-age-ms': ref.maxRefAgeMs,
    ...carriedKeys(ref),
  };
}

/** Engines write Long.MAX_VALUE for "for ever", which a double only holds roughly: any age beyond 2^53 is that. */
function optionalAge(object: JsonObject, key: string, where: string): number | undefined {
  const value = object[key];
  return typeof value === 'bigint' && value > 0n ? Number.MAX_SAFE_INTEGER : optionalIntegerAt(object, key, where);
}
