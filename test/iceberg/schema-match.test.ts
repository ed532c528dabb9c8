import { unionByName } from '../../src/iceberg/evolve.ts';
import type { IcebergType, NestedField, Schema } from '../../src/iceberg/model.ts';
import { toIcebergSchema } from '../../src/iceberg/parquet-schema.ts';
import { allFields, assignIds } from '../../src/iceberg/schema.ts';
import { matchSchema } from '../../src/iceberg/schema-match.ts';
import type { Annotation, LogicalField, ParquetFooter, PhysicalType } from '../../src/parquet/model.ts';
import { footerOf, group, type Stored } from './footers.ts';

const table = (...columns: [string, IcebergType, boolean?][]): Schema => {
  const fields = columns.map(([name, type, required]): NestedField => ({ id: 0, name, required: !!required, type }));
  return { type: 'struct', schemaId: 0, fields: assignIds(fields, 1).fields };
};
const string: Annotation = { kind: 'string' };
const column = (name: string, physicalType: PhysicalType, annotation?: Annotation, rest: Partial<Stored> = {}) =>
  footerOf([{ name, physicalType, annotation, ...rest }]);
const kinds = (footer: ParquetFooter, schema: Schema) => matchSchema(schema, footer).problems.map((p) => p.kind);

/** A footer whose columns are given as trees over hand-made leaves. */
function nestedFooter(fields: LogicalField[]): ParquetFooter {
  const leaves: LogicalField[] = [];
  const place = (field: LogicalField, above: string): LogicalField => {
    const path = above + field.name;
    const made = { ...field, path, children: field.children.map((child) => place(child, `${path}.`)) };
    if (made.leaf !== undefined) {
      made.leaf = { ...made.leaf, index: leaves.length };
      leaves.push(made);
    }
    return made;
  };
  const placed = fields.map((field) => place(field, ''));
  return { ...footerOf([]), fields: placed, leaves: leaves.map((field) => field.leaf!) };
}
const leaf = (stored: Stored): LogicalField => footerOf([stored]).fields[0]!;

describe('the schema of a file', () => {
  test.each<[PhysicalType, Annotation | undefined, string, boolean]>([
    ['INT32', { kind: 'integer', bits: 8, signed: true }, 'int', false],
    ['INT32', { kind: 'integer', bits: 16, signed: false }, 'int', true],
    ['INT32', { kind: 'integer', bits: 32, signed: false }, 'long', true],
    ['INT64', { kind: 'integer', bits: 64, signed: true }, 'long', false],
    ['INT64', { kind: 'integer', bits: 64, signed: false }, 'long', true],
    ['INT64', { kind: 'timestamp', unit: 'millis', utc: true }, 'timestamptz', false],
    ['INT64', { kind: 'timestamp', unit: 'micros', utc: false }, 'timestamp', false],
    ['INT64', { kind: 'timestamp', unit: 'nanos', utc: false }, 'timestamp', true],
    ['INT32', { kind: 'time', unit: 'millis', utc: true }, 'time', true],
    ['INT96', undefined, 'timestamptz', true],
    ['FIXED_LEN_BYTE_ARRAY', { kind: 'decimal', precision: 38, scale: 4 }, 'decimal(38, 4)', false],
    ['FIXED_LEN_BYTE_ARRAY', undefined, 'fixed[16]', false],
    ['FIXED_LEN_BYTE_ARRAY', { kind: 'uuid' }, 'uuid', false],
    ['BYTE_ARRAY', { kind: 'json' }, 'string', false],
    ['BYTE_ARRAY', undefined, 'binary', false],
  ])('%s %j is %s', (physicalType, annotation, type, rewrite) => {
    const { schema, unsupported } = toIcebergSchema(column('c', physicalType, annotation, { typeLength: 16 }));
    expect(schema.fields).toEqual([{ id: 1, name: 'c', required: false, type }]);
    expect(unsupported.map((u) => u.rewrite)).toEqual(rewrite ? [true] : []);
  });

  test('what Iceberg has no type for is left out and named', () => {
    const footer = footerOf([
      { name: 'n', physicalType: 'INT32', annotation: { kind: 'null' } },
      { name: 'v', physicalType: 'FIXED_LEN_BYTE_ARRAY', annotation: { kind: 'interval' } },
      { name: 'd', physicalType: 'BYTE_ARRAY', annotation: { kind: 'decimal', precision: 76, scale: 2 } },
      { name: 'a', physicalType: 'INT32' },
      { name: 'a', physicalType: 'INT64' },
    ]);
    const { schema, unsupported } = toIcebergSchema(footer);
    expect(schema.fields.map((f) => f.name)).toEqual(['a']);
    expect(unsupported.map((u) => [u.column, u.rewrite])).toEqual([
      ['n', false],
      ['v', false],
      ['d', false],
      ['a', false],
    ]);
  });

  test('ids are the file’s when each field has its own, otherwise fresh', () => {
    const ids = (...given: (number | undefined)[]) =>
      toIcebergSchema(
        footerOf(given.map((fieldId, i) => ({ name: `c${i}`, physicalType: 'INT32' as const, fieldId }))),
      ).schema.fields.map((f) => f.id);
    expect(ids(7, 3)).toEqual([7, 3]);
    expect(ids(7, undefined)).toEqual([1, 2]);
    expect(ids(7, 7)).toEqual([1, 2]);
    expect(ids(0, 1)).toEqual([1, 2]);
    expect(ids(-1, -1)).toEqual([1, 2]);
  });
});

