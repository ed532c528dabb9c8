/** Columns copied out of files of many writers are, under every reader of ours, what they were in the source. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { compressors as ofHyparquet } from 'hyparquet-compressors';
import { decompressed } from '../../src/parquet/compression.ts';
import {
  beginCopy,
  type ColumnCopy,
  copyRowGroups,
  finishCopy,
  readCopySource,
} from '../../src/parquet/copy-columns.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import type { ParquetFooter } from '../../src/parquet/model.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { fixture } from './fixture.ts';

const FOLDER = join(__dirname, '../fixtures/parquet');
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.parquet'));
const store = createMemoryStore();
/** hyparquet's own LZ4 refuses what pyarrow writes. */
const compressors = {
  ...ofHyparquet,
  LZ4: (input: Uint8Array, uncompressedSize: number) => lz4('LZ4', input, uncompressedSize),
  LZ4_RAW: (input: Uint8Array, uncompressedSize: number) => lz4('LZ4_RAW', input, uncompressedSize),
};
let made = 0;

function lz4(codec: 'LZ4' | 'LZ4_RAW', input: Uint8Array, uncompressedSize: number): Uint8Array {
  return decompressed({ codec, input, compressedSize: input.length, uncompressedSize });
}

async function put(bytes: Uint8Array): Promise<string> {
  made += 1;
  await store.create(`memory:/source-${made}`, bytes);
  return `memory:/source-${made}`;
}

/** Copies columns of files, one behind the other, into new files. @returns their URLs */
async function copied(sources: readonly string[], tables: readonly ColumnCopy['columns'][]): Promise<string[]> {
  made += 1;
  const urls = tables.map((_, table) => `memory:/copy-${made}-${table}`);
  const copies: ColumnCopy[] = [];
  for (const [table, columns] of tables.entries())
    copies.push(await beginCopy(await store.writer(urls[table]!), columns));
  for (const url of sources) {
    const source = await readCopySource(await store.open(url), url);
    await copyRowGroups(source, [...source.parts.rowGroups.keys()], copies);
  }
  for (const copy of copies) {
    const { size } = await finishCopy(copy);
    expect(size).toBe((await store.head(copy === copies[0] ? urls[0]! : urls[copies.indexOf(copy)]!))?.size);
  }
  return urls;
}

async function footerOf(url: string): Promise<ParquetFooter> {
  return readFooter(await store.open(url), url);
}

async function rowsOf(url: string): Promise<Record<string, unknown>[]> {
  const { bytes } = await store.read(url);
  const file = Uint8Array.from(bytes).buffer;
  return parquetReadObjects({ file, compressors });
}

describe.each(files)('%s', (file) => {
  test('two tables, the first column in both, read as they were', async () => {
    const url = await put(fixture(file));
    const before = await footerOf(url);
    const names = before.fields.map(({ name }) => name);
    const [key, ...rest] = names;
    const half = Math.ceil(rest.length / 2);
    const tables = [
      [key!, ...rest.slice(half)],
      [...rest.slice(0, half).toReversed(), key!],
    ].map((columns) => columns.map((source) => ({ source, name: source.toUpperCase() })));
    const urls = await copied([url], tables);
    const rows = await rowsOf(url);
    for (const [table, copy] of urls.entries()) {
      const after = await footerOf(copy);
      expect(after.fields.map(({ name }) => name)).toEqual(tables[table]!.map(({ name }) => name));
      expect(await rowsOf(copy)).toEqual(
        rows.map((row) => Object.fromEntries(tables[table]!.map(({ source, name }) => [name, row[source]]))),
      );
    }
  });

  test('twice behind itself', async () => {
    const url = await put(fixture(file));
    const before = await footerOf(url);
    const columns = before.fields.map(({ name }) => ({ source: name, name }));
    const [copy] = await copied([url, url], [columns]);
    const after = await footerOf(copy!);
    expect(after.numRows).toBe(2 * before.numRows);
    expect(after.rowGroups.map(({ numRows }) => numRows)).toEqual(
      [...before.rowGroups, ...before.rowGroups].map(({ numRows }) => numRows),
    );
    const rows = await rowsOf(url);
    expect(await rowsOf(copy!)).toEqual([...rows, ...rows]);
  });
});

test('statistics are the bytes they were', async () => {
  const url = await put(fixture('statistics.parquet'));
  const before = await footerOf(url);
  const columns = before.fields.map(({ name }) => ({ source: name, name }));
  const [copy] = await copied([url], [columns]);
  const after = await footerOf(copy!);
  const facts = (footer: ParquetFooter) =>
    footer.rowGroups.map(({ columns: chunks }) =>
      chunks.map(({ dataPageOffset: _d, dictionaryPageOffset: _i, offsetIndexOffset: _o, ...rest }) => rest),
    );
  expect(facts(after)).toEqual(facts(before));
  expect(after.createdBy).toBe(before.createdBy);
});

test('a column that is not there is named', async () => {
  const url = await put(Uint8Array.from(readFileSync(join(FOLDER, 'types.parquet'))));
  await expect(copied([url], [[{ source: 'nothing', name: 'nothing' }]])).rejects.toMatchObject({
    kind: 'not_found',
    message: expect.stringContaining('`nothing`'),
  });
});

test('files of another kind do not come under one footer', async () => {
  const one = await put(fixture('snappy-v1.parquet'));
  const other = await put(fixture('duckdb.parquet'));
  await expect(copied([one, other], [[{ source: 'i', name: 'i' }]])).rejects.toMatchObject({ kind: 'invalid' });
});
