import fc from 'fast-check';
import { audit } from '../../src/rules/audit.ts';
import type { AuditValue, RuleSpec } from '../../src/rules/rule.ts';
import { type FakeColumn, fakeFile } from './fake-file.ts';

const NOW = Date.parse('2024-06-01T00:00:00Z');

/** Small domains, so that violations, duplicates and their absence are all common. */
const columns = {
  i: { type: 'int', value: fc.integer({ min: -3, max: 6 }) },
  l: { type: 'long', value: fc.bigInt({ min: 9007199254740990n, max: 9007199254740996n }) },
  f: { type: 'double', value: fc.constantFrom(-1, 0, -0, 0.5, 2, Number.NaN, Number.POSITIVE_INFINITY) },
  d: { type: 'decimal(9, 2)', value: fc.constantFrom('-0.50', '0.10', '0.11', '1.00').map((decimal) => ({ decimal })) },
  s: { type: 'string', value: fc.constantFrom('a', 'b', 'ab', 'é', '\u{1f600}', '\uffff') },
  b: { type: 'boolean', value: fc.boolean() },
  t: {
    type: 'timestamptz',
    value: fc.integer({ min: -3, max: 1 }).map((days) => ({ micros: BigInt(NOW + days * 86_400_000) * 1000n })),
  },
} as const;
type Name = keyof typeof columns;

const rows = fc.array(
  fc.record(
    Object.fromEntries(
      Object.entries(columns).map(([name, { value }]) => [
        name,
        fc.option(value as fc.Arbitrary<AuditValue>, { nil: undefined, freq: 6 }),
      ]),
    ) as Record<Name, fc.Arbitrary<AuditValue | undefined>>,
  ),
  { maxLength: 8 },
);

const rules: fc.Arbitrary<RuleSpec> = fc.oneof(
  fc.constant<RuleSpec>({ rule: 'not_null', columns: '*' }),
  fc.record({
    rule: fc.constant('range' as const),
    column: fc.constant('i'),
    min: fc.integer({ min: -4, max: 2 }),
    max: fc.integer({ min: 2, max: 7 }),
  }),
  fc.record({
    rule: fc.constant('range' as const),
    column: fc.constant('l'),
    max: fc.constantFrom('9007199254740993', '9007199254740996'),
  }),
  fc.record({ rule: fc.constant('range' as const), column: fc.constant('f'), min: fc.constantFrom(-1, 0, 1) }),
  fc.record({ rule: fc.constant('range' as const), column: fc.constant('d'), max: fc.constantFrom(0.1, 0.11, 1) }),
  fc.record({
    rule: fc.constant('range' as const),
    column: fc.constant('s'),
    min: fc.constant('a'),
    max: fc.constantFrom('b', '\uffff', '\u{1f600}'),
  }),
  fc.record({
    rule: fc.constant('accepted_values' as const),
    column: fc.constant('i'),
    values: fc.subarray([-3, -2, -1, 0, 1, 2, 3, 4, 5, 6], { minLength: 6 }),
  }),
  fc.record({
    rule: fc.constant('accepted_values' as const),
    column: fc.constant('s'),
    values: fc.subarray(['a', 'b', 'ab', 'é', '\uffff'], { minLength: 1 }),
  }),
  fc.record({
    rule: fc.constant('accepted_values' as const),
    column: fc.constant('f'),
    values: fc.subarray([-1, 0, 0.5, 2], { minLength: 1 }),
  }),
  fc.record({
    rule: fc.constant('accepted_values' as const),
    column: fc.constant('b'),
    values: fc.subarray([true, false], { minLength: 1 }),
  }),
  fc.record({
    rule: fc.constant('accepted_values' as const),
    column: fc.constant('d'),
    values: fc.subarray([-0.5, 0.1, 0.11, '1'], { minLength: 1 }),
  }),
  fc.record({
    rule: fc.constant('freshness' as const),
    column: fc.constant('t'),
    withinMs: fc.constantFrom(0, 86_400_000, 200_000_000),
  }),
  fc.record({
    rule: fc.constant('unique' as const),
    columns: fc.subarray(Object.keys(columns), { minLength: 1, maxLength: 2 }),
  }),
);

function fileOf(data: Record<Name, AuditValue | undefined>[], url: string, statistics: boolean, loose: boolean) {
  const fields = Object.entries(columns).map(([name, { type }]): [string, FakeColumn] => [
    name,
    { type, values: data.map((row) => row[name as Name]) },
  ]);
  return fakeFile(Object.fromEntries(fields), { url, statistics, loose, batch: 2 });
}

test('the verdict by statistics is the verdict by full decode', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rows, { minLength: 1, maxLength: 3 }),
      fc.array(rules, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (data, specs, loose) => {
        const verdict = (statistics: boolean) =>
          audit(specs, { files: data.map((part, i) => fileOf(part, `memory:/${i}`, statistics, loose)), nowMs: NOW });
        const decoded = await verdict(false);
        const decided = await verdict(true);
        const plain = (results: typeof decoded.results) => results.map(({ found: _, ...rest }) => rest);
        expect(decided.outcome).toBe(decoded.outcome);
        // Freshness names the newest value it has met: statistics may stop it at the first that is new enough.
        expect(plain(decided.results)).toEqual(plain(decoded.results));
      },
    ),
    { numRuns: 400 },
  );
});

test('a decode counts what a plain loop counts', async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.boolean(), async (data, statistics) => {
      const { results } = await audit(
        [
          { rule: 'range', column: 'f', min: 0, max: 2 },
          { rule: 'accepted_values', column: 's', values: ['a', 'b'] },
          { rule: 'unique', columns: ['i', 'b'] },
        ],
        { files: [fileOf(data, 'memory:/0', statistics, false)], nowMs: NOW },
      );
      const offending = (bad: (row: (typeof data)[number], i: number) => boolean) =>
        data.flatMap((row, i) => (bad(row, i) ? [i] : []));
      const key = (row: (typeof data)[number]) =>
        row.i === undefined || row.b === undefined ? undefined : `${row.i} ${row.b}`;
      const expected = [
        offending(({ f }) => f !== undefined && !((f as number) >= 0 && (f as number) <= 2)),
        offending(({ s }) => s !== undefined && s !== 'a' && s !== 'b'),
        offending((row, i) => key(row) !== undefined && data.slice(0, i).some((earlier) => key(earlier) === key(row))),
      ];
      expect(results.map((result) => result.count)).toEqual(expected.map((positions) => positions.length));
      expect(results.map((result) => result.rows ?? [])).toEqual(expected.map((positions) => positions.slice(0, 5)));
    }),
  );
});