describe('a file against a table', () => {
  test('an equal or narrower column is taken as it is', () => {
    const match = matchSchema(
      table(['a', 'long'], ['b', 'string']),
      footerOf([
        { name: 'b', physicalType: 'BYTE_ARRAY', annotation: string },
        { name: 'a', physicalType: 'INT32' },
      ]),
    );
    expect(match).toEqual({
      foreignIds: false,
      fieldOfLeaf: new Map([
        [0, 2],
        [1, 1],
      ]),
      problems: [],
      additions: [],
      promotions: [],
      missing: [],
      rewrite: [],
    });
  });

  test('a wider column asks for a promotion', () => {
    expect(matchSchema(table(['a', 'int']), column('a', 'INT64')).promotions).toEqual([
      { fieldId: 1, column: 'a', from: 'int', to: 'long' },
    ]);
  });

  test.each<[PhysicalType, Annotation | undefined, IcebergType]>([
    ['BYTE_ARRAY', undefined, 'string'],
    ['BYTE_ARRAY', string, 'binary'],
    ['FIXED_LEN_BYTE_ARRAY', undefined, 'uuid'],
    ['INT96', undefined, 'timestamp'],
    ['INT32', { kind: 'null' }, 'string'],
    ['INT64', { kind: 'timestamp', unit: 'nanos', utc: true }, 'timestamptz'],
    ['INT32', { kind: 'integer', bits: 32, signed: false }, 'long'],
  ])('%s %j is rewritten into %s', (physicalType, annotation, type) => {
    const match = matchSchema(table(['a', type]), column('a', physicalType, annotation, { typeLength: 16 }));
    expect(match.problems).toEqual([]);
    expect(match.rewrite.map((r) => r.column)).toEqual(['a']);
  });

  test.each<[PhysicalType, Annotation | undefined, IcebergType]>([
    ['INT64', { kind: 'timestamp', unit: 'micros', utc: false }, 'timestamptz'],
    ['BYTE_ARRAY', string, 'int'],
    ['INT32', { kind: 'date' }, 'timestamp'],
    ['INT32', { kind: 'decimal', precision: 5, scale: 1 }, 'decimal(5, 2)'],
    ['DOUBLE', undefined, 'decimal(5, 2)'],
    ['INT32', undefined, { type: 'struct', fields: [] }],
  ])('%s %j is no %j', (physicalType, annotation, type) => {
    expect(kinds(column('a', physicalType, annotation), table(['a', type]))).toEqual(['type']);
  });

  test('a required column must be there and be required in the file', () => {
    expect(kinds(column('b', 'INT32'), table(['a', 'int', true]))).toEqual(['missing']);
    expect(kinds(column('a', 'INT32'), table(['a', 'int', true]))).toEqual(['nullability']);
    expect(kinds(column('a', 'INT32', undefined, { required: true }), table(['a', 'int', true]))).toEqual([]);
    expect(matchSchema(table(['a', 'int'], ['b', 'int']), column('a', 'INT32')).missing).toEqual(['b']);
  });

  test('names that differ by case only are pointed out, once', () => {
    const match = matchSchema(table(['userId', 'int', true]), column('UserID', 'INT32'));
    expect(match.problems.map((p) => p.message)).toEqual([
      'column "UserID": expected "userId", found "UserID": only the case differs',
    ]);
    expect(match.additions).toEqual([]);
  });

  test('field ids must lead to the column of that name', () => {
    const ids = (a: number, b: number) =>
      footerOf([
        { name: 'a', physicalType: 'INT32', fieldId: a },
        { name: 'b', physicalType: 'INT32', fieldId: b },
      ]);
    const schema = table(['a', 'int'], ['b', 'int']);
    expect(kinds(ids(1, 2), schema)).toEqual([]);
    expect(matchSchema(schema, ids(1, 2)).foreignIds).toBe(false);
    // Swapped, unknown, missing and repeated ids: the names count, and the ids have to go.
    for (const footer of [ids(2, 1), ids(1, 9), ids(1, -1), ids(1, 1)]) {
      const match = matchSchema(schema, footer);
      expect(match).toMatchObject({ foreignIds: true, problems: [] });
      expect([...match.fieldOfLeaf]).toEqual([
        [0, 1],
        [1, 2],
      ]);
    }
    const other = matchSchema(schema, footerOf([{ name: 'z', physicalType: 'INT32', fieldId: 1 }]));
    expect(other).toMatchObject({ foreignIds: true, additions: [{ name: 'z' }], missing: ['a', 'b'] });
    const alias = [{ fieldId: 1, names: ['z', 'a'], fields: [] }];
    const renamed = footerOf([{ name: 'z', physicalType: 'INT32', fieldId: 1 }]);
    expect(matchSchema(schema, renamed, alias).problems).toEqual([]);
  });

  test('a new column whose id in the file is not the one it gets is told by its name on the second look', () => {
    const schema = table(['a', 'int']);
    const withId = (id: number) =>
      footerOf([
        { name: 'a', physicalType: 'INT32', fieldId: 1 },
        { name: 'b', physicalType: 'INT32', fieldId: id },
      ]);
    const grown = unionByName(schema, matchSchema(schema, withId(5)).additions, [], 2).schema;
    expect(matchSchema(grown, withId(5))).toMatchObject({ foreignIds: true, problems: [] });
    expect(matchSchema(grown, withId(2))).toMatchObject({ foreignIds: false, problems: [] });
  });

  test('older names lead to their column', () => {
    const mapping = [{ fieldId: 2, names: ['old', 'b'], fields: [] }];
    const match = matchSchema(table(['a', 'int'], ['b', 'int']), column('old', 'INT32'), mapping);
    expect(match.fieldOfLeaf).toEqual(new Map([[0, 2]]));
    const both = footerOf([
      { name: 'old', physicalType: 'INT32' },
      { name: 'b', physicalType: 'INT32' },
    ]);
    expect(matchSchema(table(['a', 'int'], ['b', 'int']), both, mapping).problems.map((p) => p.kind)).toEqual([
      'duplicate',
    ]);
  });

  test('nested columns: additions keep their place, keys of maps do not change', () => {
    const schema = table([
      'm',
      {
        type: 'map',
        keyId: 0,
        key: 'int',
        valueId: 0,
        valueRequired: false,
        value: { type: 'struct', fields: [{ id: 0, name: 'x', required: false, type: 'int' }] },
      },
    ]);
    const footer = (key: PhysicalType) =>
      nestedFooter([
        group('m', 'map', [
          leaf({ name: 'key', physicalType: key }),
          group('value', 'struct', [
            leaf({ name: 'x', physicalType: 'INT64' }),
            leaf({ name: 'y', physicalType: 'DOUBLE' }),
          ]),
        ]),
      ]);
    const match = matchSchema(schema, footer('INT32'));
    expect(match.problems).toEqual([]);
    expect(match.promotions.map((p) => [p.column, p.to])).toEqual([['m.value.x', 'long']]);
    const grown = unionByName(schema, match.additions, match.promotions, 5).schema;
    expect(allFields(grown).map((f) => [f.name, f.field.id])).toEqual([
      ['m', 1],
      ['m.key', 2],
      ['m.value', 3],
      ['m.value.x', 4],
      ['m.value.y', 5],
    ]);
    const again = matchSchema(grown, footer('INT32'));
    expect([again.additions, again.promotions, again.problems]).toEqual([[], [], []]);
    expect([...again.fieldOfLeaf.values()]).toEqual([2, 4, 5]);
    expect(kinds(footer('INT64'), schema)).toEqual(['type']);
  });

  test('a new column that Iceberg has no type for is a problem, one to rewrite is added', () => {
    const footer = footerOf([
      { name: 'v', physicalType: 'BYTE_ARRAY', annotation: { kind: 'variant' } },
      { name: 't', physicalType: 'INT96' },
    ]);
    const match = matchSchema(table(['a', 'int']), footer);
    expect(match.problems.map((p) => [p.kind, p.column])).toEqual([['unsupported', 'v']]);
    expect(match.additions).toEqual([{ id: 0, name: 't', required: false, type: 'timestamptz' }]);
    expect(match.rewrite.map((r) => r.column)).toEqual(['t']);
  });
});
