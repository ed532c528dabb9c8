import { corrupt } from './json-object.ts';
import type { TableMetadata } from './model.ts';

/**
 * Checks what must hold between the parts of a table's metadata (spec: "Table Metadata Fields", "Snapshot References").
 * @throws LakegateError `corrupt` for the first that does not, naming the file
 */
export function checkInvariants(metadata: TableMetadata, where: string): void {
  requireMember(metadata.schemas, 'schemaId', metadata.currentSchemaId, '"current-schema-id"', 'schemas', where);
  requireMember(
    metadata.partitionSpecs,
    'specId',
    metadata.defaultSpecId,
    '"default-spec-id"',
    'partition specs',
    where,
  );
  requireMember(
    metadata.sortOrders,
    'orderId',
    metadata.defaultSortOrderId,
    '"default-sort-order-id"',
    'sort orders',
    where,
  );

  const ids = new Set<bigint>();
  for (const { snapshotId, sequenceNumber } of metadata.snapshots) {
    if (ids.has(snapshotId)) throw corrupt(where, `snapshot ${snapshotId} is listed twice`);
    if (sequenceNumber > metadata.lastSequenceNumber) {
      throw corrupt(
        where,
        `snapshot ${snapshotId} has the sequence number ${sequenceNumber}, beyond "last-sequence-number" ${metadata.lastSequenceNumber}`,
      );
    }
    ids.add(snapshotId);
  }
  const { main } = metadata.refs;
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (!ids.has(ref.snapshotId)) {
      throw corrupt(
        where,
        `the ${ref.type} ${JSON.stringify(name)} is at snapshot ${ref.snapshotId}, which is not among the snapshots`,
      );
    }
  }
  if (main !== undefined && main.type !== 'branch') throw corrupt(where, '"main" should be a branch, found a tag');
  if (main?.snapshotId !== metadata.currentSnapshotId) {
    throw corrupt(
      where,
      `"current-snapshot-id" is ${metadata.currentSnapshotId ?? 'none'}, but main is at ${main?.snapshotId ?? 'none'}`,
    );
  }
}

function requireMember<K extends string>(
  members: readonly Record<K, unknown>[],
  key: K,
  id: number,
  pointer: string,
  kind: string,
  where: string,
): void {
  if (members.some((member) => member[key] === id)) return;
  const found = members.map((member) => String(member[key])).join(', ') || 'none';
  throw corrupt(where, `${pointer} is ${id}, which is not among the ${kind} (${found})`);
}
