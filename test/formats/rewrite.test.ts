import fc from 'fast-check';
import { parquetRows } from '../../src/formats/parquet-rows.ts';
import { type RewriteRequest, rewrite } from '../../src/formats/rewrite.ts';
import type { RowBatch, RowValue } from '../../src/formats/row-batch.ts';
import { deserializeValue } from '../../src/iceberg/bounds.ts';
import type {
  IcebergType,
  NestedField,
  PartitionSpec,
  PrimitiveType,
  Schema,
  Transform,
} from '../../src/iceberg/model.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import { readRows } from '../../src/parquet/rows.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { gathered, valuesOfBatches } from './source.ts';

const unpartitioned: PartitionSpec = { specId: 0, fields: [] };

function schemaOf(...types: IcebergType[]): Schema {
  const fields: NestedField[] = types.map((type, i) => ({ id: 100 + i, name: `c${i}`, type, required: false }));
  return { type: 'struct', schemaId: 0, fields };
}

function partitionedBy(...transforms: Transform[]): PartitionSpec {
  return {
    specId: 1,
    fields: transforms.map((transform, i) => ({ sourceId: 100 + i, fieldId: 1000 + i, name: `p${i}`, transform })),
  };
}

async function* batchesOf(columns: RowValue[][], size = 1000): AsyncGenerator<RowBatch> {
  const rows = columns[0]?.length ?? 0;
  for (let at = 0; at < rows; at += size) {
    const slices = columns.map((column) => column.slice(at, at + size));
    yield { firstRow: at, rows: slices[0]?.length ?? 0, columns: slices };
  }
}

async function write(schema: Schema, columns: RowValue[][], more: Partial<RewriteRequest> = {}) {
  const store: ObjectStore = more.store ?? createMemoryStore();
  const targetUrl = (path: string, n: number) => `memory:/t/${path === '' ? '' : `${path}/`}d-${n}.parquet`;
  const { files } = await rewrite({ rows: batchesOf(columns), schema, spec: unpartitioned, targetUrl, ...more, store });
  return { store, files };
}

async function footerOf(store: ObjectStore, url: string) {
  return readFooter(await store.open(url), url);
}

async function readBack(store: ObjectStore, url: string, schema: Schema): Promise<RowValue[][]> {
  const footer = await footerOf(store, url);
  const batches = await gathered(
    parquetRows(
      footer,
      readRows(footer, () => store.open(url)),
      schema,
    ),
  );
  return valuesOfBatches(batches, schema);
}

