import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetRows } from '../../src/formats/parquet-rows.ts';
import type { RowValue } from '../../src/formats/row-batch.ts';
import type { IcebergType, NestedField, Schema } from '../../src/iceberg/model.ts';
import type { MappedField } from '../../src/iceberg/name-mapping.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import { readRows } from '../../src/parquet/rows.ts';
import { gathered, source, valuesOfBatches } from './source.ts';

async function rowsOf(
  file: string,
  fields: NestedField[],
  nameMapping: readonly MappedField[] = [],
): Promise<Record<string, RowValue[]>> {
  const bytes = await readFile(join(process.cwd(), 'test/fixtures/formats', file));
  const reader = await source(file, bytes);
  const footer = await readFooter(reader, file);
  const schema: Schema = { type: 'struct', schemaId: 0, fields };
  const batches = await gathered(
    parquetRows(
      footer,
      readRows(footer, async () => reader),
      schema,
      nameMapping,
    ),
  );
  const values = valuesOfBatches(batches, schema);
  return Object.fromEntries(fields.map((field, i) => [field.name, values[i] ?? []]));
}

function field(id: number, name: string, type: IcebergType, required = false): NestedField {
  return { id, name, type, required };
}

const instant = BigInt(Date.UTC(2024, 1, 29, 12, 0, 0, 123)) * 1000n + 456n;

const convertible: NestedField[] = [
  field(1, 'small', 'int'),
  field(2, 'whole', 'long'),
  field(3, 'unsigned', 'long'),
  field(4, 'huge', 'long'),
  field(5, 'single', 'double'),
  field(6, 'price', 'decimal(20, 4)'),
  field(7, 'millis', 'timestamp'),
  field(8, 'nanos', 'timestamp'),
  field(9, 'instant', 'timestamptz'),
  field(10, 'clock', 'time'),
  field(11, 'day', 'date'),
  field(12, 'nothing', 'uuid'),
  field(13, 'nested', {
    type: 'struct',
    fields: [
      field(14, 'n', { type: 'list', elementId: 15, element: 'long', elementRequired: false }),
      field(16, 'm', {
        type: 'map',
        keyId: 17,
        key: 'string',
        valueId: 18,
        value: 'timestamp',
        valueRequired: false,
      }),
    ],
  }),
];

const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

describe('parquetRows', () => {
  test('finds columns that were renamed since by their older names, inside structs too', async () => {
    const renamed = convertible.map((column) => {
      if (column.name === 'small') return { ...column, name: 'tiny' };
      if (column.name !== 'nested' || typeof column.type === 'string' || column.type.type !== 'struct') return column;
      const fields = column.type.fields.map((child) => (child.name === 'n' ? { ...child, name: 'numbers' } : child));
      return { ...column, type: { ...column.type, fields } };
    });
    const mapping: MappedField[] = [
      { fieldId: 1, names: ['small', 'tiny'], fields: [] },
      { fieldId: 13, names: ['nested'], fields: [{ fieldId: 14, names: ['n', 'numbers'], fields: [] }] },
    ];
    const before = await rowsOf('convertible.parquet', convertible);
    const after = await rowsOf('convertible.parquet', renamed, mapping);
    expect(after.tiny).toEqual(before.small);
    expect(JSON.stringify(after.nested, bigints)).toBe(
      JSON.stringify(before.nested, bigints).replaceAll('"n":', '"numbers":'),
    );
    await expect(rowsOf('convertible.parquet', renamed)).rejects.toThrow(/"small" is not in the table/);
  });

  test('every type comes as the table has it, nothing rounded', async () => {
    const found = await rowsOf('convertible.parquet', [...convertible, field(19, 'added', 'string')]);
    expect(found).toEqual({
      small: [-1, undefined, 127],
      whole: [1n, undefined, -(2n ** 31n)],
      unsigned: [0n, undefined, 2n ** 32n - 1n],
      huge: [0n, undefined, 2n ** 63n - 1n],
      single: [0.5, undefined, -0],
      price: [12500n, undefined, -99999999900n],
      millis: [instant - 456n, undefined, -1000000n],
      nanos: [instant, undefined, -1n],
      instant: [instant, undefined, 0n],
      clock: [3723000000n, undefined, 86399999000n],
      day: [19782, undefined, -1],
      nothing: [undefined, undefined, undefined],
      nested: [{ n: [1n, undefined], m: [{ key: 'k', value: instant }] }, undefined, { n: [], m: [] }],
      added: [undefined, undefined, undefined],
    });
  });

  test('INT96 becomes microseconds', async () => {
    const found = await rowsOf('int96.parquet', [field(1, 'at', 'timestamptz')]);
    expect(found.at).toEqual([instant, undefined, BigInt(Date.UTC(1900, 0, 1)) * 1000n]);
  });

  test('what would be lost is counted and refused, with column and row', async () => {
    const fields = [field(1, 'nanos', 'timestamp'), field(2, 'huge', 'long'), field(3, 'name', 'string', true)];
    const file = await readFile(join(process.cwd(), 'test/fixtures/formats/lossy.parquet'));
    const open = () => source('lossy.parquet', file);
    const footer = await readFooter(await open(), 'lossy.parquet');
    const schema: Schema = { type: 'struct', schemaId: 0, fields };
    const flat = gathered(parquetRows(footer, readRows(footer, open, { flat: true }), schema)).catch((error) => error);
    const fault = await rowsOf('lossy.parquet', fields).catch((error) => error);
    expect(await flat).toMatchObject({ message: fault.message, context: fault.context });
    expect(fault).toMatchObject({
      kind: 'invalid',
      context: {
        count: 5,
        first: [
          { row: 0, column: 'nanos', value: '1' },
          { row: 2, column: 'nanos', value: '3001' },
          { row: 0, column: 'huge', value: '9223372036854775808' },
          { row: 2, column: 'huge' },
          { row: 1, column: 'name', value: 'null', expected: 'string (required)' },
        ],
      },
    });
  });

  test.each<[string, NestedField[], RegExp]>([
    [
      'a column that the table lacks',
      [field(1, 'nanos', 'timestamp'), field(2, 'huge', 'long')],
      /"name" is not in the table/,
    ],
    [
      'a required column that the file lacks',
      [
        field(1, 'nanos', 'timestamp'),
        field(2, 'huge', 'long'),
        field(3, 'name', 'string'),
        field(4, 'x', 'int', true),
      ],
      /required column "x"/,
    ],
    [
      'a type that is another',
      [field(1, 'nanos', 'timestamptz'), field(2, 'huge', 'long'), field(3, 'name', 'string')],
      /"nanos": expected timestamptz, found Parquet INT64 \(timestamp, unit nanos, utc false\)/,
    ],
  ])('%s is refused before any row', async (_, fields, message) => {
    await expect(rowsOf('lossy.parquet', fields)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(message),
    });
  });
});
