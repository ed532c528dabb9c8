import fc from 'fast-check';
import { ExactNumber } from '../../src/formats/exact-number.ts';
import { jsonRecords } from '../../src/formats/jsonl.ts';
import { chunked, gathered } from './source.ts';

async function recordsOf(text: string, chunk = 5) {
  return (await gathered(jsonRecords(chunked(text, chunk), 'f.jsonl'))).flatMap((batch) => batch.records);
}

describe('jsonRecords', () => {
  test('objects come back, however the lines are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))),
        fc.integer({ min: 1, max: 40 }),
        async (objects, chunk) => {
          const lines = objects.map((object) => JSON.stringify(object));
          const expected = lines.map((line) => JSON.parse(line));
          const found = await recordsOf(lines.join('\r\n'), chunk);
          const rounded = (_: string, value: unknown) =>
            typeof value === 'bigint' ? Number(value) : value instanceof ExactNumber ? Number(value.source) : value;
          expect(JSON.stringify(found, rounded)).toBe(JSON.stringify(expected));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('no digit is lost', async () => {
    const [even, odd, decimal, short] = await recordsOf(
      '{"n":9007199254740994}\n{"n":-9007199254740993}\n{"n":123456789012345678.25}\n{"n":0.1}',
    );
    expect(even).toEqual({ n: 9007199254740994n });
    expect(odd).toEqual({ n: -9007199254740993n });
    expect(decimal).toEqual({ n: new ExactNumber('123456789012345678.25') });
    expect(short).toEqual({ n: 0.1 });
  });

  test('records know their lines, blank ones counted', async () => {
    const batches = await gathered(jsonRecords(chunked('{"a":1}\n\n{"a":2}\n', 4), 'f.jsonl'));
    expect(batches.flatMap((batch) => batch.lines)).toEqual([1, 3]);
    expect(batches.map((batch) => batch.firstRow)).toEqual([0, 1]);
  });

  test.each([
    ['{"a":1}\n{"a":\n', /line 2: expected one JSON object/],
    ['[{"a":1}]', /found a JSON array.*jq/],
    ['[\n{"a":1}\n]', /JSON document over several lines.*jq/],
    ['{\n"a":1\n}', /JSON document over several lines/],
    ['{"a":1}\n5', /line 2/],
    ['null', /line 1/],
  ])('%j is corrupt', async (text, message) => {
    await expect(recordsOf(text)).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringMatching(message) });
  });
});
