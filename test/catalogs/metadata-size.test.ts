import { describeMetadataSize, fitMetadata, type MetadataLimits } from '../../src/catalogs/metadata-size.ts';
import { newTableMetadata } from '../../src/iceberg/create.ts';
import { serializeMetadata } from '../../src/iceberg/metadata.ts';
import type { SnapshotRef, TableMetadata } from '../../src/iceberg/model.ts';

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;
const DAY = 24 * HOUR;

/** A table with one snapshot every `everyMs` on main, the newest of now. */
function table(count: number, everyMs: number, properties = {}, refs: Record<string, SnapshotRef> = {}): TableMetadata {
  const created = newTableMetadata({
    schema: { type: 'struct', schemaId: 0, fields: [{ id: 1, name: 'id', required: false, type: 'long' }] },
    spec: { specId: 0, fields: [] },
    properties,
    location: 's3://lake/t',
    uuid: '6c97e413-d51b-4538-ac70-12fe2a85cb83',
    nowMs: NOW - count * everyMs,
  });
  const snapshots = Array.from({ length: count }, (_, i) => ({
    snapshotId: BigInt(i + 1),
    ...(i > 0 ? { parentSnapshotId: BigInt(i) } : {}),
    sequenceNumber: i + 1,
    timestampMs: NOW - (count - 1 - i) * everyMs,
    manifestList: `s3://lake/t/metadata/${i}.avro`,
    summary: { operation: 'append' as const },
    schemaId: 0,
  }));
  return {
    ...created,
    lastUpdatedMs: NOW,
    lastSequenceNumber: count,
    currentSnapshotId: BigInt(count),
    snapshots,
    refs: { main: { snapshotId: BigInt(count), type: 'branch' }, ...refs },
  };
}

const size = (metadata: TableMetadata) => serializeMetadata(metadata).length;
const limits = (warnBytes: number, urgentBytes = warnBytes, maxBytes = urgentBytes): MetadataLimits => ({
  warnBytes,
  urgentBytes,
  maxBytes,
});
const fitInto = (metadata: TableMetadata, allowed: MetadataLimits) => fitMetadata('shop.t', metadata, NOW, allowed);

test('metadata below the threshold is left as it is, whatever could expire', () => {
  const metadata = table(40, DAY);
  const fitted = fitInto(metadata, limits(size(metadata)));
  expect(fitted.metadata).toBe(metadata);
  expect(fitted.report).toBeUndefined();
});

test("above it the table's own retention is applied, and no more than that", () => {
  const metadata = table(40, DAY);
  const { metadata: fitted, bytes, report } = fitInto(metadata, limits(size(metadata) - 1));
  // Five days, and the one that is just as old.
  expect(fitted.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([35n, 36n, 37n, 38n, 39n, 40n]);
  expect(fitted.currentSnapshotId).toBe(40n);
  expect(report).toMatchObject({ expiredSnapshots: 34, expiredRefs: [], bytes: bytes.length });
  expect(report).not.toHaveProperty('shortenedToMs');
  expect(bytes).toEqual(serializeMetadata(fitted));
});

test('where that is not enough younger snapshots go, oldest first, and people are told', () => {
  const metadata = table(200, HOUR / 2);
  const least = size(table(60, HOUR / 2));
  const { metadata: fitted, report } = fitInto(metadata, limits(1000, least, least));
  expect(report).toMatchObject({ shortenedToMs: 24 * HOUR, expiredSnapshots: 151 });
  expect(fitted.snapshots).toHaveLength(49);
  expect(describeMetadataSize(report!)).toMatch(
    /^the metadata of shop\.t has 0\.0 MB of the 0\.0 MB .*151 snapshots and 0 branches and tags were expired.*down to 24 hours/,
  );
});

test('tags and branches keep what they keep; nothing of the last hour goes', () => {
  const tag: SnapshotRef = { snapshotId: 3n, type: 'tag' };
  const metadata = table(200, 60_000, {}, { closing: tag });
  const { metadata: fitted } = fitInto(metadata, limits(1000, 2000, size(metadata)));
  expect(fitted.refs.closing).toEqual(tag);
  expect(fitted.snapshots.map(({ snapshotId }) => snapshotId)).toContain(3n);
  expect(fitted.snapshots.filter(({ timestampMs }) => timestampMs >= NOW - HOUR)).toHaveLength(61);
});

test("a table whose files may be another table's too keeps all, up to the limit", () => {
  const metadata = table(40, DAY, { 'gc.enabled': 'false' });
  expect(fitInto(metadata, limits(1000, 1000, size(metadata))).report).toMatchObject({ expiredSnapshots: 0 });
  expect(() => fitInto(metadata, limits(1000, 1000, size(metadata) - 1))).toThrow(
    expect.objectContaining({ kind: 'invalid', message: expect.stringContaining('gc.enabled') }),
  );
});
