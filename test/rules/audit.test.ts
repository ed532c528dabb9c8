import { LakegateError } from '../../src/errors.ts';
import { audit } from '../../src/rules/audit.ts';
import type { AuditContext, AuditedFile, RuleSpec } from '../../src/rules/rule.ts';
import { fakeFile, micros } from './fake-file.ts';

const NOW = Date.parse('2024-06-01T12:00:00Z');

function auditOf(rules: RuleSpec[], files: AuditedFile[], more: Partial<AuditContext> = {}) {
  return audit(rules, { files, nowMs: NOW, ...more });
}

async function one(rule: RuleSpec, files: AuditedFile[], more: Partial<AuditContext> = {}) {
  const { results } = await auditOf([rule], files, more);
  expect(results).toHaveLength(1);
  return results[0]!;
}

const int = (...values: (number | undefined)[]) => ({ type: 'int', values });
const text = (...values: (string | undefined)[]) => ({ type: 'string', values });

describe('audit', () => {
  const lost = new LakegateError('unavailable', 'the store did not answer');

  test('an infrastructure fault makes one rule inconclusive and leaves the others', async () => {
    const file = fakeFile({ a: int(1, undefined) }, { faults: { values: lost } });
    const verdict = await auditOf(
      [
        { rule: 'range', column: 'a', min: 0 },
        { rule: 'row_count', min: 1 },
      ],
      [file],
    );
    expect(verdict.outcome).toBe('inconclusive');
    expect(verdict.results.map((result) => result.outcome)).toEqual(['inconclusive', 'passed']);
    expect(verdict.results[0]).toEqual({
      rule: 'range',
      column: 'a',
      outcome: 'inconclusive',
      expected: 'the rule to be checked',
      found: 'could not be checked: the store did not answer',
    });
  });

  test('bad data outweighs what could not be checked', async () => {
    const file = fakeFile({ a: int(1, undefined) }, { faults: { values: lost } });
    const verdict = await auditOf(
      [
        { rule: 'range', column: 'a', min: 0 },
        { rule: 'not_null', columns: '*' },
      ],
      [file],
    );
    expect(verdict.outcome).toBe('failed');
  });

  test('a corrupt file is thrown: it is no verdict', async () => {
    const file = fakeFile({ a: int(1) }, { faults: { nulls: new LakegateError('corrupt', 'bad page') } });
    await expect(auditOf([{ rule: 'row_count' }, { rule: 'not_null', columns: '*' }], [file])).rejects.toThrow(
      'bad page',
    );
  });

  test('a question is asked once, however many rules need it, and all columns before single ones', async () => {
    const file = fakeFile({ a: int(1, 2), b: int(1, 2) }, { statistics: true });
    const verdict = await auditOf(
      [
        { rule: 'max_null_fraction', column: 'a', atMost: 0.5 },
        { rule: 'range', column: 'a', min: 0 },
        { rule: 'range', column: 'a', max: 5 },
        { rule: 'not_null', columns: ['a'] },
        { rule: 'not_null', columns: '*' },
      ],
      [file],
    );
    expect(verdict.outcome).toBe('passed');
    expect(verdict.results.map((result) => result.rule)).toEqual([
      'max_null_fraction',
      'range',
      'range',
      'not_null',
      'not_null',
    ]);
    expect([...file.asked].sort()).toEqual(['bounds a', 'fields', 'nulls *']);
  });

  test('when the question about all columns fails, single columns are still answered', async () => {
    const whole = fakeFile({ a: int(1), b: int(1) });
    const file: AuditedFile = {
      ...whole,
      nulls: (names) => (names === '*' ? Promise.reject(lost) : whole.nulls(names)),
    };
    const verdict = await auditOf(
      [
        { rule: 'not_null', columns: '*' },
        { rule: 'not_null', columns: ['b'] },
      ],
      [file],
    );
    expect(verdict.results.map((result) => result.outcome)).toEqual(['inconclusive', 'passed']);
  });

  test('a delivery without files has a row count and nothing else to judge', async () => {
    const verdict = await auditOf(
      [
        { rule: 'row_count', max: 0 },
        { rule: 'not_null', columns: '*' },
      ],
      [],
    );
    expect(verdict.results.map((result) => result.outcome)).toEqual(['passed', 'inconclusive']);
  });

  test('no rules: passed', async () => {
    expect(await auditOf([], [fakeFile({ a: int(1) })])).toEqual({ outcome: 'passed', rows: 1, results: [] });
  });
});

