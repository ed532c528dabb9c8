import fc from 'fast-check';
import { createKeySet } from '../../src/rules/key-set.ts';
import { createRowHasher } from '../../src/rules/row-key.ts';
import type { AuditedFile, RuleSpec } from '../../src/rules/rule.ts';
import { unique } from '../../src/rules/unique.ts';
import { fakeFile, micros } from './fake-file.ts';

type Unique = Extract<RuleSpec, { rule: 'unique' }>;
const nowMs = 0;

async function check(columns: string[], files: AuditedFile[], keysPerPass?: number) {
  const [result] = await unique({ rule: 'unique', columns } as Unique, { files, nowMs }, keysPerPass);
  return result!;
}

test('nulls are not compared, and a repeat is found across files', async () => {
  const a = fakeFile({ k: { type: 'string', values: ['x', undefined, 'y'] } }, { url: 'memory:/a' });
  const b = fakeFile({ k: { type: 'string', values: [undefined, 'z', 'x'] } }, { url: 'memory:/b' });
  expect(await check(['k'], [a, b])).toEqual({
    rule: 'unique',
    column: 'k',
    outcome: 'failed',
    count: 1,
    rows: [2],
    file: 'memory:/b',
    expected: 'no value twice',
    found: '1 row repeats an earlier one, first "x"',
  });
});

test('a combination repeats only as a whole', async () => {
  const columns = { a: { type: 'string', values: ['x', 'xy', 'x'] }, b: { type: 'string', values: ['yz', 'z', 'yz'] } };
  expect(await check(['a', 'b'], [fakeFile(columns)])).toMatchObject({ column: 'a, b', count: 1, rows: [2] });
});

test('one row is unique without reading it', async () => {
  const file = fakeFile({ k: { type: 'int', values: [1] } });
  expect(await check(['k'], [file])).toMatchObject({ outcome: 'passed' });
  expect(file.asked).toEqual(['fields', 'fields']);
});

test('integers and decimals are told apart exactly, whatever form they come in', async () => {
  const longs = fakeFile({ k: { type: 'long', values: [9007199254740993n, 9007199254740992n, 5n, 4294967301n] } });
  const ints = fakeFile({ k: { type: 'int', values: [5, -5, -1] } }, { url: 'memory:/b' });
  expect(await check(['k'], [longs, ints])).toMatchObject({ count: 1, rows: [0], file: 'memory:/b' });
  const decimals = {
    k: { type: 'decimal(5, 2)', values: [{ decimal: '1.50' }, { decimal: '1.5' }, { decimal: '15' }] },
  };
  expect(await check(['k'], [fakeFile(decimals)])).toMatchObject({ count: 1, rows: [1] });
  const doubles = { k: { type: 'double', values: [0, -0, Number.NaN, Number.NaN, 0.5, 1e300, 2 ** 60] } };
  expect(await check(['k'], [fakeFile(doubles)])).toMatchObject({ count: 2, rows: [1, 3] });
});

test('dates within bounds, across the epoch', async () => {
  const days = ['1969-12-30', '1970-01-01', '1969-12-31', '1970-01-02', '1969-12-31'].map(micros);
  const file = fakeFile({ k: { type: 'date', values: days } }, { statistics: true });
  expect(await check(['k'], [file])).toMatchObject({
    count: 1,
    rows: [4],
    found: expect.stringContaining('1969-12-31'),
  });
});

test('a value outside the bounds is the fault of the file', async () => {
  const file: AuditedFile = {
    ...fakeFile({ k: { type: 'int', values: [1, 2, 9] } }),
    bounds: async () => ({ lower: 1, upper: 3, exact: true }),
  };
  await expect(check(['k'], [file])).rejects.toMatchObject({ kind: 'corrupt' });
});

test('several passes find what one pass finds', async () => {
  const values = fc.array(fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 9 }), {
    minLength: 2,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(values, values, fc.integer({ min: 1, max: 30 }), async (first, second, keysPerPass) => {
      const files = [first, second].map((part, i) =>
        fakeFile({ k: { type: 'string', values: part.map((v) => v?.toString()) } }, { url: `memory:/${i}` }),
      );
      expect(await check(['k'], files, keysPerPass)).toEqual(await check(['k'], files));
    }),
    { numRuns: 200 },
  );
});

test('a bitmap finds what hashing finds', async () => {
  const values = fc.array(fc.option(fc.bigInt({ min: 2n ** 62n, max: 2n ** 62n + 50n }), { nil: undefined }), {
    minLength: 2,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(values, async (column) => {
      const by = (statistics: boolean) =>
        check(['k'], [fakeFile({ k: { type: 'long', values: column } }, { statistics })]);
      expect(await by(true)).toEqual(await by(false));
    }),
  );
});

test('different keys have different hashes', () => {
  const hasher = createRowHasher();
  const keys = createKeySet(100_001);
  for (let i = 0; i < 100_000; i++) {
    hasher.hash([i]);
    if (!keys.add(hasher.lanes)) throw new Error(`${i} collides`);
  }
  hasher.hash([12_345]);
  expect(keys.add(hasher.lanes)).toBe(false);
});

test('shares of the keys together find what one call finds, however many passes each takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }), { minLength: 2, maxLength: 80 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 3, max: 100 }),
      async (values, of, keysPerPass) => {
        const keys = values.map((value) => (value === undefined ? undefined : `k${value}`));
        const files = [fakeFile({ k: { type: 'string', values: keys } })];
        const spec: Unique = { rule: 'unique', columns: ['k'] };
        const [whole] = await unique(spec, { files, nowMs });
        const shares = await Promise.all(
          Array.from({ length: of }, (_, number) => unique(spec, { files, nowMs, share: { number, of } }, keysPerPass)),
        );
        expect(shares.reduce((sum, [share]) => sum + share!.count!, 0)).toBe(whole!.count);
        expect(shares.some(([share]) => share!.outcome === 'failed')).toBe(whole!.outcome === 'failed');
      },
    ),
  );
});
