import { newTableMetadata } from '../../src/iceberg/create.ts';
import type { Snapshot, SnapshotRef, TableMetadata } from '../../src/iceberg/model.ts';

export const DAY_MS = 86_400_000;

/** An unpartitioned table `id long, name string` without snapshots, made at time 0. */
export function sampleTable(properties: Record<string, string> = {}): TableMetadata {
  return newTableMetadata({
    schema: {
      type: 'struct',
      schemaId: 0,
      fields: [
        { id: 1, name: 'id', required: true, type: 'long' },
        { id: 2, name: 'name', required: false, type: 'string' },
      ],
    },
    spec: { specId: 0, fields: [] },
    properties,
    location: 'file:///lake/ns/t',
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    nowMs: 0,
  });
}

/** A snapshot whose sequence number is its id. */
export function sampleSnapshot(id: number, parent?: number, timestampMs = id): Snapshot {
  return {
    snapshotId: BigInt(id),
    ...(parent === undefined ? undefined : { parentSnapshotId: BigInt(parent) }),
    sequenceNumber: id,
    timestampMs,
    manifestList: `file:///lake/ns/t/metadata/snap-${id}.avro`,
    summary: { operation: 'append', 'added-records': '1' },
    schemaId: 0,
  };
}

/** The table with these snapshots and refs; main's ancestors, oldest first, are the snapshot log. */
export function tableWith(
  snapshots: Snapshot[],
  refs: Record<string, SnapshotRef>,
  properties: Record<string, string> = {},
): TableMetadata {
  const main = refs.main?.snapshotId;
  const byId = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
  const log: Snapshot[] = [];
  for (let next = main; next !== undefined && byId.has(next); next = byId.get(next)?.parentSnapshotId) {
    log.unshift(byId.get(next)!);
  }
  return {
    ...sampleTable(properties),
    ...(main === undefined ? undefined : { currentSnapshotId: main }),
    snapshots,
    refs,
    lastSequenceNumber: Math.max(0, ...snapshots.map((snapshot) => snapshot.sequenceNumber)),
    lastUpdatedMs: Math.max(0, ...snapshots.map((snapshot) => snapshot.timestampMs)),
    snapshotLog: log.map(({ snapshotId, timestampMs }) => ({ snapshotId, timestampMs })),
  };
}

export function branch(id: number, retention: Partial<SnapshotRef> = {}): SnapshotRef {
  return { snapshotId: BigInt(id), type: 'branch', ...retention };
}

export function tag(id: number, retention: Partial<SnapshotRef> = {}): SnapshotRef {
  return { snapshotId: BigInt(id), type: 'tag', ...retention };
}
