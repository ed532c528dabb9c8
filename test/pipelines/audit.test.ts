import { parquetWriteBuffer } from 'hyparquet-writer';
import type { PipelineSource } from '../../src/config/pipelines-model.ts';
import { LakegateError } from '../../src/errors.ts';
import { judgeShares } from '../../src/pipelines/audit-judge.ts';
import type { ShareAudit } from '../../src/pipelines/audit-model.ts';
import { verdictOf } from '../../src/pipelines/audit-reason.ts';
import { auditShare, auditShares } from '../../src/pipelines/audit-share.ts';
import { auditTable } from '../../src/pipelines/audit-table.ts';
import type { RuleSpec } from '../../src/rules/rule.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectInfo, ObjectStore } from '../../src/storage/store.ts';
import { keyOf, writeSource } from '../tables/generator.ts';

const SNAPSHOT = '2026-01-31';
const FOLDER = `memory:/raw/customers/snapshot_dt=${SNAPSHOT}/`;
const KEY = 'customer_user_id';
const KEY_RULES: RuleSpec[] = [
  { rule: 'not_null', columns: ['Customer_USER_id'] },
  { rule: 'unique', columns: [KEY] },
];

function sourceOf(audit: PipelineSource['audit'], aliases = {}): PipelineSource {
  return {
    name: 'customers',
    path: 'memory:/raw/customers/',
    table: 'customers',
    key: KEY,
    aliases,
    strict: false,
    ...(audit && { audit }),
  };
}

async function filesOf(store: ObjectStore, folder = FOLDER): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const object of store.list(folder)) found.push(object);
  return found;
}

const portsOf = (store: ObjectStore) => ({ store, now: () => Date.UTC(2026, 1, 1) });

type Cells = { name: string; data: unknown[]; type?: 'STRING' | 'INT32' };

async function put(store: ObjectStore, url: string, columnData: Cells[]): Promise<void> {
  const buffer = parquetWriteBuffer({
    columnData: columnData.map((column) => ({ nullable: true, ...column })) as never,
  });
  await store.create(url, new Uint8Array(buffer));
}

async function judged(store: ObjectStore, source: PipelineSource, shares: number, lastRows?: number) {
  const files = await filesOf(store);
  const results: ShareAudit[] = [];
  for (let share = 0; share < shares; share += 1) {
    results.push(await auditShare(portsOf(store), source, files, share, shares));
  }
  // As they come back from their files.
  const read = JSON.parse(JSON.stringify(results.reverse())) as ShareAudit[];
  return judgeShares(source, read, { snapshot: SNAPSHOT, shares, ...(lastRows !== undefined && { lastRows }) });
}

test('a whole snapshot passes, by the names that its tables have', async () => {
  const store = createMemoryStore();
  await writeSource(store, FOLDER, { files: 3, rows: 40, rowGroupRows: 7, tables: { A: 5 } });
  const rules: RuleSpec[] = [
    ...KEY_RULES,
    { rule: 'row_count', min: 120 },
    { rule: 'max_null_fraction', column: 'a_field_001', atMost: 0.9 },
    { rule: 'unique', columns: ['person', 'a_field_002'] },
  ];
  const aliases = { CUSTOMER_USER_ID: 'person' };
  const own = rules.slice(2);
  expect(await judged(store, sourceOf({ rules: rules.slice(0, 4) }), 4)).toMatchObject({
    outcome: 'passed',
    rows: 120,
  });
  expect(await judged(store, sourceOf({ rules: own }, aliases), 4)).toMatchObject({ outcome: 'passed' });
  // A rule may have the source's spelling too.
  expect(await judged(store, sourceOf({ rules: KEY_RULES }, aliases), 1)).toMatchObject({ outcome: 'passed' });
  const gone: RuleSpec[] = [{ rule: 'unique', columns: ['nothing'] }];
  expect((await judged(store, sourceOf({ rules: gone }), 2)).reason).toContain('found no such column');
});

