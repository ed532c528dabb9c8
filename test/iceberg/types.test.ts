import { addedColumns, unionByName } from '../../src/iceberg/evolve.ts';
import type { IcebergType, NestedField, Schema } from '../../src/iceberg/model.ts';
import {
  createNameMapping,
  formatNameMapping,
  parseNameMapping,
  updateNameMapping,
} from '../../src/iceberg/name-mapping.ts';
import {
  allFields,
  assignIds,
  fieldById,
  findField,
  fullName,
  sameSchema,
  schemaFromColumns,
} from '../../src/iceberg/schema.ts';
import { formatType, isPromotion, parseType, sameType } from '../../src/iceberg/types.ts';

const field = (id: number, name: string, type: IcebergType, required = false): NestedField => ({
  id,
  name,
  required,
  type,
});
const schema = (...fields: NestedField[]): Schema => ({ type: 'struct', schemaId: 0, fields });
const nested = schema(
  field(1, 'id', 'long', true),
  field(2, 's', { type: 'struct', fields: [field(4, 'x', 'int'), field(5, 'a.b', 'string')] }),
  field(3, 'l', {
    type: 'list',
    elementId: 6,
    elementRequired: false,
    element: { type: 'struct', fields: [field(7, 'p', 'int')] },
  }),
);

describe('types', () => {
  test.each([
    ['int', 'int'],
    [' Decimal( 10,2 ) ', 'decimal(10, 2)'],
    ['FIXED[16]', 'fixed[16]'],
    ['timestamptz', 'timestamptz'],
  ])('%s is read', (text, type) => {
    expect(parseType(text)).toBe(type);
  });

  test.each([
    ['bigint', '"long"'],
    ['VARCHAR(20)', '"string"'],
    ['timestmap', '"timestamp"'],
    ['decimal', 'decimal(P, S)'],
  ])('%s is answered with the right word', (text, guess) => {
    expect(() => parseType(text)).toThrow(`did you mean ${guess.startsWith('"') ? guess : `"${guess}"`}`);
  });

  test.each(['decimal(39, 2)', 'decimal(4, 5)', 'fixed[0]', '', 'constructor'])('%j is refused', (text) => {
    expect(() => parseType(text)).toThrow();
  });

  test('only widening is a promotion', () => {
    expect(isPromotion('int', 'long')).toBe(true);
    expect(isPromotion('long', 'int')).toBe(false);
    expect(isPromotion('int', 'double')).toBe(false);
    expect(isPromotion('decimal(5, 2)', 'decimal(9, 2)')).toBe(true);
    expect(isPromotion('decimal(5, 2)', 'decimal(9, 3)')).toBe(false);
    expect(isPromotion('date', 'timestamp')).toBe(false);
  });

  test('equality sees ids and nullability of nested fields', () => {
    const other: IcebergType = { type: 'struct', fields: [field(4, 'x', 'int', true), field(5, 'a.b', 'string')] };
    expect(sameType(nested.fields[1]!.type, nested.fields[1]!.type)).toBe(true);
    expect(sameType(nested.fields[1]!.type, other)).toBe(false);
    expect(formatType(nested.fields[2]!.type)).toBe('list<struct<p: int>>');
  });
});

describe('schema', () => {
  test('fields are found by dotted name, names with dots included', () => {
    expect(findField(nested, 's.x')?.id).toBe(4);
    expect(findField(nested, 's.a.b')?.id).toBe(5);
    expect(findField(nested, 'l.element.p')?.id).toBe(7);
    expect(findField(nested, 's.y')).toBeUndefined();
    expect(fieldById(nested, 7)?.name).toBe('p');
    expect(fullName(nested, 7)).toBe('l.element.p');
    expect(allFields(nested).map((f) => f.name)).toEqual(['id', 's', 's.x', 's.a.b', 'l', 'l.element', 'l.element.p']);
    expect(allFields(nested).find((f) => f.field.id === 7)?.repeated).toBe(true);
  });

  test('fresh ids go to a level before what is inside it', () => {
    const zero = assignIds(nested.fields, 10);
    expect(allFields({ fields: zero.fields }).map((f) => f.field.id)).toEqual([10, 11, 13, 14, 12, 15, 16]);
    expect(zero.lastColumnId).toBe(16);
  });

  test('declared columns keep their order; a bad type names its column', () => {
    const made = schemaFromColumns({ b: { type: 'int', required: true }, a: { type: 'date', required: false } });
    expect(made.fields).toEqual([field(1, 'b', 'int', true), field(2, 'a', 'date')]);
    expect(() => schemaFromColumns({ price: { type: 'money', required: false } })).toThrow('"price"');
    expect(sameSchema(made, { ...made, schemaId: 3 })).toBe(true);
    expect(sameSchema(made, { ...made, fields: [...made.fields].reverse() })).toBe(false);
  });
});

