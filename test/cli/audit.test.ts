import { readdirSync } from 'node:fs';
import { lakeFolder, parquetBytes, removeFolders } from './lake-folder.ts';

afterAll(removeFolders);

test('the report for programs has these keys and no others', async () => {
  const folder = lakeFolder();
  folder.parquet('orders.parquet', 4, 2);
  expect(await folder.json('audit orders.parquet')).toEqual({
    code: 3,
    value: {
      file: `file://${folder.path}/orders.parquet`,
      rows: 4,
      outcome: 'failed',
      columns: [
        { name: 'id', nulls: 0, from: 'statistics' },
        { name: 'name', nulls: 2, from: 'statistics' },
      ],
      rules: [{ rule: 'not_null', column: 'name', outcome: 'failed', count: 2, rows: [2, 3] }],
    },
  });
  const { err } = await folder.run('audit orders.parquet --json');
  expect(err).toBe('failed  not_null on name: 2 nulls, expected no nulls (rows 2, 3, counted from 0)\n');
});

test('a clean file passes, and nothing is left behind', async () => {
  const folder = lakeFolder();
  folder.parquet('orders.parquet', 4);
  const { code, out } = await folder.run('audit orders.parquet');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^passed {2}.*orders\.parquet \(4 rows\)\n\ncolumn {2}nulls {2}known from\nid {6}0 {6}statistics\n/,
  );
  expect(out).toContain('1 of 1 check passed\n');
  expect(readdirSync(folder.path)).toEqual(['orders.parquet']);
});

test('text is judged as what the gate would make of it', async () => {
  const folder = lakeFolder();
  folder.write('orders.csv', 'id,name\n1,a\n2,\n');
  expect(await folder.json('audit orders.csv')).toMatchObject({
    code: 3,
    value: {
      rows: 2,
      outcome: 'failed',
      columns: [
        { name: 'id', nulls: 0, from: 'values' },
        { name: 'name', nulls: 1, from: 'values' },
      ],
    },
  });
  folder.write('first.csv', 'id,name\n1,a\n');
  await folder.run('drop first.csv --table orders');
  folder.write('words.csv', 'id,name\none,a\n');
  const { value } = await folder.json('audit words.csv --table orders');
  expect(value).toMatchObject({ outcome: 'failed', rules: [{ rule: 'schema', column: null, outcome: 'failed' }] });
});

test('a file that does not fit its table fails, without a commit', async () => {
  const folder = lakeFolder();
  folder.parquet('orders.parquet', 4);
  await folder.run('drop orders.parquet');
  folder.write('wider.parquet', parquetBytes(2, 0, [{ name: 'extra', type: 'INT32', data: [1, 2] }]));
  const { code, out } = await folder.run('audit wider.parquet --table orders');
  expect(code).toBe(3);
  expect(out).toContain('column extra: int is not in the table');
});

test('a file that cannot be read is no failed audit', async () => {
  const folder = lakeFolder();
  folder.write('orders.parquet', 'PAR1 nothing of the kind PAR1');
  const { code, err } = await folder.run('audit orders.parquet');
  expect(code).toBe(1);
  expect(err).toMatch(/^lakegate: .*orders\.parquet/);
  expect(await folder.json('audit orders.parquet')).toMatchObject({
    code: 1,
    value: { outcome: 'errored', rows: 0, columns: [], rules: [], error: expect.stringContaining('orders.parquet') },
  });
});

test('of a wide file the columns with nulls come first, and the rest is counted', async () => {
  const folder = lakeFolder();
  const extra = Array.from({ length: 3000 }, (_, n) => ({
    name: `col_${n}`,
    type: 'INT32' as const,
    nullable: true,
    data: [1, n % 100 === 99 ? null : 2],
  }));
  folder.write('wide.parquet', parquetBytes(2, 0, extra));
  const { code, out } = await folder.run('audit wide.parquet');
  expect(code).toBe(3);
  const lines = out.split('\n');
  expect(lines[2]).toBe('failed  not_null on col_99: 1 null, expected no nulls (row 1, counted from 0)');
  expect(lines.length).toBeLessThan(60);
  expect(out).toContain('… and 10 more\n');
  expect(out).toMatch(/column +nulls +known from\ncol_99 /);
  expect(out).toContain('… and 2,982 more columns, 10 of them with nulls (--json lists all)');
  const { value } = await folder.json<{ columns: unknown[]; rules: unknown[] }>('audit wide.parquet');
  expect([value.columns.length, value.rules.length]).toEqual([3002, 30]);
  const dropped = await folder.run('drop wide.parquet');
  expect(dropped.out.split('\n').length).toBeLessThan(25);
  folder.parquet('narrow.parquet', 2);
  await folder.run('drop narrow.parquet');
  const misfit = await folder.run('drop wide.parquet --table narrow');
  expect(misfit).toMatchObject({ code: 3, out: expect.stringMatching(/col_0: int is not in the table.*…\n/) });
  expect(misfit.out.length).toBeLessThan(1000);
});