describe('not_null', () => {
  test('* gives a result per column with nulls, by one question, positions of failing columns only', async () => {
    const file = fakeFile({ a: int(1, 2), b: int(undefined, 2), c: text(undefined, undefined) });
    const { results } = await auditOf([{ rule: 'not_null', columns: '*' }], [file]);
    expect(results).toEqual([
      { rule: 'not_null', column: 'b', outcome: 'failed', count: 1, rows: [0], expected: 'no nulls', found: '1 null' },
      {
        rule: 'not_null',
        column: 'c',
        outcome: 'failed',
        count: 2,
        rows: [0, 1],
        expected: 'no nulls',
        found: '2 nulls',
      },
    ]);
    expect(file.asked).toEqual(['nulls *', 'nullRows b', 'nullRows c']);
  });

  test('* gives one result when all is well', async () => {
    const result = await one({ rule: 'not_null', columns: '*' }, [fakeFile({ a: int(1), b: int(2) })]);
    expect(result).toMatchObject({ column: '*', outcome: 'passed', count: 0 });
  });

  test('listed columns give a result each, in their order; a missing one fails with the likely name', async () => {
    const file = fakeFile({ customer_id: int(1, undefined), b: int(1, 2) });
    const { results } = await auditOf([{ rule: 'not_null', columns: ['b', 'Customer_Ids', 'customer_id'] }], [file]);
    expect(results.map(({ column, outcome, count }) => [column, outcome, count])).toEqual([
      ['b', 'passed', 0],
      ['Customer_Ids', 'failed', 2],
      ['customer_id', 'failed', 1],
    ]);
    expect(results[1]!.found).toBe('no such column; did you mean customer_id');
  });

  test('nulls add up over files; positions are those of the first file with some', async () => {
    const files = [
      fakeFile({ a: int(1) }, { url: 'memory:/1' }),
      fakeFile({ a: int(1, undefined) }, { url: 'memory:/2' }),
      fakeFile({ a: int(undefined) }, { url: 'memory:/3' }),
    ];
    expect(await one({ rule: 'not_null', columns: ['a'] }, files)).toMatchObject({
      count: 2,
      rows: [1],
      file: 'memory:/2',
    });
  });

  test('positions that cannot be read do not unsay the nulls', async () => {
    const file = fakeFile({ a: int(undefined) }, { faults: { nullRows: new LakegateError('unavailable', 'gone') } });
    const result = await one({ rule: 'not_null', columns: '*' }, [file]);
    expect(result).toMatchObject({ outcome: 'failed', count: 1 });
    expect(result.rows).toBeUndefined();
  });
});

describe('max_null_fraction', () => {
  const tenth = [...new Array<undefined>(3).fill(undefined), ...new Array<number>(27).fill(1)];

  test('the limit itself passes', async () => {
    const rule: RuleSpec = { rule: 'max_null_fraction', column: 'a', atMost: 0.1 };
    expect(await one(rule, [fakeFile({ a: int(...tenth) })])).toMatchObject({ outcome: 'passed' });
    expect(await one({ ...rule, atMost: 0.09 }, [fakeFile({ a: int(...tenth) })])).toMatchObject({
      outcome: 'failed',
      count: 3,
      rows: [0, 1, 2],
      found: '3 nulls in 30 values (10%)',
    });
    expect(await one(rule, [fakeFile({ a: int() })])).toMatchObject({ outcome: 'passed' });
  });

  test("a struct's field is measured where the struct is present; inside a list there is no measure", async () => {
    const nested = (outer: AuditedFile): AuditedFile => ({
      ...outer,
      nulls: async () => [
        { name: 's', nulls: 2, from: 'statistics' },
        { name: 's.a', nulls: 1, from: 'statistics' },
      ],
    });
    const columns = {
      s: { type: 'struct<a: int>', values: [1, 1, 1, 1] },
      's.a': { type: 'int', values: [1, 1, 1, 1], nested: true },
      l: { type: 'list<int>', values: [1, 1, 1, 1] },
      'l.element': { type: 'int', values: [1, 1, 1, 1], nested: true },
    };
    const half = await one({ rule: 'max_null_fraction', column: 's.a', atMost: 0.4 }, [nested(fakeFile(columns))]);
    expect(half).toMatchObject({ outcome: 'failed', found: '1 nulls in 2 values (50%)' });
    const element = await one({ rule: 'max_null_fraction', column: 'l.element', atMost: 0.4 }, [fakeFile(columns)]);
    expect(element).toMatchObject({ outcome: 'inconclusive', found: expect.stringContaining('inside l, a list<int>') });
  });
});

