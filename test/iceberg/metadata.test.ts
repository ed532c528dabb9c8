import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { isKind } from '../../src/errors.ts';
import { parseMetadata, serializeMetadata } from '../../src/iceberg/metadata.ts';
import type { Snapshot } from '../../src/iceberg/model.ts';
import { applyUpdates } from '../../src/iceberg/updates.ts';
import { branch, sampleSnapshot, tableWith } from './sample-table.ts';

/** A metadata file's text. */
function serialized(metadata: Parameters<typeof serializeMetadata>[0]): string {
  return Buffer.from(serializeMetadata(metadata)).toString('utf8');
}

const LOCATION = 'file:///lake/t/metadata/00001-a.metadata.json';
type Json = Record<string, unknown>;

function fixture(name: string): string {
  return readFileSync(`${__dirname}/../fixtures/metadata/${name}.metadata.json`, 'utf8');
}

/** JSON with every integer as written. Not the parser under test. */
function exact(text: string): Json {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? `#${context?.source}` : value,
  ) as Json;
}

/** Text of a small valid table, with changes. */
function text(changes: Json): string {
  const table = tableWith([sampleSnapshot(1), sampleSnapshot(2, 1)], { main: branch(2) });
  return JSON.stringify({ ...(JSON.parse(serialized(table)) as Json), ...changes });
}

function fault(input: string): { kind: string; message: string } {
  try {
    parseMetadata(input, LOCATION);
  } catch (error) {
    if (isKind(error, 'corrupt', 'unsupported')) return { kind: error.kind, message: error.message };
    throw error;
  }
  throw new Error('was read without a fault');
}

describe('metadata written by PyIceberg', () => {
  test.each(['every-type', 'history'])('%s is written back as it was', (name) => {
    const original = exact(fixture(name));
    const written = exact(serialized(parseMetadata(fixture(name), LOCATION)));
    expect(written).toEqual({ 'current-snapshot-id': '#-1', ...original });
  });

  test('a real history comes out in the model', () => {
    const original = exact(fixture('history'));
    const metadata = parseMetadata(fixture('history'), LOCATION);
    expect(`#${metadata.currentSnapshotId}`).toBe(original['current-snapshot-id']);
    expect(metadata.snapshots.length).toBeGreaterThan(4);
    expect(metadata.snapshots[0]?.parentSnapshotId).toBeUndefined();
    expect(metadata.snapshots[1]?.parentSnapshotId).toBe(metadata.snapshots[0]?.snapshotId);
    expect(metadata.snapshots[0]?.summary.note).toBe('0: "snapshot-id": 1234567890123456789, \\');
    expect(Object.keys(metadata.refs).sort()).toEqual(['audit', 'first', 'main']);
    expect(metadata.statistics[0]?.snapshotId).toBe(metadata.snapshots[0]?.snapshotId);
  });

  test.each(['v1-empty', 'v1-append'])('%s is read as the version 2 it becomes', (name) => {
    const original = exact(fixture(name));
    const metadata = parseMetadata(fixture(name), LOCATION);
    expect(metadata).toMatchObject({ formatVersion: 2, lastSequenceNumber: 0, lastPartitionId: 999 });
    const written = exact(serialized(metadata));
    expect(written).toMatchObject({ 'format-version': '#2', schemas: original.schemas, refs: original.refs });
    expect(written).not.toHaveProperty('schema');
    expect(written).not.toHaveProperty('partition-spec');
    expect(parseMetadata(serialized(metadata), LOCATION)).toEqual(metadata);
  });

  test('version 1 with nothing but its singular keys', () => {
    const {
      schemas,
      'partition-specs': _specs,
      'last-partition-id': _last,
      'sort-orders': _orders,
      refs: _refs,
      ...rest
    } = JSON.parse(text({ 'format-version': 1, 'snapshot-log': undefined, 'metadata-log': undefined })) as Json;
    const { 'schema-id': _id, ...schema } = (schemas as Json[])[0] as Json;
    const spec = [{ name: 'id', transform: 'identity', 'source-id': 1 }];
    const metadata = parseMetadata(
      JSON.stringify({
        ...rest,
        schema,
        'partition-spec': spec,
        'last-sequence-number': undefined,
        snapshots: [],
        'current-snapshot-id': -1,
      }),
      LOCATION,
    );
    expect(metadata.partitionSpecs[0]?.fields[0]?.fieldId).toBe(1000);
    expect(metadata.lastPartitionId).toBe(1000);
    expect(metadata.refs).toEqual({});
  });
});

describe('current snapshot', () => {
  test.each([-1, null, undefined])('%s is none', (value) => {
    const metadata = parseMetadata(text({ 'current-snapshot-id': value, refs: {} }), LOCATION);
    expect(metadata.currentSnapshotId).toBeUndefined();
    expect(metadata.refs).toEqual({});
    expect(exact(serialized(metadata))['current-snapshot-id']).toBe('#-1');
  });

  test('without refs is main', () => {
    expect(parseMetadata(text({ refs: undefined }), LOCATION).refs).toEqual({ main: branch(2) });
  });
});

