import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serializeValue } from '../../src/iceberg/bounds.ts';
import type { DataFile, NestedField, PrimitiveType, Schema, Value } from '../../src/iceberg/model.ts';
import { audit } from '../../src/rules/audit.ts';
import { auditedParquet, openAuditedParquet } from '../../src/rules/audited-parquet.ts';
import type { AuditedFile, RuleSpec } from '../../src/rules/rule.ts';
import type { RangeReader } from '../../src/storage/store.ts';

const NOW = Date.parse('2024-06-01T00:00:00Z');

/** A fixture in memory, and how often it was opened and closed. */
async function fixture(name: string) {
  const bytes = new Uint8Array(await readFile(join(process.cwd(), 'test/fixtures/rules', name)));
  const url = `memory:/${name}`;
  const uses = { opened: 0, closed: 0, bytes: 0 };
  const openReader = async (): Promise<RangeReader> => {
    uses.opened += 1;
    return {
      url,
      byteLength: bytes.length,
      cheapSeeks: true,
      async read(start, end) {
        const part = bytes.subarray(Math.max(0, start), Math.min(end, bytes.length));
        uses.bytes += part.length;
        return part;
      },
      async close() {
        uses.closed += 1;
      },
    };
  };
  return { url, openReader, uses };
}

const rules: RuleSpec[] = [
  { rule: 'not_null', columns: '*' },
  { rule: 'not_null', columns: ['id', 'note', 's.a', 'tags.element'] },
  { rule: 'max_null_fraction', column: 's.a', atMost: 0.2 },
  { rule: 'row_count', min: 10, max: 10 },
  { rule: 'range', column: 'id', min: 1, max: 10 },
  { rule: 'range', column: 'price', max: 0.88 },
  { rule: 'range', column: 'ratio', min: 0, max: 1 },
  { rule: 'range', column: 's.a', min: 3 },
  { rule: 'range', column: 'empty', min: 'a' },
  { rule: 'accepted_values', column: 'status', values: ['open', 'paid'] },
  { rule: 'accepted_values', column: 'status', values: ['open', 'paid', 'lost'] },
  { rule: 'unique', columns: ['id'] },
  { rule: 'unique', columns: ['status'] },
  { rule: 'unique', columns: ['day', 'status'] },
  { rule: 'freshness', column: 'at', withinMs: 12 * 3_600_000 },
  { rule: 'freshness', column: 'day', withinMs: 12 * 3_600_000 },
];

const judge = async (file: AuditedFile) => {
  const { results } = await audit(rules, { files: [file], nowMs: NOW });
  return results.map(({ rule, column, outcome, count, rows }) => [rule, column ?? '', outcome, count, ...(rows ?? [])]);
};

const expected = [
  ['not_null', 'status', 'failed', 1, 4],
  ['not_null', 'ratio', 'failed', 1, 4],
  ['not_null', 'note', 'failed', 2, 3, 7],
  ['not_null', 'empty', 'failed', 10, 0, 1, 2, 3, 4],
  ['not_null', 's', 'failed', 1, 0],
  ['not_null', 's.a', 'failed', 2, 1, 6],
  ['not_null', 'tags', 'failed', 1, 2],
  ['not_null', 'tags.element', 'failed', 1, 8],
  ['not_null', 'id', 'passed', 0],
  ['not_null', 'note', 'failed', 2, 3, 7],
  ['not_null', 's.a', 'failed', 2, 1, 6],
  ['not_null', 'tags.element', 'failed', 1, 8],
  ['max_null_fraction', 's.a', 'failed', 2, 1, 6],
  ['row_count', '', 'passed', 0],
  ['range', 'id', 'passed', 0],
  ['range', 'price', 'failed', 1, 9],
  ['range', 'ratio', 'failed', 1, 2],
  ['range', 's.a', 'failed', 1, 2],
  ['range', 'empty', 'passed', 0],
  ['accepted_values', 'status', 'failed', 1, 6],
  ['accepted_values', 'status', 'passed', 0],
  ['unique', 'id', 'passed', 0],
  ['unique', 'status', 'failed', 6, 2, 3, 5, 7, 8],
  ['unique', 'day, status', 'passed', 0],
  ['freshness', 'at', 'passed', 0],
  ['freshness', 'day', 'failed', 1],
];