describe('evolve', () => {
  test('new columns come last, optional, nested ones at the end of their struct', () => {
    const additions = [
      field(0, 'n', { type: 'struct', fields: [field(0, 'q', 'int', true)] }, true),
      field(0, 's', { type: 'struct', fields: [field(0, 'z', 'date', true)] }),
      field(0, 'l', {
        type: 'list',
        elementId: 0,
        elementRequired: false,
        element: { type: 'struct', fields: [field(0, 'r', 'int')] },
      }),
    ];
    const { schema: grown, lastColumnId } = unionByName(nested, additions, [], 8);
    expect(allFields(grown).map((f) => f.name)).toEqual([
      'id',
      's',
      's.x',
      's.a.b',
      's.z',
      'l',
      'l.element',
      'l.element.p',
      'l.element.r',
      'n',
      'n.q',
    ]);
    expect(allFields(grown).every((f) => f.name === 'id' || !f.field.required)).toBe(true);
    const ids = allFields(grown).map((f) => f.field.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(lastColumnId).toBe(11);
    expect(nested.fields.every((old) => fieldById(grown, old.id)?.name === old.name)).toBe(true);
    expect(addedColumns(nested, additions).map((a) => `${a.name}: ${a.type}`)).toEqual([
      'n: struct<q: int>',
      's.z: date',
      'l.element.r: int',
    ]);
    expect(unionByName(grown, additions, [], lastColumnId + 1)).toEqual({ schema: grown, lastColumnId });
  });

  test('a pending column of the same name keeps its id, of another kind does not', () => {
    const reuse = new Map([
      ['a', field(20, 'a', 'int')],
      ['b', field(21, 'b', 'string')],
    ]);
    const additions = [field(0, 'a', 'long'), field(0, 'b', 'int'), field(0, 'c', 'int')];
    const { schema: grown, lastColumnId } = unionByName(nested, additions, [], 20, reuse);
    expect(findField(grown, 'a')).toEqual(field(20, 'a', 'long'));
    expect(findField(grown, 'b')?.id).toBe(22);
    expect(findField(grown, 'c')?.id).toBe(23);
    expect(lastColumnId).toBe(23);
  });

  test('columns are widened, never narrowed, and other changes are refused', () => {
    expect(findField(unionByName(nested, [], [{ fieldId: 4, to: 'long' }], 8).schema, 's.x')?.type).toBe('long');
    expect(findField(unionByName(nested, [], [{ fieldId: 1, to: 'int' }], 8).schema, 'id')?.type).toBe('long');
    expect(() => unionByName(nested, [field(0, 'id', 'string')], [], 8)).toThrow('column "id" is long');
  });
});

describe('name mapping', () => {
  test('goes through JSON and back', () => {
    const mapping = createNameMapping(nested);
    expect(JSON.parse(formatNameMapping(mapping))[2]).toEqual({
      'field-id': 3,
      names: ['l'],
      fields: [{ 'field-id': 6, names: ['element'], fields: [{ 'field-id': 7, names: ['p'] }] }],
    });
    expect(parseNameMapping(formatNameMapping(mapping))).toEqual(mapping);
  });

  test('keeps aliases, adds renamed and new fields, and gives a reused name to its new owner', () => {
    const old = parseNameMapping('[{"field-id": 1, "names": ["key", "id0"]}, {"names": ["gone", "extra"]}]');
    const now = schema(field(1, 'id', 'long'), field(9, 'key', 'string'), field(10, 'gone', 'int'));
    expect(updateNameMapping(old, now)).toEqual([
      { fieldId: 1, names: ['id0', 'id'], fields: [] },
      { names: ['extra'], fields: [] },
      { fieldId: 9, names: ['key'], fields: [] },
      { fieldId: 10, names: ['gone'], fields: [] },
    ]);
  });

  test.each(['{', '{}', '[1]', '[{"names": "a"}]', '[{"field-id": "1", "names": []}]'])('%s is refused', (json) => {
    expect(() => parseNameMapping(json)).toThrow('schema.name-mapping.default');
  });
});
