import { createParquetFile } from '../../src/formats/parquet-file.ts';
import { RowBlock } from '../../src/formats/row-block.ts';
import type { Schema } from '../../src/iceberg/model.ts';
import { copyWithoutFieldIds } from '../../src/parquet/copy-without-field-ids.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import type { LogicalField, ParquetFooter } from '../../src/parquet/model.ts';
import { readRows } from '../../src/parquet/rows.ts';
import { stripFieldIds, withoutFieldIds } from '../../src/parquet/strip-field-ids.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';

/** Twenty columns, so that the schema's list has a long header, with ids of one and of several bytes. */
const schema: Schema = {
  type: 'struct',
  schemaId: 0,
  fields: Array.from({ length: 20 }, (_, index) => ({
    id: index === 0 ? 1 : index * 1000,
    name: `c${index}`,
    required: false,
    type: index % 2 === 0 ? ('long' as const) : ('timestamptz' as const),
  })),
};

const store = createMemoryStore();

beforeAll(async () => {
  const file = await createParquetFile(store, 'memory:/with', schema);
  const block = new RowBlock(schema);
  block.append({
    firstRow: 0,
    rows: 3,
    columns: schema.fields.map((_, column) => [BigInt(column), undefined, 2n ** 62n]),
  });
  await file.writeRowGroup(3, (column) => block.gather(column, Uint32Array.of(0, 1, 2)));
  await file.finish();
});

async function footerOf(url: string): Promise<ParquetFooter> {
  const reader = await store.open(url);
  return readFooter(reader, url);
}

async function rowsOf(url: string): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const { columns } of readRows(await footerOf(url), () => store.open(url))) batches.push(columns);
  return batches;
}

const idsOf = (fields: readonly LogicalField[]): (number | undefined)[] =>
  fields.flatMap((field) => [field.fieldId, ...idsOf(field.children)]);

test('the copy has the same rows, types and statistics, and no field ids', async () => {
  const before = await footerOf('memory:/with');
  expect(idsOf(before.fields)).toEqual(schema.fields.map(({ id }) => id));
  const size = await copyWithoutFieldIds(store, 'memory:/with', before.footerStart, 'memory:/without');
  const after = await footerOf('memory:/without');
  expect(size).toBe(after.fileSize);
  expect(size).toBeLessThan(before.fileSize);
  expect(after).toEqual({ ...withoutFieldIds(before), url: 'memory:/without', fileSize: size });
  expect(await rowsOf('memory:/without')).toEqual(await rowsOf('memory:/with'));
});

test('a footer without ids stays as it is, byte for byte', async () => {
  const { footerStart } = await footerOf('memory:/without');
  const { bytes } = await store.read('memory:/without');
  const thrift = bytes.subarray(footerStart, bytes.length - 8);
  expect(Buffer.from(stripFieldIds(thrift)).equals(thrift)).toBe(true);
});

test('a copy that an earlier attempt finished is left as it is', async () => {
  const { footerStart } = await footerOf('memory:/with');
  const again = await copyWithoutFieldIds(store, 'memory:/with', footerStart, 'memory:/without');
  expect(again).toBe((await footerOf('memory:/without')).fileSize);
});
