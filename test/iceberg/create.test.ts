import { newTableMetadata } from '../../src/iceberg/create.ts';
import { parseMetadata, serializeMetadata } from '../../src/iceberg/metadata.ts';
import type { PartitionField, Schema } from '../../src/iceberg/model.ts';

/** A metadata file's text. */
function serialized(metadata: Parameters<typeof serializeMetadata>[0]): string {
  return Buffer.from(serializeMetadata(metadata)).toString('utf8');
}

const schema: Schema = {
  type: 'struct',
  schemaId: 4,
  fields: [
    { id: 1, name: 'ts', required: false, type: 'timestamptz' },
    { id: 2, name: 'l', required: false, type: { type: 'list', elementId: 9, element: 'int', elementRequired: true } },
  ],
};

function create(fields: PartitionField[], changes: { schema?: Schema; properties?: Record<string, string> } = {}) {
  return newTableMetadata({
    schema,
    spec: { specId: 3, fields },
    properties: {},
    location: 'file:///lake/t',
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    nowMs: 5,
    ...changes,
  });
}

const byDay: PartitionField = { sourceId: 1, fieldId: 7, name: 'ts_day', transform: 'day' };

test('ids count from the specification on, and the file can be read back', () => {
  const plain = create([]);
  expect(plain).toMatchObject({ lastColumnId: 9, lastPartitionId: 999, currentSchemaId: 0, lastUpdatedMs: 5 });
  const partitioned = create([byDay, { ...byDay, name: 'h', transform: 'hour' }], {
    properties: { 'format-version': '2', a: 'b' },
  });
  expect(partitioned.partitionSpecs[0]?.fields.map(({ fieldId }) => fieldId)).toEqual([1000, 1001]);
  expect(partitioned).toMatchObject({ lastPartitionId: 1001, properties: { a: 'b' } });
  expect(parseMetadata(serialized(partitioned), 'x')).toEqual(partitioned);
});

test.each<[RegExp, PartitionField[]]>([
  [/two partition fields are named ts_day/, [byDay, byDay]],
  [/no field of the schema/, [{ ...byDay, sourceId: 5 }]],
  [/the name of a column/, [{ ...byDay, name: 'ts' }]],
])('%s', (message, fields) => {
  expect(() => create(fields)).toThrow(
    expect.objectContaining({ kind: 'invalid', message: expect.stringMatching(message) }),
  );
});

test('repeated field ids and other versions are refused', () => {
  const twice = { ...schema, fields: [...schema.fields, { id: 9, name: 'x', required: false, type: 'int' as const }] };
  expect(() => create([], { schema: twice })).toThrow(/field id 9 is given to two/);
  expect(() => create([], { properties: { 'format-version': '3' } })).toThrow(
    expect.objectContaining({ kind: 'unsupported' }),
  );
});
