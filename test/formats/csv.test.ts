import fc from 'fast-check';
import { type CsvBatch, cellText, csvRecords, lineOf } from '../../src/formats/csv.ts';
import { chunked, commaCsv, gathered } from './source.ts';

function recordsIn(batch: CsvBatch): string[][] {
  return Array.from({ length: batch.rows }, (_, row) =>
    Array.from({ length: batch.width }, (_, cell) => cellText(batch, row, cell)),
  );
}

async function recordsOf(text: string, options = commaCsv, chunk = 7): Promise<string[][]> {
  return (await gathered(csvRecords(chunked(text, chunk), options, 'f.csv'))).flatMap(recordsIn);
}

describe('csvRecords', () => {
  test('whatever is written comes back, however it is cut', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '"', ',', '\n', '\r\n', ' ', ';') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 30 }),
        async (rows, newline, chunk) => {
          const quoted = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
          const text = ['a,b,c', ...quoted].join(newline);
          expect(await recordsOf(text, commaCsv, chunk)).toEqual(rows);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('line ends may be mixed, and blank lines are no records', async () => {
    expect(await recordsOf('a,b\r\n1,2\n\n3,4\r\n')).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  test('other delimiters, other quotes, no quotes, no header', async () => {
    expect(await recordsOf("a;b\n'x;y';2", { ...commaCsv, delimiter: ';', quote: "'" })).toEqual([['x;y', '2']]);
    expect(await recordsOf('a\tb\n5"\t2', { ...commaCsv, delimiter: '\t', quote: '' })).toEqual([['5"', '2']]);
    expect(await recordsOf('1,2\n3,4', { ...commaCsv, header: false })).toHaveLength(2);
  });

  test('a header without rows is still seen', async () => {
    const batches = await gathered(csvRecords(chunked('a,b\n', 3), commaCsv, 'f.csv'));
    expect(batches.map((batch) => [batch.header, recordsIn(batch)])).toEqual([[['a', 'b'], []]]);
  });

  test('lines are counted through quoted line ends', async () => {
    const text = 'a,b\n1,"x\ny"\n2,z\n';
    const batches = await gathered(csvRecords(chunked(text, 1000), commaCsv, 'f.csv'));
    expect(batches.flatMap((batch) => recordsIn(batch).map((_, index) => lineOf(batch, index)))).toEqual([2, 4]);
  });

  test.each([
    ['ragged, more', 'a,b\n1,2\n1,2,3\n', /line 3.*as many cells/],
    ['ragged, fewer', 'a,b\n1,2\n1\n', /line 3/],
    ['unclosed quote', 'a,b\n1,"2\n3,4\n', /not closed/],
    ['stray quote', 'a,b\n1,x"y\n', /line 2/],
    ['text after a quote', 'a,b\n1,"x"y\n', /line 2/],
    ['duplicate names', 'a,a\n1,2\n', /line 1: column 2 .*repeats the name "a"/],
    ['an empty name', 'a, \n1,2\n', /column 2 .*has no name/],
    ['nothing at all', '', /empty file/],
  ])('%s is corrupt', async (_, text, message) => {
    for (const chunk of [1, 1000]) {
      await expect(recordsOf(text, commaCsv, chunk)).rejects.toMatchObject({
        kind: 'corrupt',
        message: expect.stringMatching(message),
      });
    }
  });
});