const names = ['orders-statistics.parquet', 'orders-plain.parquet'];

test.each(names)('%s by itself', async (name) => {
  const { url, openReader, uses } = await fixture(name);
  expect(await judge(await openAuditedParquet(url, openReader))).toEqual(expected);
  expect(uses.closed).toBe(uses.opened);
});

const optional = (id: number, name: string, type: NestedField['type']): NestedField => ({
  id,
  name,
  type,
  required: false,
});
const nested: Schema = {
  type: 'struct',
  schemaId: 0,
  fields: [
    optional(1, 'id', 'long'),
    optional(2, 'status', 'string'),
    optional(3, 'price', 'decimal(9, 2)'),
    optional(4, 'ratio', 'double'),
    optional(5, 'day', 'date'),
    optional(6, 'at', 'timestamptz'),
    optional(7, 'note', 'string'),
    optional(8, 'empty', 'string'),
    optional(9, 's', { type: 'struct', fields: [optional(11, 'a', 'int')] }),
    optional(10, 'tags', { type: 'list', elementId: 12, element: 'string', elementRequired: false }),
  ],
};
const flat: Schema = { ...nested, fields: nested.fields.slice(0, 8) };

function dataFile(url: string, more: Partial<DataFile> = {}): DataFile {
  return {
    content: 'data',
    filePath: url,
    fileFormat: 'PARQUET',
    partition: [],
    recordCount: 10,
    fileSizeInBytes: 1,
    nullValueCounts: new Map([1, 2, 3, 4, 5, 6, 7, 8].map((id) => [id, { 2: 1, 4: 1, 7: 2, 8: 10 }[id] ?? 0])),
    ...more,
  };
}

function bounds(...values: [number, PrimitiveType, Value, Value][]): Partial<DataFile> {
  return {
    lowerBounds: new Map(values.map(([id, type, lower]) => [id, serializeValue(type, lower)])),
    upperBounds: new Map(values.map(([id, type, , upper]) => [id, serializeValue(type, upper)])),
  };
}

test.each(names)('%s as its table has it, with a manifest that knows only the rows', async (name) => {
  const { url, openReader, uses } = await fixture(name);
  const bare = dataFile(url, { nullValueCounts: new Map() });
  expect(await judge(auditedParquet({ url, openReader, statistics: { schema: nested, dataFile: bare } }))).toEqual(
    expected,
  );
  expect(uses.closed).toBe(uses.opened);
});

