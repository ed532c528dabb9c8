import { planRows, type RowsOptions } from '../../src/tables/engine-rows.ts';
import type { SourceFile } from '../../src/tables/model.ts';

const OPTIONS: RowsOptions = { target: 'file:///t/', layout: 'partitioned', snapshot: '2026-01-31', targetBytes: 100 };
const TABLE = { name: 'A', columns: [{ source: 'Id', name: 'id' }] };

/** A file of row groups, each of its rows' number of bytes in each of two columns. */
function file(name: string, ...groups: readonly number[]): SourceFile {
  return {
    url: `file:///s/${name}`,
    size: 1,
    etag: name,
    kind: 'k',
    columns: [
      { name: 'Id', type: 't' },
      { name: 'other', type: 't' },
    ],
    rowGroups: groups.map((rows) => ({ rows, columnBytes: Float64Array.of(rows, rows * 1000) })),
  };
}

const planOf = (files: readonly SourceFile[], options: Partial<RowsOptions> = {}) =>
  planRows([TABLE], files, { ...OPTIONS, ...options })[0]!;

test('as many files as the bytes of the table’s own columns come to, alike in rows, every row once', () => {
  const { plan, ranges, rows } = planOf([file('a', 100, 50), file('b', 101)]);
  expect([rows, plan.outputs.map((output) => output.rows)]).toEqual([251, [83, 84, 84]]);
  const cut = plan.outputs.map(({ name }) => ranges.get(name)!.map((one) => [one.file.etag, one.from, one.to]));
  expect(cut).toEqual([
    [['a', 0, 83]],
    [
      ['a', 83, 150],
      ['b', 0, 17],
    ],
    [['b', 17, 101]],
  ]);
  expect(plan.folder).toBe('file:///t/A/snapshot_dt=2026-01-31/');
  expect(plan.outputs[0]!.name).toMatch(/^part-00000-[0-9a-f]{16}\.parquet$/);
});

test('never more files than rows, one without any', () => {
  expect(planOf([file('a', 2)], { targetBytes: 0.1 }).plan.outputs).toHaveLength(2);
  const { plan, ranges } = planOf([file('a')]);
  expect([plan.outputs.map(({ rows }) => rows), [...ranges.values()]]).toEqual([[0], [[]]]);
});

test('buckets: a file for each, named by its number, all of the source for each', () => {
  const { plan, ranges, rows } = planOf([file('a', 5)], { layout: 'plain', buckets: { column: 'id', count: 3 } });
  expect(plan.outputs.map(({ name }) => name.replace(/-.*/, ''))).toEqual(['000000_0', '000001_0', '000002_0']);
  expect([rows, plan.folder, ranges.size]).toEqual([5, 'file:///t/A/', 3]);
});

test('the same plan has the same names; another file, cut or column others', () => {
  const nameOf = (files: readonly SourceFile[], options: Partial<RowsOptions> = {}) =>
    planOf(files, options).plan.outputs[0]!.name;
  const name = nameOf([file('a', 150)]);
  expect(nameOf([file('a', 150)])).toBe(name);
  const others = [
    nameOf([{ ...file('a', 150), etag: 'new' }]),
    nameOf([file('a', 150)], { targetBytes: 10 }),
    planRows([{ name: 'A', columns: [{ source: 'Id', name: 'key' }] }], [file('a', 150)], OPTIONS)[0]!.plan.outputs[0]!
      .name,
  ];
  expect(new Set([name, ...others]).size).toBe(4);
});
