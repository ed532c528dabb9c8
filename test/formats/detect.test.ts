import { gzipSync, zstdCompressSync } from 'node:zlib';
import { detectFormat } from '../../src/formats/detect.ts';
import { source } from './source.ts';

const parquet = Buffer.from('PAR1....PAR1');

describe('detectFormat', () => {
  test.each([
    ['a.csv', 'x\n1', { format: 'csv', compression: 'none' }],
    ['A.TSV', 'x\n1', { format: 'csv', compression: 'none', delimiter: '\t' }],
    ['a.ndjson', '{}', { format: 'jsonl', compression: 'none' }],
    ['a.v2.json', '{}', { format: 'jsonl', compression: 'none' }],
    ['a.csv.gz', gzipSync('x'), { format: 'csv', compression: 'gzip' }],
    ['a.jsonl.zst', zstdCompressSync('x'), { format: 'jsonl', compression: 'zstd' }],
    ['part-0.snappy.parquet', parquet, { format: 'parquet', compression: 'none' }],
    // A header may begin with the letters of a magic number.
    ['a.csv', 'BZh,x\n1,2', { format: 'csv', compression: 'none' }],
  ])('%s is recognised', async (name, content, expected) => {
    expect(await detectFormat(await source(name, content))).toEqual(expected);
  });

  test.each([
    ['a.csv', parquet, /expected uncompressed csv.*found Parquet/],
    ['a.csv', gzipSync('x'), /found gzip/],
    ['a.csv.gz', 'x\n1', /expected gzip.*found something else/],
    ['a.csv.zst', gzipSync('x'), /expected zstd.*found gzip/],
  ])('%s is corrupt when name and content disagree', async (name, content, message) => {
    await expect(detectFormat(await source(name, content))).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(message),
    });
  });

  test('a configured format serves names that say nothing, and is contradicted by names that do', async () => {
    expect(await detectFormat(await source('export.txt', 'x'), 'csv')).toEqual({ format: 'csv', compression: 'none' });
    expect(await detectFormat(await source('export', gzipSync('x')), 'csv')).toMatchObject({ compression: 'gzip' });
    await expect(detectFormat(await source('a.jsonl', '{}'), 'csv')).rejects.toMatchObject({ kind: 'corrupt' });
  });

  test.each(['a', 'a.txt', 'a.constructor', 'a.csv.bz2', 'a.parquet.gz'])('%s is unsupported', async (name) => {
    await expect(detectFormat(await source(name, 'x'))).rejects.toMatchObject({ kind: 'unsupported' });
  });
});
