import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeManifest } from '../../src/iceberg/manifest.ts';
import type { Snapshot } from '../../src/iceberg/model.ts';
import { loadEntries, loadManifests, type TableIO } from '../../src/iceberg/table-io.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';

const folder = join(__dirname, '..', 'fixtures', 'manifests');

interface Expected {
  snapshot: string;
  manifests: { length: number; addedSnapshotId: string; entries: Record<string, unknown>[] }[];
}

/** What PyIceberg wrote, read as PyIceberg itself reads it: inheritance, 63-bit ids, decimals and nulls in tuples. */
test('manifests and the manifest list of a PyIceberg table', async () => {
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  const store = createMemoryStore();
  const io: TableIO = { store, now: () => 0, uuid: () => '', snapshotId: () => 1n };
  await store.create('memory:/list.avro', readFileSync(join(folder, 'pyiceberg-list.avro')));
  const manifests = await loadManifests(io, { manifestList: 'memory:/list.avro' } as Snapshot);
  const found = [];
  for (const [number, manifest] of manifests.entries()) {
    const manifestPath = `memory:/${number}.avro`;
    await store.create(manifestPath, readFileSync(join(folder, `pyiceberg-${number}.avro`)));
    const entries = await loadEntries(io, { ...manifest, manifestPath });
    found.push({
      length: manifest.manifestLength,
      addedSnapshotId: String(manifest.addedSnapshotId),
      entries: entries.map(({ status, snapshotId, sequenceNumber, dataFile }) => ({
        status: ['existing', 'added', 'deleted'].indexOf(status),
        snapshotId: String(snapshotId),
        sequenceNumber,
        rows: dataFile.recordCount,
        partition: dataFile.partition.map((value, index) => {
          if (value === undefined) return null;
          return index === 1 ? (Number(value) / 100).toFixed(2) : String(value);
        }),
        lower: Object.fromEntries(
          [...dataFile.lowerBounds!].map(([id, bytes]) => [id, Buffer.from(bytes).toString('hex')]),
        ),
      })),
    });
  }
  expect(found).toEqual(expected.manifests);
});

test('the spec in a manifest is read with the names people gave', () => {
  const { spec, schemaId, formatVersion } = decodeManifest(readFileSync(join(folder, 'pyiceberg-0.avro')), 'm');
  expect(spec.fields[0]).toEqual({ sourceId: 2, fieldId: 1000, name: 'region name', transform: 'identity' });
  expect([schemaId, formatVersion]).toEqual([undefined, 2]);
});