test('row_count counts all files and says by how many rows it is missed', async () => {
  const files = [fakeFile({ a: int(1, 2) }), fakeFile({ a: int(3) })];
  expect(await one({ rule: 'row_count', min: 3, max: 3 }, files)).toMatchObject({ outcome: 'passed', count: 0 });
  expect(await one({ rule: 'row_count', min: 5 }, files)).toMatchObject({
    outcome: 'failed',
    count: 2,
    expected: 'at least 5 rows',
  });
  expect(await one({ rule: 'row_count', max: 2 }, files)).toMatchObject({
    outcome: 'failed',
    count: 1,
    found: '3 rows',
  });
});

describe('range', () => {
  test('statistics decide without decoding', async () => {
    const file = fakeFile({ a: int(1, undefined, 9) }, { statistics: true });
    expect(await one({ rule: 'range', column: 'a', min: 1, max: 9 }, [file])).toMatchObject({ outcome: 'passed' });
    expect(file.asked).toEqual(['fields', 'bounds a']);
  });

  test('only the files in doubt are decoded', async () => {
    const good = fakeFile({ a: int(1) }, { statistics: true, url: 'memory:/good' });
    const bad = fakeFile({ a: int(3, -1, 11, 12) }, { statistics: true, url: 'memory:/bad' });
    const result = await one({ rule: 'range', column: 'a', min: 0, max: 10 }, [good, bad]);
    expect(result).toMatchObject({
      count: 3,
      rows: [1, 2, 3],
      file: 'memory:/bad',
      found: '3 values out of range: -1, 11, 12',
    });
    expect(good.asked).not.toContain('values a');
  });

  test('NaN is a violation, and bounds do not hide it', async () => {
    const file = fakeFile({ a: { type: 'double', values: [1, Number.NaN, undefined] } }, { statistics: true });
    expect(await one({ rule: 'range', column: 'a', min: 0 }, [file])).toMatchObject({
      outcome: 'failed',
      count: 1,
      rows: [1],
    });
  });

  test('dates and exact decimals', async () => {
    const file = fakeFile({
      day: { type: 'date', values: [micros('2024-01-31'), micros('2024-02-01')] },
      price: { type: 'decimal(38, 2)', values: [{ decimal: '0.10' }, { decimal: '99999999999999999999.99' }] },
    });
    expect(await one({ rule: 'range', column: 'day', max: '2024-01-31' }, [file])).toMatchObject({
      count: 1,
      found: '1 value out of range: 2024-02-01',
    });
    expect(
      await one({ rule: 'range', column: 'price', min: 0.1, max: '99999999999999999999.98' }, [file]),
    ).toMatchObject({
      count: 1,
      rows: [1],
    });
  });

  test.each([
    [{ column: 'a', min: 'abc' }, '"abc" cannot be compared with a column of type int: write a number'],
    [{ column: 'a', min: 5, max: 4 }, 'no value can pass: min is above max, change the rule'],
    [{ column: 's', min: 1 }, 's is a struct<x: int>: name one of its primitive fields'],
    [{ column: 'l.element', min: 1 }, 'l.element lies inside l, a list<int>, and has not one value per row'],
  ])('a rule that cannot be checked is inconclusive: %j', async (limits, found) => {
    const file = fakeFile({
      a: int(1),
      s: { type: 'struct<x: int>', values: [1] },
      l: { type: 'list<int>', values: [1] },
      'l.element': { ...int(1), nested: true },
    });
    expect(await one({ rule: 'range', ...limits }, [file])).toMatchObject({ outcome: 'inconclusive', found });
  });
});

describe('accepted_values', () => {
  test('a dictionary decides without decoding, nulls aside', async () => {
    const file = fakeFile({ a: text('x', undefined, 'y') }, { statistics: true });
    expect(await one({ rule: 'accepted_values', column: 'a', values: ['x', 'y'] }, [file])).toMatchObject({
      outcome: 'passed',
    });
    expect(file.asked).not.toContain('values a');
  });

  test('others are counted and named', async () => {
    const file = fakeFile({ a: text('x', 'z', 'y', 'z') });
    expect(await one({ rule: 'accepted_values', column: 'a', values: ['x', 'y'] }, [file])).toMatchObject({
      outcome: 'failed',
      count: 2,
      rows: [1, 3],
      expected: 'one of "x", "y"',
      found: '2 other values: "z"',
    });
  });

  test('a number for a text column is a mistake in the rule', async () => {
    const result = await one({ rule: 'accepted_values', column: 'a', values: [1] }, [fakeFile({ a: text('1') })]);
    expect(result).toMatchObject({ outcome: 'inconclusive', found: expect.stringContaining('write it in quotes') });
  });
});

