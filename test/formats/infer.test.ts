import { detectFormat } from '../../src/formats/detect.ts';
import { inferColumns } from '../../src/formats/infer.ts';
import { formatType } from '../../src/iceberg/types.ts';
import { commaCsv, source } from './source.ts';

async function typesOf(name: string, text: string, csv = commaCsv): Promise<Record<string, string>> {
  const reader = await source(name, text);
  const { columns } = await inferColumns(reader, await detectFormat(reader), csv);
  for (const column of columns) expect([column.id, column.required]).toEqual([0, false]);
  return Object.fromEntries(columns.map((column) => [column.name, formatType(column.type)]));
}

describe('inferColumns', () => {
  test.each([
    ['long', ['1', '-2', '0', '']],
    ['long', ['9223372036854775807', '1']],
    ['string', ['9223372036854775808']],
    ['string', ['9007199254740993', '0.5']],
    ['double', ['1', '2.5', '-1e10', '.5']],
    ['double', ['1', 'NaN', '-inf']],
    ['string', ['NaN']],
    ['string', ['1e999']],
    ['string', ['007']],
    ['string', ['-01']],
    ['string', ['+4930123456']],
    ['string', ['1 000']],
    ['string', [' 1']],
    ['string', ['1,5']],
    ['boolean', ['true', 'FALSE', '']],
    ['string', ['true', '1']],
    ['string', ['yes']],
    ['date', ['2024-02-29', '1969-12-31']],
    ['string', ['2023-02-29']],
    ['string', ['2024-02-29', '2024-02-29 10:00']],
    ['timestamp', ['2024-02-29 10:00', '2024-02-29T10:00:00.123456']],
    ['timestamptz', ['2024-02-29T10:00:00Z', '2024-02-29 10:00:00+02']],
    ['string', ['2024-02-29T10:00:00Z', '2024-02-29T10:00:00']],
    ['string', ['2024-02-29T10:00:00.123456789']],
    ['string', ['2024-02-29T25:00:00']],
    ['string', ['', '']],
  ])('%s: %j', async (type, cells) => {
    const text = `a,b\n${cells.map((cell) => `x,"${cell}"`).join('\n')}`;
    expect(await typesOf('f.csv', text)).toEqual({ a: 'string', b: type });
  });

  test('the last row counts as much as the first', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => i).join('\n');
    expect(await typesOf('f.csv', `n\n${rows}\nx1\n`)).toEqual({ n: 'string' });
  });

  test('rows are counted; a file without header gets names', async () => {
    const reader = await source('f.csv', '1,a\n2,b\n');
    const csv = { ...commaCsv, header: false };
    const { columns, rows } = await inferColumns(reader, await detectFormat(reader), csv);
    expect([rows, columns.map((column) => column.name)]).toEqual([2, ['column_1', 'column_2']]);
  });

  test('configured nulls have no type', async () => {
    expect(await typesOf('f.csv', 'a\n1\nN/A\n', { ...commaCsv, nullValue: ['N/A'] })).toEqual({ a: 'long' });
  });

  test('JSON: nested types, from all rows', async () => {
    const text = [
      '{"id":9007199254740992,"n":1,"tags":[],"p":{"x":1},"d":"2024-01-01","s":"1"}',
      '{"id":9007199254740993,"n":1.5,"tags":["a",null],"p":{"y":[{"z":true}]},"d":null,"u":null,"__proto__":1}',
    ].join('\n');
    expect(await typesOf('f.jsonl', text)).toEqual(
      Object.fromEntries([
        ['id', 'long'],
        ['n', 'double'],
        ['tags', 'list<string>'],
        ['p', 'struct<x: long, y: list<struct<z: boolean>>>'],
        ['d', 'date'],
        ['s', 'string'],
        ['u', 'string'],
        ['__proto__', 'long'],
      ]),
    );
  });

  test('JSON: what no type can hold is refused by name', async () => {
    await expect(typesOf('f.jsonl', '{"a":{"b":1}}\n{"a":{"b":[1]}}')).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('"a.b"'),
    });
    await expect(typesOf('f.jsonl', '{"a":{}}')).rejects.toMatchObject({ kind: 'invalid' });
  });
});