test('what the manifest decides does not open the file', async () => {
  const { url, openReader, uses } = await fixture(names[1]!);
  const known = dataFile(url, {
    ...bounds(
      [1, 'long', 1n, 10n],
      [2, 'string', 'lost', 'paie'],
      [3, 'decimal(9, 2)', 0n, 99n],
      [6, 'timestamptz', 1n, BigInt(NOW) * 1000n],
    ),
  });
  const file = auditedParquet({ url, openReader, statistics: { schema: flat, dataFile: known } });
  const { results } = await audit(
    [
      { rule: 'not_null', columns: ['id', 'price'] },
      { rule: 'max_null_fraction', column: 'note', atMost: 0.2 },
      { rule: 'range', column: 'id', min: 1, max: 10 },
      { rule: 'range', column: 'price', min: 0, max: 0.99 },
      { rule: 'range', column: 'status', min: 'l', max: 'q' },
      { rule: 'range', column: 'empty', min: 'z' },
      { rule: 'accepted_values', column: 'id', values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
      { rule: 'freshness', column: 'at', withinMs: 1 },
      { rule: 'unique', columns: ['empty'] },
    ],
    { files: [file], nowMs: NOW },
  );
  expect(results.map(({ outcome }) => outcome)).toEqual(new Array(10).fill('passed'));
  expect(await file.nulls('*')).toMatchObject(
    [1, 2, 3, 4, 5, 6, 7, 8].map((id) => ({ nulls: known.nullValueCounts!.get(id), from: 'statistics' })),
  );
  expect(uses.opened).toBe(0);
});

test('a required column has no nulls, whatever else is unknown', async () => {
  const { url, openReader, uses } = await fixture(names[1]!);
  const schema: Schema = { ...flat, fields: [{ ...flat.fields[0]!, required: true }] };
  const file = auditedParquet({
    url,
    openReader,
    statistics: { schema, dataFile: dataFile(url, { nullValueCounts: undefined }) },
  });
  expect(await file.nulls('*')).toEqual([{ name: 'id', nulls: 0, from: 'statistics' }]);
  expect(uses.opened).toBe(0);
});

test('columns that the table has and the file has not are null in every row', async () => {
  const { url, openReader } = await fixture(names[0]!);
  const fields = [
    flat.fields[0]!,
    optional(20, 'later', 'int'),
    optional(9, 's', { type: 'struct', fields: [optional(11, 'a', 'int'), optional(21, 'b', 'string')] }),
    optional(22, 't', { type: 'struct', fields: [optional(23, 'c', 'int')] }),
  ];
  const file = auditedParquet({
    url,
    openReader,
    statistics: { schema: { ...nested, fields }, dataFile: dataFile(url) },
  });
  expect(await file.nulls('*')).toEqual([
    { name: 'id', nulls: 0, from: 'statistics' },
    { name: 'later', nulls: 10, from: 'statistics' },
    { name: 's', nulls: 1, from: 'statistics' },
    { name: 's.a', nulls: 2, from: 'statistics' },
    { name: 's.b', nulls: 9, from: 'statistics' },
    { name: 't', nulls: 10, from: 'statistics' },
    { name: 't.c', nulls: 0, from: 'statistics' },
  ]);
  expect(await file.nullRows('later', 3)).toEqual([0, 1, 2]);
  expect((await file.fields()).map(({ name, type }) => `${name} ${type}`)).toContain('later int');
  expect((await file.storedFields!()).map(({ name }) => name)).not.toContain('later');
  const { results } = await audit(
    [
      { rule: 'range', column: 'later', min: 1 },
      { rule: 'accepted_values', column: 'later', values: [1] },
      { rule: 'unique', columns: ['later'] },
      { rule: 'unique', columns: ['id', 'later'] },
      { rule: 'schema', columns: { id: 'long', later: 'int' }, allowExtra: true },
    ],
    { files: [file], nowMs: NOW },
  );
  expect(results.map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'passed', 'passed', 'failed']);
});

test('a renamed column is found by its older name', async () => {
  const { url, openReader } = await fixture(names[1]!);
  const schema: Schema = { ...nested, fields: [optional(7, 'remark', 'string')] };
  const statistics = { schema, dataFile: dataFile(url, { nullValueCounts: new Map() }) };
  const nameMapping = [{ fieldId: 7, names: ['note', 'remark'], fields: [] }];
  const nullsOf = (file: AuditedFile) => file.nulls(['remark']);
  expect(await nullsOf(auditedParquet({ url, openReader, statistics }))).toMatchObject([{ nulls: 10 }]);
  expect(await nullsOf(auditedParquet({ url, openReader, statistics: { ...statistics, nameMapping } }))).toMatchObject([
    { name: 'remark', nulls: 2 },
  ]);
});

test('a file with other rows than its manifest says is not what was staged', async () => {
  const { url, openReader } = await fixture(names[0]!);
  const file = auditedParquet({
    url,
    openReader,
    statistics: { schema: nested, dataFile: dataFile(url, { recordCount: 9 }) },
  });
  await expect(file.nulls('*')).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining('has 10 rows'),
  });
});

test('a column that nobody knows is named', async () => {
  const { url, openReader } = await fixture(names[0]!);
  const file = await openAuditedParquet(url, openReader);
  await expect(file.nulls(['nope'])).rejects.toThrow(`${url} has no column nope`);
  expect(() => auditedParquet({ url, openReader })).toThrow("needs the manifest's entry or the footer");
});