test.each([1, 3, 7])('keys that are null or repeat are counted once and named, in %d shares', async (shares) => {
  const store = createMemoryStore();
  const keys = Array.from({ length: 100 }, (_, row) => keyOf(row));
  await put(store, `${FOLDER}a.parquet`, [{ name: 'Customer_User_id', type: 'STRING', data: keys }]);
  const more = [keyOf(200), keyOf(17), null, keyOf(3), keyOf(201), keyOf(200), null];
  await put(store, `${FOLDER}b.parquet`, [{ name: 'Customer_User_id', type: 'STRING', data: more }]);
  const verdict = await judged(store, sourceOf({ rules: KEY_RULES }), shares);
  expect(verdict.findings).toEqual([
    {
      rule: 'not_null',
      column: KEY,
      outcome: 'failed',
      count: 2,
      rows: [2, 6],
      file: `${FOLDER}b.parquet`,
      expected: 'no nulls',
      found: '2 nulls',
    },
    {
      rule: 'unique',
      column: KEY,
      outcome: 'failed',
      count: 3,
      rows: [1, 3, 5],
      file: `${FOLDER}b.parquet`,
      expected: 'no value twice',
      found: `3 rows repeat an earlier one, first "${keyOf(17)}"`,
    },
  ]);
  expect(verdict.reason).toBe(
    `snapshot_dt=${SNAPSHOT} of customers failed its audit: not_null of ${KEY}: expected no nulls, found 2 nulls (rows 2, 6 of ${FOLDER}b.parquet); ` +
      `unique of ${KEY}: expected no value twice, found 3 rows repeat an earlier one, first "${keyOf(17)}" (rows 1, 3, 5 of ${FOLDER}b.parquet).`,
  );
});

test('a number with close bounds is compared by the first share alone', async () => {
  const store = createMemoryStore();
  await put(store, `${FOLDER}a.parquet`, [{ name: KEY, type: 'INT32', data: [5, 6, 7, 6, 9] }]);
  const files = await filesOf(store);
  const source = sourceOf({ rules: KEY_RULES });
  const opened: string[] = [];
  const watched = {
    ...store,
    open(...args: Parameters<ObjectStore['open']>) {
      opened.push(args[0]);
      return store.open(...args);
    },
  };
  const second = await auditShare(portsOf(watched), source, files, 1, 2);
  expect(second.findings).toMatchObject([{ rule: 'unique', outcome: 'passed' }]);
  // The footer, and no column.
  expect(opened).toHaveLength(1);
  expect(await judged(store, source, 2)).toMatchObject({ outcome: 'failed', findings: [{}, { count: 1, rows: [3] }] });
});

test('all columns are asked for without being kept; files of other schemas say so', async () => {
  const store = createMemoryStore();
  await put(store, `${FOLDER}a.parquet`, [
    { name: 'Id', type: 'STRING', data: ['a', 'b'] },
    { name: 'Extra', type: 'STRING', data: ['x', null] },
  ]);
  expect(await judged(store, sourceOf({ rules: [{ rule: 'not_null', columns: '*' }] }), 1)).toMatchObject({
    outcome: 'failed',
    findings: [{ column: 'extra', count: 1, rows: [1] }],
  });
  await put(store, `${FOLDER}b.parquet`, [{ name: 'Other', type: 'STRING', data: ['x'] }]);
  const rules: RuleSpec[] = [{ rule: 'schema', columns: { id: 'string', extra: 'string' }, allowExtra: false }];
  expect((await judged(store, sourceOf({ rules }), 1)).reason).toContain('schema of other: expected no such column');
});

test('rows are compared with the last snapshot that was taken', async () => {
  const store = createMemoryStore();
  await writeSource(store, FOLDER, { files: 2, rows: 50, tables: { A: 2 } });
  const source = sourceOf({ rules: KEY_RULES, maxRowChange: 0.2 });
  expect((await judged(store, source, 1)).outcome).toBe('passed');
  for (const [last, outcome] of [
    [84, 'passed'],
    [83, 'failed'],
    [125, 'passed'],
    [126, 'failed'],
    [0, 'failed'],
  ] as const) {
    expect([last, (await judged(store, source, 1, last)).outcome]).toEqual([last, outcome]);
  }
  expect((await judged(store, source, 1, 200)).reason).toBe(
    `snapshot_dt=${SNAPSHOT} of customers failed its audit: max_row_change: expected between 160 and 240 rows, 200 in the last snapshot, found 100 rows, -50.0 %.`,
  );
});

test('what could not be checked has neither failed nor passed', async () => {
  const store = createMemoryStore();
  await writeSource(store, FOLDER, { files: 2, rows: 5, tables: { A: 2 } });
  const files = await filesOf(store);
  const source = sourceOf({ rules: KEY_RULES });
  const shares = await Promise.all([0, 1].map((share) => auditShare(portsOf(store), source, files, share, 2)));
  const judge = (results: ShareAudit[]) => judgeShares(source, results, { snapshot: SNAPSHOT, shares: 2 });
  expect(judge(shares)).toMatchObject({ outcome: 'passed' });
  expect(judge([shares[0]!])).toMatchObject({
    outcome: 'inconclusive',
    reason: `snapshot_dt=${SNAPSHOT} of customers could not be checked: readable: expected all 2 shares of the audit, found no result of share 2.`,
  });
  expect(judge([])).toMatchObject({ outcome: 'inconclusive', rows: 0 });
  expect(judge([shares[0]!, { ...shares[1]!, files: 3 }])).toMatchObject({ outcome: 'inconclusive' });
  // A store that breaks down during a rule, and one that does before it.
  let calls = 0;
  const breaking = (after: number): ObjectStore => ({
    ...store,
    async open(...args) {
      calls += 1;
      if (calls > after) throw new LakegateError('unavailable', 'S3 does not answer');
      return store.open(...args);
    },
  });
  const one = await auditShare(portsOf(breaking(2)), source, files, 0, 2);
  expect(judge([one, shares[1]!])).toMatchObject({
    outcome: 'inconclusive',
    reason: expect.stringContaining('S3 does not answer'),
  });
  calls = 0;
  await expect(auditShare(portsOf(breaking(1)), source, files, 0, 2)).rejects.toThrow('S3 does not answer');
  // Without an engine SQL says nothing.
  const sql = sourceOf({ rules: [{ rule: 'sql', name: 'none', query: 'select 1' }] });
  expect(await judged(store, sql, 1)).toMatchObject({ outcome: 'inconclusive' });
});