describe('keys of other writers', () => {
  test('are carried through parse, commit and serialise', () => {
    const base = JSON.parse(text({})) as Record<string, Json[]>;
    const changed = {
      ...base,
      'x-top': { ids: [1], 'snapshot-id': 7 },
      snapshots: base.snapshots!.map((snapshot) => ({ ...snapshot, 'key-id': 'k1' })),
      schemas: base.schemas!.map((schema) => ({
        ...schema,
        'x-schema': [true],
        fields: (schema.fields as Json[]).map((field) => ({ ...field, 'x-field': null })),
      })),
      refs: { main: { 'snapshot-id': 2, type: 'branch', 'x-ref': 1 } },
    };
    const metadata = parseMetadata(JSON.stringify(changed), LOCATION);
    expect(exact(serialized(metadata))).toEqual(exact(JSON.stringify(changed)));
    const committed = applyUpdates(metadata, [{ action: 'set-properties', updates: { a: 'b' } }], 5);
    const written = exact(serialized({ ...committed, metadataLog: [] }));
    expect(written['x-top']).toEqual({ ids: ['#1'], 'snapshot-id': '#7' });
    expect(written.snapshots).toEqual(exact(JSON.stringify(changed)).snapshots);
  });

  test('a branch and a property may be named like a part of every object', () => {
    const input = text({})
      .replace('"properties":{}', '"properties":{"__proto__":"p"}')
      .replace('"refs":{', '"refs":{"__proto__":{"snapshot-id":1,"type":"tag"},');
    const metadata = parseMetadata(input, LOCATION);
    expect(Object.keys(metadata.refs)).toEqual(['__proto__', 'main']);
    expect(serialized(metadata)).toBe(input);
  });
});

describe('faults', () => {
  test.each<[string, string, Json, RegExp]>([
    [
      'corrupt',
      'a current schema that is not there',
      { 'current-schema-id': 9 },
      /"current-schema-id" is 9.*schemas \(0\)/,
    ],
    [
      'corrupt',
      'a default spec that is not there',
      { 'default-spec-id': 3 },
      /"default-spec-id" is 3.*partition specs \(0\)/,
    ],
    [
      'corrupt',
      'a default sort order that is not there',
      { 'default-sort-order-id': 3 },
      /"default-sort-order-id" is 3/,
    ],
    [
      'corrupt',
      'a ref to no snapshot',
      { refs: { main: { 'snapshot-id': 2, type: 'branch' }, b: { 'snapshot-id': 8, type: 'tag' } } },
      /tag "b" is at snapshot 8/,
    ],
    [
      'corrupt',
      'two opinions on the current snapshot',
      { 'current-snapshot-id': 1 },
      /"current-snapshot-id" is 1, but main is at 2/,
    ],
    [
      'corrupt',
      'main without a current snapshot',
      { 'current-snapshot-id': -1 },
      /"current-snapshot-id" is none, but main is at 2/,
    ],
    ['corrupt', 'main as a tag', { refs: { main: { 'snapshot-id': 2, type: 'tag' } } }, /"main" should be a branch/],
    [
      'corrupt',
      'a sequence number beyond the last',
      { 'last-sequence-number': 1 },
      /snapshot 2 has the sequence number 2/,
    ],
    ['corrupt', 'a wrong type', { 'last-column-id': '2' }, /"last-column-id" should be an integer.*found "2"/],
    ['corrupt', 'an id in quotes', { 'current-snapshot-id': '2' }, /"current-snapshot-id" should be a 64-bit integer/],
    ['corrupt', 'a missing uuid', { 'table-uuid': undefined }, /"table-uuid" should be a string, found nothing/],
    ['unsupported', 'version 3', { 'format-version': 3 }, /format version 3; lakegate reads and writes version 2/],
    ['unsupported', 'encryption', { 'encryption-keys': [{}] }, /encrypted/],
    [
      'unsupported',
      'an unknown transform',
      {
        'partition-specs': [
          { 'spec-id': 0, fields: [{ 'source-id': 1, 'field-id': 1000, name: 'z', transform: 'zorder' }] },
        ],
      },
      /field z: the partition transform "zorder"/,
    ],
  ])('%s: %s', (kind, _name, changes, message) => {
    const found = fault(text(changes));
    expect(found.kind).toBe(kind);
    expect(found.message).toMatch(message);
    expect(found.message).toContain(LOCATION);
  });

  test.each(['', '{', 'null', '[]', '<Error/>', '\u001f\u008b'])('%j is no metadata', (input) => {
    expect(fault(input).message).toContain(LOCATION);
  });
});

const summaries = fc.dictionary(
  fc.string({ unit: 'binary' }),
  fc.oneof(fc.string({ unit: 'binary' }), fc.constant('"snapshot-id": 1234567890123456789,')),
);
const ids = fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), { minLength: 1, maxLength: 6 });

test('any snapshots survive, ids and summaries exactly', () => {
  fc.assert(
    fc.property(ids, summaries, (snapshotIds, summary) => {
      const snapshots = snapshotIds.map((snapshotId, index): Snapshot => {
        const { parentSnapshotId: _, ...plain } = sampleSnapshot(index + 1);
        const parent = snapshotIds[index - 1];
        return {
          ...plain,
          snapshotId,
          ...(parent === undefined ? undefined : { parentSnapshotId: parent }),
          summary: { ...summary, operation: 'append' },
        };
      });
      const head = snapshotIds.at(-1)!;
      const table = tableWith(snapshots, { main: { snapshotId: head, type: 'branch' } });
      table.statistics = [{ snapshotId: head, 'blob-metadata': [{ 'snapshot-id': 9223372036854775807n }] }];
      const written = serialized(table);
      expect(parseMetadata(written, LOCATION)).toEqual(table);
      expect(serialized(parseMetadata(written, LOCATION))).toBe(written);
    }),
  );
});

test('a snapshot that was written cannot be changed in place, since its text is kept', () => {
  const table = tableWith([sampleSnapshot(1)], { main: branch(1) });
  serialized(table);
  expect(() => {
    table.snapshots[0]!.summary['added-records'] = '2';
  }).toThrow(TypeError);
  const replaced = { ...table, snapshots: [{ ...table.snapshots[0]!, timestampMs: 77 }] };
  expect(serialized(replaced)).toContain('"timestamp-ms":77');
});
