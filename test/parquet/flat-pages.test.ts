import { columnReader } from '../../src/formats/column-storage.ts';
import { flatConverter } from '../../src/formats/flat-convert.ts';
import { parquetConverter } from '../../src/formats/parquet-value.ts';
import type { PrimitiveType } from '../../src/iceberg/model.ts';
import { leafType } from '../../src/iceberg/parquet-type.ts';
import { isFlat } from '../../src/parquet/flat-column.ts';
import { readRows } from '../../src/parquet/rows.ts';
import { fixture, source } from './fixture.ts';

const codecs = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].flatMap((codec) => [`${codec}-v1`, `${codec}-v2`]);

/** Each column's values as boxed reading gives them. */
async function boxed(name: string): Promise<Record<string, unknown[]>> {
  const { open, footer } = source(fixture(`${name}.parquet`));
  const columns: Record<string, unknown[]> = {};
  for await (const batch of readRows(await footer(), open)) {
    for (const [column, values] of Object.entries(batch.columns))
      columns[column] = [...(columns[column] ?? []), ...values];
  }
  return columns;
}

/** As the table's own types, by flat reading and by boxed reading; bytes as hex, since pages are read over. */
async function asTypes(name: string, batchRows: number, cheapSeeks: boolean) {
  const { open, footer } = source(fixture(`${name}.parquet`), cheapSeeks);
  const read = await footer();
  const all = await boxed(name);
  const found: Record<string, unknown[]> = {};
  const expected: Record<string, unknown[]> = {};
  for await (const batch of readRows(read, open, { flat: true, batchRows })) {
    for (const field of read.fields) {
      const column = batch.columns[field.name]!;
      const type: PrimitiveType | undefined = field.leaf && leafType(field.leaf).type;
      if (field.leaf === undefined || type === undefined || !isFlat(column)) continue;
      const converted = flatConverter(field.leaf, type)!(column, () => undefined);
      const at = columnReader(converted, type);
      const values = Array.from({ length: batch.rows }, (_, row) =>
        converted.present?.[row] === 0 ? null : plain(at(row)),
      );
      found[field.name] = [...(found[field.name] ?? []), ...values];
      const convert = parquetConverter(field.leaf, type)!;
      expected[field.name] ??= all[field.name]!.map((value) => (value === null ? null : plain(convert(value) ?? null)));
    }
  }
  return { found, expected, fields: read.fields };
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return Object.is(value, -0) ? '-0' : value;
}

describe('readRows, flat', () => {
  test.each([...codecs, 'statistics', 'duckdb', 'polars', 'types', 'encodings', 'int96'])(
    'of %s gives what boxed reading gives',
    async (name) => {
      for (const [batchRows, cheapSeeks] of [
        [8192, true],
        [7, true],
        [64, false],
      ] as const) {
        const { found, expected, fields } = await asTypes(name, batchRows, cheapSeeks);
        expect(Object.keys(found).length).toBeGreaterThan(fields.filter(({ kind }) => kind === 'primitive').length / 2);
        for (const [column, values] of Object.entries(found)) {
          // What a type cannot hold is a misfit in the one and nothing in the other.
          expect([column, values]).toEqual([column, expected[column]]);
        }
      }
    },
  );

  test('lists, maps and structs come as they do otherwise', async () => {
    const { open, footer } = source(fixture('snappy-v1.parquet'));
    const read = await footer();
    const all = await boxed('snappy-v1');
    const nested = read.fields.filter(({ kind }) => kind !== 'primitive').map(({ name }) => name);
    expect(nested.length).toBeGreaterThan(1);
    const found: Record<string, unknown[]> = {};
    for await (const batch of readRows(read, open, { flat: true, columns: nested })) {
      for (const [name, values] of Object.entries(batch.columns)) {
        if (!isFlat(values)) found[name] = [...(found[name] ?? []), ...values];
      }
    }
    expect(found).toEqual(Object.fromEntries(nested.map((name) => [name, all[name]])));
  });

  test('pages that end early are corrupt, and text that is none', async () => {
    const bytes = fixture('none-v1.parquet');
    const { open, footer } = source(bytes);
    const read = await footer();
    const short = { ...read, rowGroups: read.rowGroups.map((group) => ({ ...group, numRows: group.numRows + 1 })) };
    const reading = async (of: typeof read, from: typeof open) => {
      for await (const _batch of readRows(of, from, { flat: true, columns: ['s'] }));
    };
    await expect(reading(short, open)).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/column `s` in row group 0.*1 rows early/),
    });
    const at = Buffer.from(bytes).indexOf('v1');
    const broken = Uint8Array.from(bytes);
    broken[at] = 0xff;
    await expect(reading(read, source(broken).open)).rejects.toMatchObject({ kind: 'corrupt' });
  });
});
