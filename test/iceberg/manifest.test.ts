import fc from 'fast-check';
import { decodeContainer, encodeContainer } from '../../src/iceberg/avro-container.ts';
import { decodeManifest, encodeManifest } from '../../src/iceberg/manifest.ts';
import { decodeManifestList, encodeManifestList } from '../../src/iceberg/manifest-list.ts';
import { avroName, decimalBytes } from '../../src/iceberg/manifest-schema.ts';
import type {
  DataFile,
  ManifestEntry,
  ManifestFile,
  PartitionSpec,
  PrimitiveType,
  Schema,
  Value,
} from '../../src/iceberg/model.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const id = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n });
// avsc keeps one off the very edge of the doubles' integers.
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 });
const bytes = fc.uint8Array({ maxLength: 20 });
const int32 = fc.integer();
const VALUES: Record<string, fc.Arbitrary<Value>> = {
  boolean: fc.boolean(),
  int: int32,
  long: int64,
  double: fc.double(),
  date: int32,
  time: int64,
  timestamp: int64,
  timestamptz: int64,
  string: fc.string({ unit: 'grapheme' }),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  binary: bytes,
  'fixed[3]': fc.uint8Array({ minLength: 3, maxLength: 3 }),
  'decimal(9, 2)': fc.bigInt({ min: -999999999n, max: 999999999n }),
  'decimal(38, 0)': fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n }),
};

const columns = fc.array(
  fc.record({ type: fc.constantFrom(...Object.keys(VALUES)), name: fc.string({ unit: 'grapheme', minLength: 1 }) }),
  { maxLength: 5 },
);

function optional<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}
const counts = fc.array(fc.tuple(fc.nat(), count), { maxLength: 4 }).map((pairs) => new Map(pairs));
const bounds = fc.array(fc.tuple(fc.nat(), bytes), { maxLength: 4 }).map((pairs) => new Map(pairs));

function fileOf(types: readonly string[]): fc.Arbitrary<DataFile> {
  return fc
    .record(
      {
        content: fc.constantFrom('data', 'position-deletes', 'equality-deletes'),
        filePath: fc.string({ unit: 'grapheme' }),
        fileFormat: fc.constantFrom('PARQUET', 'AVRO', 'ORC'),
        partition: fc.tuple(...types.map((type) => optional(VALUES[type]!))),
        recordCount: count,
        fileSizeInBytes: count,
        columnSizes: counts,
        valueCounts: counts,
        nullValueCounts: counts,
        nanValueCounts: counts,
        lowerBounds: bounds,
        upperBounds: bounds,
        keyMetadata: bytes,
        splitOffsets: fc.array(count, { maxLength: 3 }),
        equalityIds: fc.array(fc.nat(), { maxLength: 3 }),
        sortOrderId: fc.nat(),
        referencedDataFile: fc.string(),
      },
      { requiredKeys: ['content', 'filePath', 'fileFormat', 'partition', 'recordCount', 'fileSizeInBytes'] },
    )
    .map((file) => file as DataFile);
}

const contents = columns.chain((list) => {
  const schema: Schema = {
    type: 'struct',
    schemaId: 3,
    fields: list.map(({ type, name }, index) => ({
      id: index + 1,
      name: `${name}${index}`,
      required: false,
      type: type as PrimitiveType,
    })),
  };
  const spec: PartitionSpec = {
    specId: 7,
    fields: list.map(({ name }, index) => ({
      sourceId: index + 1,
      fieldId: 1000 + index,
      name: `${name}${index}`,
      transform: 'identity',
    })),
  };
  const file = fileOf(list.map(({ type }) => type));
  const added = file.map((dataFile): ManifestEntry => ({ status: 'added', dataFile }));
  const carried = fc.tuple(fc.constantFrom('existing' as const, 'deleted' as const), id, count, count, file).map(
    ([status, snapshotId, sequenceNumber, fileSequenceNumber, dataFile]): ManifestEntry => ({
      status,
      snapshotId,
      sequenceNumber,
      fileSequenceNumber,
      dataFile,
    }),
  );
  return fc.record({
    schema: fc.constant(schema),
    spec: fc.constant(spec),
    content: fc.constantFrom('data' as const, 'deletes' as const),
    entries: fc.array(fc.oneof(added, carried), { maxLength: 6 }),
  });
});