test('a reason is made of sentences, whatever the findings end with', () => {
  const finding = { rule: 'readable', outcome: 'failed', expected: 'Parquet files' } as const;
  const verdict = verdictOf('the table a', 0, [
    { ...finding, found: 'it ends early. Write it again.' },
    { ...finding, outcome: 'inconclusive', found: 'it is encrypted.' },
  ]);
  expect(verdict.reason).toBe(
    'the table a failed its audit: readable: expected Parquet files, found it ends early. Write it again. ' +
      'Besides, it could not be checked: readable: expected Parquet files, found it is encrypted.',
  );
});

test('a file that is no Parquet has failed', async () => {
  const store = createMemoryStore();
  await writeSource(store, FOLDER, { rows: 5, tables: { A: 2 } });
  await store.create(`${FOLDER}z.parquet`, new TextEncoder().encode('id,name\n1,x\n2,y and more\n'));
  const verdict = await judged(store, sourceOf({ rules: KEY_RULES }), 2);
  expect(verdict.outcome).toBe('failed');
  expect(verdict.reason).toContain('z.parquet');
});

test('shares follow from the rows', () => {
  const audited = sourceOf({ rules: KEY_RULES });
  expect(auditShares(sourceOf(undefined), 1e9)).toBe(0);
  expect(auditShares(sourceOf({ rules: [KEY_RULES[0]!] }), 1e9)).toBe(1);
  expect(auditShares(audited, 0)).toBe(1);
  expect(auditShares(audited, 12_000_000)).toBe(1);
  expect(auditShares(audited, 300_000_000)).toBe(25);
});

test("a table's files: rows as in the snapshot, the key first, and the rules", async () => {
  const store = createMemoryStore();
  const folder = 'memory:/tables/IBE_01/snapshot_dt=2026-01-31/';
  const table = { name: 'IBE_01', folder, key: KEY, rows: 4 };
  const audit = { audit: { rules: KEY_RULES } };
  const look = (more = {}) => auditTable(portsOf(store), audit, { ...table, ...more });
  expect(await look()).toMatchObject({
    outcome: 'failed',
    reason: `the table IBE_01 failed its audit: readable: expected files, found none in ${folder}.`,
  });
  const columns = (keys: (string | null)[]) => [
    { name: KEY, type: 'STRING' as const, data: keys },
    { name: 'x', type: 'INT32' as const, data: keys.map((_, row) => row) },
  ];
  await put(store, `${folder}part-0.parquet`, columns(['a', 'b']));
  await put(store, `${folder}000001_0`, columns(['c', 'd']));
  await store.create(`${folder}_SUCCESS`, new Uint8Array());
  await put(store, `${folder}v=1/part-0.parquet`, columns(['old']));
  expect(await look()).toMatchObject({ outcome: 'passed', rows: 4 });
  expect((await look({ rows: 5 })).reason).toContain('same_rows: expected 5 rows as in the snapshot, found 4 rows');
  expect(await auditTable(portsOf(store), {}, table)).toMatchObject({ outcome: 'passed' });
  expect(await look({ rows: 200_000_000 })).toMatchObject({
    outcome: 'failed',
    findings: expect.arrayContaining([expect.objectContaining({ rule: 'unique', outcome: 'inconclusive' })]),
  });
  await put(store, `${folder}part-1.parquet`, columns([null]).reverse());
  const wrong = await look({ rows: 5 });
  expect(wrong.findings.map(({ rule, outcome }) => [rule, outcome])).toEqual([
    ['same_rows', 'passed'],
    ['key_first', 'failed'],
    ['not_null', 'failed'],
    ['unique', 'passed'],
  ]);
  expect(wrong.reason).toContain(
    `key_first of ${KEY}: expected the key as the first column of every file, found x in ${folder}part-1.parquet`,
  );
});
