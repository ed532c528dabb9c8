import type { LakegateError } from '../../src/errors.ts';
import { detectFormat } from '../../src/formats/detect.ts';
import { textRows } from '../../src/formats/text-rows.ts';
import type { NestedField, Schema } from '../../src/iceberg/model.ts';
import { commaCsv, gathered, source, valuesOfBatches } from './source.ts';

const fields: NestedField[] = [
  { id: 1, name: 'id', type: 'long', required: true },
  { id: 2, name: 'name', type: 'string', required: false },
  { id: 3, name: 'price', type: 'decimal(9, 2)', required: false },
];

async function rowsOf(name: string, text: string, columns = fields, csv = commaCsv): Promise<unknown[][]> {
  const schema: Schema = { type: 'struct', schemaId: 0, fields: columns };
  const reader = await source(name, text);
  const batches = await gathered(textRows(reader, await detectFormat(reader), csv, schema));
  return valuesOfBatches(batches, schema);
}

describe('textRows of CSV', () => {
  test('columns are matched by name, in any order; missing optional ones and nulls are undefined', async () => {
    expect(await rowsOf('f.csv', 'name,id\n"a ""b""",1\n,2\n')).toEqual([
      [1n, 2n],
      ['a "b"', undefined],
      [undefined, undefined],
    ]);
  });

  test('without header, by position; of .tsv, by tab', async () => {
    expect(await rowsOf('f.csv', '1,a,2.5\n', fields, { ...commaCsv, header: false })).toEqual([[1n], ['a'], [250n]]);
    expect(await rowsOf('f.tsv', 'id\tname\n1\ta,b\n')).toEqual([[1n], ['a,b'], [undefined]]);
    await expect(rowsOf('f.csv', '1,a\n', fields, { ...commaCsv, header: false })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/expected 3 cells.*found 2/),
    });
  });

  test('all bad values are counted, the first listed with line, column, value and type, and no row comes after', async () => {
    const lines = Array.from({ length: 100 }, (_, i) => `${i % 2 === 0 ? i : `x${i}`},n,1.234`);
    const error = await rowsOf('f.csv', `id,name,price\n"1","two\nlines",1\n${lines.join('\n')}\n`).catch(
      (caught: LakegateError) => caught,
    );
    expect(error).toMatchObject({ kind: 'invalid', retryable: false, context: { count: 150 } });
    const first = (error as LakegateError).context.first as unknown[];
    expect(first).toHaveLength(5);
    expect(first[0]).toEqual({ row: 2, line: 5, column: 'id', value: '"x1"', expected: 'long' });
    expect((error as LakegateError).message).toContain('line 5, column "id": expected long, found "x1"');
  });

  test('a required null is a bad value', async () => {
    await expect(rowsOf('f.csv', 'id,name\n,a\n')).rejects.toMatchObject({
      context: { count: 1, first: [{ line: 2, column: 'id', value: 'null', expected: 'long (required)' }] },
    });
  });

  test('unknown and missing columns are refused by name, even without rows', async () => {
    await expect(rowsOf('f.csv', 'ID,name\n')).rejects.toMatchObject({
      kind: 'invalid',
      context: { unknown: ['ID'], missing: ['id'] },
    });
  });
});

describe('textRows of JSON Lines', () => {
  const nested: NestedField[] = [
    { id: 1, name: 'id', type: 'long', required: false },
    { id: 2, name: 'text', type: 'string', required: false },
    { id: 3, name: 'amount', type: 'decimal(20, 2)', required: false },
    {
      id: 4,
      name: 'p',
      required: false,
      type: {
        type: 'struct',
        fields: [
          { id: 5, name: 'constructor', type: 'int', required: false },
          { id: 6, name: 'y', type: 'double', required: true },
        ],
      },
    },
    {
      id: 7,
      name: 'm',
      required: false,
      type: { type: 'map', keyId: 8, key: 'int', valueId: 9, value: 'boolean', valueRequired: false },
    },
  ];

  test('nested values, long numbers and canonical texts', async () => {
    const text = [
      '{"id":9007199254740993,"text":1.5,"amount":123456789012345678.25,"p":{"y":1},"m":{"1":true,"-2":null}}',
      '{"id":2.0,"text":"é","amount":"0.10","p":null}',
    ].join('\n');
    expect(await rowsOf('f.jsonl', text, nested)).toEqual([
      [9007199254740993n, 2n],
      ['1.5', 'é'],
      [12345678901234567825n, 10n],
      [{ constructor: undefined, y: 1 }, undefined],
      [
        [
          { key: 1, value: true },
          { key: -2, value: undefined },
        ],
        undefined,
      ],
    ]);
  });

  test.each([
    ['{"id":"1"}', 'id'],
    ['{"id":1.5}', 'id'],
    ['{"id":1e400}', 'id'],
    ['{"text":{"a":1}}', 'text'],
    ['{"text":"\\ud800"}', 'text'],
    ['{"p":{"y":null}}', 'p.y'],
    ['{"p":{"y":1,"z":2}}', 'p.z'],
    ['{"p":[1]}', 'p'],
    ['{"m":{"x":true}}', 'm.key'],
    ['{"m":{"1":"yes"}}', 'm.value'],
    ['{"other":1}', 'other'],
  ])('%s does not fit', async (line, column) => {
    await expect(rowsOf('f.jsonl', `{"id":1}\n${line}\n`, nested)).rejects.toMatchObject({
      kind: 'invalid',
      context: { count: 1, first: [{ line: 2, row: 1, column }] },
    });
  });
});