describe('manifest', () => {
  test('every partition type, 63-bit id and optional field survives the way out and back', () => {
    fc.assert(
      fc.property(contents, (manifest) => {
        const decoded = decodeManifest(encodeManifest(manifest), 'm.avro');
        expect(decoded).toEqual({
          entries: manifest.entries,
          spec: manifest.spec,
          content: manifest.content,
          schemaId: 3,
          formatVersion: 2,
        });
      }),
    );
  });

  test('tuples are read from a manifest whose header does not say how the table is partitioned', () => {
    fc.assert(
      fc.property(contents, ({ entries: [entry], ...manifest }) => {
        fc.pre(entry !== undefined);
        const { metadata, blocks } = decodeContainer(encodeManifest({ ...manifest, entries: [entry!] }), 'm.avro');
        const header = [...metadata].filter(([key]) => key !== 'partition-spec' && key !== 'avro.codec');
        const bare = encodeContainer(
          header,
          blocks.map(({ bytes: datum }) => datum),
        );
        expect(decodeManifest(bare, 'm.avro').entries).toEqual([entry]);
      }),
    );
  });

  test('an existing entry without ids is a bug, not a file', () => {
    const dataFile = { content: 'data', filePath: 'f', fileFormat: 'PARQUET', partition: [] } as unknown as DataFile;
    const schema: Schema = { type: 'struct', schemaId: 0, fields: [] };
    const entries: ManifestEntry[] = [{ status: 'existing', dataFile }];
    expect(() => encodeManifest({ schema, spec: { specId: 0, fields: [] }, content: 'data', entries })).toThrow(
      /must carry its snapshot id/,
    );
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['not Avro', Buffer.from('PAR1 this is another kind of file')],
    ['cut off', encodeContainer([['avro.schema', '"int"']], [Buffer.from([2])]).subarray(0, 40)],
    ['a schema of something else', encodeContainer([['avro.schema', '"int"']], [Buffer.from([2])])],
  ])('%s is corrupt and says which file', (_, file) => {
    expect(() => decodeManifest(file, 'memory:/m.avro')).toThrow(
      expect.objectContaining({ kind: 'corrupt', message: expect.stringContaining('memory:/m.avro') }),
    );
  });

  test('an unknown codec is named', () => {
    const file = encodeContainer([['avro.schema', '"int"']], [Buffer.from([2])]);
    const other = Buffer.from(Buffer.from(file).toString('latin1').replace('deflate', 'xyzzy77'), 'latin1');
    expect(() => decodeContainer(other, 'm.avro')).toThrow(/xyzzy77/);
  });
});

describe('manifest list', () => {
  const manifest: fc.Arbitrary<ManifestFile> = fc.record(
    {
      manifestPath: fc.string(),
      manifestLength: count,
      partitionSpecId: fc.nat(),
      content: fc.constantFrom('data', 'deletes'),
      sequenceNumber: count,
      minSequenceNumber: count,
      addedSnapshotId: id,
      addedFilesCount: fc.nat(),
      existingFilesCount: fc.nat(),
      deletedFilesCount: fc.nat(),
      addedRowsCount: count,
      existingRowsCount: count,
      deletedRowsCount: count,
      partitions: fc.array(
        fc.record(
          { containsNull: fc.boolean(), containsNan: fc.boolean(), lowerBound: bytes, upperBound: bytes },
          { requiredKeys: ['containsNull'] },
        ),
        { maxLength: 3 },
      ),
      keyMetadata: bytes,
    },
    {
      requiredKeys: [
        'manifestPath',
        'manifestLength',
        'partitionSpecId',
        'content',
        'sequenceNumber',
        'minSequenceNumber',
        'addedSnapshotId',
        'addedFilesCount',
        'existingFilesCount',
        'deletedFilesCount',
        'addedRowsCount',
        'existingRowsCount',
        'deletedRowsCount',
      ],
    },
  );

  test('survives the way out and back', () => {
    fc.assert(
      fc.property(fc.array(manifest, { maxLength: 5 }), id, (manifests, snapshotId) => {
        const file = encodeManifestList({ snapshotId, parentSnapshotId: undefined, sequenceNumber: 1, manifests });
        expect(decodeManifestList(file, 'l.avro')).toEqual(manifests);
      }),
    );
  });
});

test('names are made fit for Avro as Iceberg Java does', () => {
  expect(['a b', '9lives', 'naïve', 'ok_1', '🙂'].map(avroName)).toEqual([
    'a_x20b',
    '_9lives',
    'na_xEFve',
    'ok_1',
    '_x1F642',
  ]);
});

test('decimals take as few bytes as their precision needs', () => {
  expect([1, 2, 3, 9, 10, 18, 38].map(decimalBytes)).toEqual([1, 1, 2, 4, 5, 8, 16]);
});