describe('rewrite', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const bits64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const digits = (n: number) => fc.bigInt({ min: -(10n ** BigInt(n)) + 1n, max: 10n ** BigInt(n) - 1n });
  const values: [IcebergType, fc.Arbitrary<RowValue>][] = [
    ['boolean', fc.boolean()],
    ['int', fc.integer()],
    ['long', bits64],
    ['float', fc.float()],
    ['double', fc.double()],
    ['date', fc.integer({ min: -100_000, max: 100_000 })],
    ['time', fc.bigInt({ min: 0n, max: 86_399_999_999n })],
    ['timestamp', bits64],
    ['timestamptz', bits64],
    ['string', fc.string({ unit: 'grapheme' })],
    ['uuid', bytes(16)],
    ['binary', fc.uint8Array()],
    ['fixed[3]', bytes(3)],
    ['decimal(9, 2)', digits(9)],
    ['decimal(18, 2)', digits(18)],
    ['decimal(38, 10)', digits(38)],
  ];

  test.each(values)('%s comes back from several row groups, with its id', async (type, value) => {
    const schema = schemaOf(type);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(value, { nil: undefined }), { minLength: 1, maxLength: 60 }),
        async (column) => {
          const { store, files } = await write(schema, [column], { rowGroupRows: 25 });
          const [file] = files;
          expect(files).toEqual([
            { url: 'memory:/t/d-0.parquet', size: file?.size, rows: column.length, partition: [] },
          ]);
          expect(await readBack(store, 'memory:/t/d-0.parquet', schema)).toEqual([column]);
          const footer = await footerOf(store, 'memory:/t/d-0.parquet');
          expect(footer.fileSize).toBe(file?.size);
          expect(footer.fields.map((field) => field.fieldId)).toEqual([100]);
          expect(
            footer.rowGroups
              .map((group) => group.numRows)
              .slice(0, -1)
              .every((rows) => rows === 25),
          ).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('statistics bound every value, however long', async () => {
    const schema = schemaOf('string', 'binary');
    const long = fc.string({
      unit: fc.constantFrom('a', 'ü', '\ud7ff', '😀', '\u{10ffff}'),
      minLength: 10,
      maxLength: 80,
    });
    const tail = fc
      .array(fc.constantFrom(0, 255), { minLength: 60, maxLength: 80 })
      .map((list) => Uint8Array.from(list));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(long, tail), { minLength: 1, maxLength: 5 }), async (rows) => {
        const { store } = await write(schema, [rows.map(([text]) => text), rows.map(([, raw]) => raw)]);
        const [group] = (await footerOf(store, 'memory:/t/d-0.parquet')).rowGroups;
        for (const [text, raw] of rows) {
          for (const [index, stored] of [Buffer.from(text), raw].entries()) {
            const { minValue, maxValue, nullCount } = group?.columns[index] ?? {};
            expect(nullCount).toBe(0);
            expect(Buffer.compare(minValue ?? Buffer.from('missing'), stored)).toBeLessThanOrEqual(0);
            expect(Buffer.compare(maxValue ?? Buffer.alloc(0), stored)).toBeGreaterThanOrEqual(0);
          }
        }
      }),
    );
  });

  test('numbers are bounded exactly, NaN and null apart', async () => {
    const types: PrimitiveType[] = ['double', 'decimal(38, 0)', 'timestamptz'];
    const schema = schemaOf(...types);
    const { store } = await write(schema, [
      [Number.NaN, 2, -1, undefined],
      [-(10n ** 30n), 5n, undefined, undefined],
      [5n, -7n, 0n, 1n],
    ]);
    const [group] = (await footerOf(store, 'memory:/t/d-0.parquet')).rowGroups;
    const bounds = group?.columns.map(({ minValue, maxValue, nullCount }, i) => [
      ...[minValue, maxValue].map((value) => deserializeValue(types[i] ?? 'int', value ?? new Uint8Array())),
      nullCount,
    ]);
    expect(bounds).toEqual([
      [-1, 2, 1],
      [-(10n ** 30n), 5n, 2],
      [-7n, 5n, 0],
    ]);
  });

  test('lists, maps and structs in each other come back', async () => {
    const struct: IcebergType = {
      type: 'struct',
      fields: [
        { id: 11, name: 'toString', type: 'double', required: false },
        {
          id: 12,
          name: 'deep',
          required: false,
          type: { type: 'list', elementId: 13, element: 'string', elementRequired: false },
        },
      ],
    };
    const list: IcebergType = { type: 'list', elementId: 10, element: struct, elementRequired: false };
    const schema = schemaOf(list, {
      type: 'map',
      keyId: 20,
      key: 'long',
      valueId: 21,
      value: list,
      valueRequired: false,
    });
    const item = fc.option(
      fc.record({
        toString: fc.option(fc.double({ noNaN: true }), { nil: undefined }),
        deep: fc.option(fc.array(fc.option(fc.string({ maxLength: 3 }), { nil: undefined }), { maxLength: 3 }), {
          nil: undefined,
        }),
      }),
      { nil: undefined },
    );
    const items = fc.option(fc.array(item, { maxLength: 3 }), { nil: undefined });
    const map = fc.option(fc.array(fc.record({ key: bits64, value: items }), { maxLength: 3 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(items, map), { minLength: 1, maxLength: 20 }), async (rows) => {
        const columns = [rows.map(([first]) => first), rows.map(([, second]) => second)] as RowValue[][];
        const { store } = await write(schema, columns, { rowGroupRows: 7 });
        expect(await readBack(store, 'memory:/t/d-0.parquet', schema)).toEqual(columns);
      }),
      { numRuns: 100 },
    );
  });

  test('rows go to the files of their partitions in order, null to its own', async () => {
    const schema = schemaOf('string', 'timestamp', 'long');
    const hour = 3_600_000_000n;
    const columns: RowValue[][] = [
      ['a/b', undefined, 'a/b', 'null', 'A/B'],
      [0n, 0n, 30n * hour, 0n, 0n],
      [0n, 1n, 2n, 3n, 4n],
    ];
    const { store, files } = await write(schema, columns, { spec: partitionedBy('identity', 'day') });
    expect(files.map((file) => [file.partition, file.rows])).toEqual([
      [['a/b', 0], 1],
      [[undefined, 0], 1],
      [['a/b', 1], 1],
      [['null', 0], 1],
      [['A/B', 0], 1],
    ]);
    // Null and "null", "a" and "A" share a folder on some file systems: never a file.
    expect(new Set(files.map((file) => file.url.toLowerCase())).size).toBe(5);
    const found = await Promise.all(files.map((file) => readBack(store, file.url, schema)));
    expect(found.map((columns) => columns[2])).toEqual([[0n], [1n], [2n], [3n], [4n]]);
  });

  test('a retry writes the same bytes under the same names', async () => {
    const schema = schemaOf('int', 'string');
    const columns: RowValue[][] = [
      Array.from({ length: 5000 }, (_, i) => i % 7),
      Array.from({ length: 5000 }, (_, i) => `row ${i}`),
    ];
    const { store, files } = await write(schema, columns, { spec: partitionedBy('identity'), rowGroupRows: 100 });
    const before = await Promise.all(files.map((file) => store.read(file.url)));
    const again = await write(schema, columns, { spec: partitionedBy('identity'), rowGroupRows: 100 });
    expect(again.files).toEqual(files);
    const after = await Promise.all(files.map((file) => again.store.read(file.url)));
    expect(after.map((file) => Buffer.from(file.bytes))).toEqual(before.map((file) => Buffer.from(file.bytes)));
    expect((await write(schema, columns, { spec: partitionedBy('identity'), rowGroupRows: 100, store })).files).toEqual(
      files,
    );
  });

  test('too many partitions name the column to blame, and leave nothing', async () => {
    const store = createMemoryStore();
    const columns: RowValue[][] = [Array.from({ length: 50 }, () => 1), Array.from({ length: 50 }, (_, i) => i)];
    const request = { spec: partitionedBy('identity', 'identity'), maxOpenPartitions: 10, store };
    await expect(write(schemaOf('int', 'int'), columns, request)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('column "c1" (identity)'),
    });
    expect(await gathered(store.list('memory:/t/'))).toEqual([]);
  });

  test('when the rows fail, their fault is thrown and no file appears', async () => {
    const store = createMemoryStore();
    const fault = new Error('bad data at the end');
    async function* failing(): AsyncGenerator<RowBatch> {
      yield* batchesOf([[1, 2, 3]]);
      throw fault;
    }
    await expect(write(schemaOf('int'), [], { rows: failing(), rowGroupRows: 1, store })).rejects.toBe(fault);
    expect(await gathered(store.list('memory:/t/'))).toEqual([]);
  });

  test('rows that are more than wait at once, in pages that are more than one, come back in order', async () => {
    const rows = 90_000;
    const schema = schemaOf('int', 'string', 'long');
    const long = 'x'.repeat(900);
    const text = (row: number) => (row % 10 === 3 ? undefined : `${long}${row}`);
    // One partition has almost all rows, another appears only now and then.
    const part = (row: number) => (row % 9999 === 0 ? 7 : row % 5 === 0 ? 1 : 0);
    async function* batches(): AsyncGenerator<RowBatch> {
      for (let at = 0; at < rows; at += 3000) {
        const numbers = Array.from({ length: 3000 }, (_, i) => at + i);
        yield { firstRow: at, rows: 3000, columns: [numbers.map(part), numbers.map(text), numbers.map(BigInt)] };
      }
    }
    const request = { spec: partitionedBy('identity'), rows: batches() };
    const { store, files } = await write(schema, [], request);
    expect(files.map((file) => [file.partition[0], file.rows])).toEqual([
      [7, 10],
      [0, rows - 18_000 - 8],
      [1, 18_000 - 2],
    ]);
    for (const { url, partition } of files) {
      const [parts, texts, numbers] = await readBack(store, url, schema);
      const expected = Array.from({ length: rows }, (_, row) => row).filter((row) => part(row) === partition[0]);
      expect(numbers?.map(Number)).toEqual(expected);
      expect(parts?.every((value) => value === partition[0])).toBe(true);
      expect(expected.findIndex((row, i) => texts?.[i] !== text(row))).toBe(-1);
    }
    const { rowGroups } = await footerOf(store, files[1]?.url ?? '');
    expect(rowGroups.length).toBeGreaterThan(1);
    expect(rowGroups[0]?.columns[1]).toMatchObject({ encodings: ['PLAIN'], offsetIndexLength: expect.any(Number) });
  });

  test('values that repeat are written once, and zeros keep their sign', async () => {
    const schema = schemaOf('double', 'long', 'string', 'decimal(38, 2)', 'date', 'uuid');
    const uuids = [Uint8Array.from({ length: 16 }, (_, i) => i), new Uint8Array(16)];
    const column = (values: RowValue[]) => Array.from({ length: 3000 }, (_, row) => values[row % values.length]);
    const columns = [
      column([0, -0, Number.NaN, undefined, 0.1]),
      column([2n ** 62n, -1n, undefined]),
      column(['', 'ü', undefined, 'word']),
      column([-1n, 10n ** 37n, undefined]),
      column([1, undefined]),
      column([...uuids, undefined]),
    ];
    const { store } = await write(schema, columns, { rowGroupRows: 1000 });
    expect(await readBack(store, 'memory:/t/d-0.parquet', schema)).toEqual(columns);
    const { rowGroups } = await footerOf(store, 'memory:/t/d-0.parquet');
    for (const { columns: chunks } of rowGroups) {
      for (const chunk of chunks) expect(chunk.encodings).toContain('RLE_DICTIONARY');
    }
  });

  test('no rows, no file', async () => {
    expect((await write(schemaOf('int'), [[]])).files).toEqual([]);
  });
});