describe('schema', () => {
  const file = fakeFile({
    id: { type: 'long', values: [1] },
    price: { type: 'decimal(10, 2)', values: [1] },
    s: { type: 'struct<a: int>', values: [1] },
    's.a': { type: 'int', values: [1], nested: true },
  });

  test('agrees, spaces and case aside', async () => {
    const columns = { id: 'LONG', price: 'decimal(10,2)', 's.a': 'int' };
    expect(await one({ rule: 'schema', columns, allowExtra: false }, [file])).toMatchObject({ outcome: 'passed' });
    expect(await one({ rule: 'schema', columns: { s: 'struct' }, allowExtra: true }, [file])).toMatchObject({
      outcome: 'passed',
    });
  });

  test('names every missing, differing and extra column', async () => {
    const { results } = await auditOf(
      [{ rule: 'schema', columns: { id: 'int', prise: 'double' }, allowExtra: false }],
      [file],
    );
    expect(results.map(({ column, expected, found }) => [column, expected, found])).toEqual([
      ['id', 'int', 'long'],
      ['prise', 'double', 'no such column; did you mean price'],
      ['price', 'no such column', 'an extra column, decimal(10, 2)'],
      ['s', 'no such column', 'an extra column, struct<a: int>'],
    ]);
  });

  test("looks at the file's own columns where the table has more", async () => {
    const narrow: AuditedFile = {
      ...file,
      storedFields: async () => [{ name: 'id', type: 'long', required: false, nested: false }],
    };
    const result = await one({ rule: 'schema', columns: { id: 'long', price: 'decimal(10, 2)' }, allowExtra: true }, [
      narrow,
    ]);
    expect(result).toMatchObject({ column: 'price', outcome: 'failed', found: 'no such column' });
  });
});

describe('freshness', () => {
  const rule: RuleSpec = { rule: 'freshness', column: 't', withinMs: 3_600_000 };
  const times = (...isos: string[]) => ({ t: { type: 'timestamptz', values: isos.map(micros) } });

  test('one file that is new enough by statistics spares the others', async () => {
    const old = fakeFile(times('2020-01-01T00:00:00Z'), { url: 'memory:/old' });
    const young = fakeFile(times('2024-06-01T11:00:00Z'), { url: 'memory:/young', statistics: true });
    expect(await one(rule, [old, young])).toMatchObject({
      outcome: 'passed',
      found: 'newest value 2024-06-01T11:00:00Z, 1 hour old',
    });
    expect(old.asked).not.toContain('values t');
  });

  test('a millisecond too old fails', async () => {
    const file = fakeFile(times('2024-06-01T10:59:59.999Z', '2024-01-01T00:00:00Z'));
    expect(await one(rule, [file])).toMatchObject({ outcome: 'failed', expected: 'newest value at most 1 hour old' });
  });

  test('no rows: nothing to judge; rows without a value: failed; not a time: a mistake in the rule', async () => {
    expect(await one(rule, [fakeFile(times())])).toMatchObject({ outcome: 'inconclusive' });
    const empty = fakeFile({ t: { type: 'date', values: [undefined] } });
    expect(await one(rule, [empty])).toMatchObject({ outcome: 'failed', count: 1, found: 'no value at all' });
    expect(await one(rule, [fakeFile({ t: int(1) })])).toMatchObject({ outcome: 'inconclusive' });
  });
});

describe('sql', () => {
  const rule: RuleSpec = { rule: 'sql', name: 'totals', query: 'SELECT 1' };
  const engine = (violations: () => Promise<{ count: number; sample: string[] }>) => ({ sql: { violations } });
  const files = [fakeFile({ a: int(1) })];

  test('rows are violations', async () => {
    const found = engine(async () => ({ count: 7, sample: ['a=1', 'a=2'] }));
    expect(await one(rule, files, found)).toMatchObject({ outcome: 'failed', count: 7, found: '7 rows: a=1; a=2' });
    const none = engine(async () => ({ count: 0, sample: [] }));
    expect(await one(rule, files, none)).toMatchObject({ outcome: 'passed', count: 0 });
  });

  test('a wrong query, an absent engine and a broken one are not bad data', async () => {
    const wrong = engine(() => Promise.reject(new LakegateError('invalid', 'Binder Error: no such column')));
    expect(await one(rule, files, wrong)).toMatchObject({
      outcome: 'inconclusive',
      found: 'the query is wrong: Binder Error: no such column',
    });
    expect(await one(rule, files)).toMatchObject({ outcome: 'inconclusive', found: 'no SQL engine here' });
    const broken = engine(() => Promise.reject(new TypeError('boom')));
    expect(await one(rule, files, broken)).toMatchObject({
      outcome: 'inconclusive',
      found: 'could not be checked: boom',
    });
  });
});
