import { isKind } from '../../src/errors.ts';
import { schemaFromJson, schemaToJson, typeFromJson } from '../../src/iceberg/schema-json.ts';

const WHERE = 'Table metadata m.json';

function schemaOf(type: unknown): unknown {
  return { type: 'struct', 'schema-id': 3, fields: [{ id: 1, name: 'c', required: false, type }] };
}

test.each([
  ['decimal(10,2)', 'decimal(10, 2)'],
  ['decimal( 38 , 0 )', 'decimal(38, 0)'],
  ['fixed[16]', 'fixed[16]'],
  ['fixed[ 4 ]', 'fixed[4]'],
  ['timestamptz', 'timestamptz'],
])('%s is %s', (name, type) => {
  expect(typeFromJson(name, 'c', WHERE)).toBe(type);
});

test('nested types go both ways', () => {
  const nested = schemaOf({
    type: 'list',
    'element-id': 2,
    element: {
      type: 'map',
      'key-id': 3,
      key: 'string',
      'value-id': 4,
      value: {
        type: 'struct',
        fields: [{ id: 5, name: 'x', required: true, type: 'int', doc: 'd', 'initial-default': 0 }],
      },
      'value-required': true,
    },
    'element-required': false,
  });
  expect(schemaToJson(schemaFromJson(nested, WHERE))).toEqual(nested);
});

test.each(['timestamp_ns', 'timestamptz_ns', 'variant', 'unknown', 'geometry(srid:4326)', 'geography'])(
  'the version 3 type %s is unsupported, and the column is named',
  (type) => {
    const nested = schemaOf({ type: 'list', 'element-id': 2, element: type, 'element-required': false });
    let error: unknown;
    try {
      schemaFromJson(nested, WHERE);
    } catch (caught) {
      error = caught;
    }
    expect(isKind(error, 'unsupported')).toBe(true);
    expect(String(error)).toContain(`column c.element has the type ${type}`);
  },
);

test.each(['decimal(39, 2)', 'decimal(2, 3)', 'text', 'fixed[]', '', 7, null, { type: 'set' }])(
  '%j is no type: corrupt, and the column is named',
  (type) => {
    expect(() => schemaFromJson(schemaOf(type), WHERE)).toThrow(
      expect.objectContaining({ kind: 'corrupt', message: expect.stringMatching(/m\.json.*column c/) }),
    );
  },
);
