/** What a split map and its source may have wrong, said all at once; and which snapshot is taken. */
import { createMemoryStore } from '../../src/storage/memory.ts';
import { matchSplitMap } from '../../src/tables/match-map.ts';
import { prepareSplit } from '../../src/tables/prepare-split.ts';
import { findSnapshot } from '../../src/tables/snapshot.ts';
import { parseSplitMap } from '../../src/tables/split-map.ts';
import { splitMapCsv, writeSource } from './generator.ts';

const OPTIONS = { key: 'Customer_User_ID', aliases: {}, maxColumns: 100, partitionKeys: ['snapshot_dt'], only: [] };

function match(lines: string, source: readonly string[], options: Partial<typeof OPTIONS> = {}) {
  return matchSplitMap(parseSplitMap(`table,column,text\n${lines}`, 'map'), source, { ...OPTIONS, ...options });
}

test('descriptions hold commas, quotes and line breaks; the header may be named as people name it', () => {
  const text =
    '\ufeffOMC_FLYWHEEL_TABLE,OMC_FLYWHEEL_COLUMN,Description\r\nA,x,"one, ""two""\nthree"\r\n\r\nB, y ,\r\n';
  expect(parseSplitMap(text, 'map')).toEqual([
    { table: 'A', column: 'x', description: 'one, "two"\nthree', line: 3 },
    { table: 'B', column: 'y', description: '', line: 5 },
  ]);
  // What was saved as Latin-1 is of no matter where nobody goes by it.
  expect(parseSplitMap('table,column,text\nA,x,gr\ufffd\ufffde\n', 'map')).toHaveLength(1);
  expect(parseSplitMap('description,table_name,field_name\nd,T,f\n', 'map')).toMatchObject([
    { table: 'T', column: 'f' },
  ]);
});

test.each([
  ['', /empty/],
  ['a,b\n1,2\n', /line 1: expected a header.*found "a,b"/s],
  ['table,column\n', /nothing below/],
  ['table,column\n,x\nA,\n', /line 2: no table\n.*line 3: no column/s],
  ['table,column\nA,"x\n', /not readable as CSV.*a quote in them is doubled/],
  ['"table";"column"\n"A";"x"\n', /line 1: expected commas between the fields, found semicolons/],
  ['table\tcolumn\nA\tx\n', /found tabs/],
  ['t\0a\0b\0', /looks like UTF-16/],
  ['table,column\nA,gr\ufffd\ufffde\n', /line 2: "gr\ufffd\ufffde" has bytes that are no UTF-8/],
])('%j is refused', (text, message) => {
  expect(() => parseSplitMap(text, 'map.csv')).toThrow(
    expect.objectContaining({ kind: 'invalid', message: expect.stringMatching(message) }),
  );
});

test('names are matched without their case, written in lower case, the key first', () => {
  const { tables, findings } = match('A,ONE\nA,customer_user_id\nB,Customer_User_id\nB,two', [
    'Customer_User_id',
    'One',
    'TWO',
  ]);
  expect(findings).toEqual([]);
  const key = { source: 'Customer_User_id', name: 'customer_user_id' };
  expect(tables).toEqual([
    { name: 'A', columns: [key, { source: 'One', name: 'one' }] },
    { name: 'B', columns: [key, { source: 'TWO', name: 'two' }] },
  ]);
});

test('an alias is known by both names', () => {
  const { tables, findings } = match('A,customer_user_id\nA,x\nB,CustId\nB,Y', ['CustID', 'x', 'y'], {
    aliases: { custid: 'Customer_User_Id' },
  });
  expect(findings).toEqual([]);
  expect(tables.map(({ columns }) => columns[0])).toEqual([
    { source: 'CustID', name: 'customer_user_id' },
    { source: 'CustID', name: 'customer_user_id' },
  ]);
});

test('an alias of a column that the source lacks is said, and stops nothing but a strict run', () => {
  const { tables, findings } = match('A,x', ['customer_user_id', 'X'], { aliases: { x: 'y', Old_Id: 'z' } });
  expect(findings).toContainEqual({
    kind: 'unknown_alias',
    fatal: false,
    column: 'Old_Id',
    message: 'the source has no column `Old_Id`, which the aliases call `z`',
  });
  expect(findings.map(({ kind }) => kind)).toEqual(['unknown_alias', 'no_key']);
  expect(tables[0]!.columns[1]).toEqual({ source: 'X', name: 'y' });
});

test('everything that is wrong is said, with its line', () => {
  const { tables, findings } = match('A,customer_user_id\nA,x\nA,X\nA,gone\nB,x\nb,y\nmetadata,z\n../up,z', [
    'customer_user_id',
    'x',
    'y',
    'z',
    'Z2',
  ]);
  expect(findings.map(({ kind, fatal, table, column, line }) => [kind, fatal, table, column, line])).toEqual(
    expect.arrayContaining([
      ['duplicate', false, 'A', 'X', 4],
      ['missing_column', false, 'A', 'gone', 5],
      ['shared_column', false, 'B', 'x', 6],
      ['no_key', false, 'B', undefined, undefined],
      ['bad_name', true, 'b', undefined, undefined],
      ['bad_name', true, 'metadata', undefined, undefined],
      ['bad_name', true, '../up', undefined, undefined],
      ['unmapped_column', false, undefined, 'Z2', undefined],
    ]),
  );
  expect(tables[0]!.columns.map(({ name }) => name)).toEqual(['customer_user_id', 'x']);
});

test('what nothing can be run with', () => {
  const kinds = (found: ReturnType<typeof match>) =>
    found.findings.filter(({ fatal }) => fatal).map(({ kind }) => kind);
  expect(kinds(match('A,x', ['x']))).toEqual(['missing_key']);
  expect(kinds(match('A,customer_user_id', ['customer_user_id']))).toEqual(['empty_table']);
  expect(kinds(match('A,x', ['customer_user_id', 'x', 'X']))).toEqual(['same_name']);
  expect(kinds(match('A,snapshot_dt', ['customer_user_id', 'snapshot_dt']))).toEqual(['same_name']);
  expect(kinds(match('A,x', ['customer_user_id', 'x'], { only: ['C'] as never[] }))).toEqual(['unknown_table']);
});

test('100 columns with the partition key among them', () => {
  const names = Array.from({ length: 99 }, (_, index) => `c${index}`);
  const wide = (count: number) =>
    match(
      names
        .slice(0, count)
        .map((name) => `A,${name}`)
        .join('\n'),
      ['customer_user_id', ...names],
    ).findings.filter(({ kind }) => kind === 'too_wide');
  expect(wide(98)).toEqual([]);
  expect(wide(99)).toEqual([expect.objectContaining({ table: 'A', message: expect.stringContaining('101 in all') })]);
});

describe('snapshots', () => {
  const store = createMemoryStore();
  const put = (path: string) => store.create(`memory:/raw/${path}`, Uint8Array.of(1));
  beforeAll(async () => {
    await put('snapshot_dt=2026-01-31/b.parquet');
    await put('snapshot_dt=2026-01-31/a.parquet');
    await put('snapshot_dt=2026-01-31/_SUCCESS');
    await put('snapshot_dt=2026-01-31/.a.crc');
    await put('snapshot_dt=2026-02-28/_temporary/0/c.parquet');
    await put('snapshot_dt=2026-02-28/c.parquet');
    await put('snapshot_dt=2026-02-31/no-such-day.parquet');
    await put('deep/snapshot_dt=2027-01-31/d.parquet');
    await put('snapshot_dt=latest/e.parquet');
  });
  const find = async (options: Parameters<typeof findSnapshot>[2]) => {
    const { date, files, incomplete } = await findSnapshot(store, 'memory:/raw/', options);
    return { date, files: files.map(({ url }) => url.split('/').at(-1)), incomplete };
  };

  test('the latest, the one asked for, the latest that is complete', async () => {
    const january = { date: '2026-01-31', files: ['a.parquet', 'b.parquet'], incomplete: [] };
    expect(await find({})).toEqual({ date: '2026-02-28', files: ['c.parquet'], incomplete: [] });
    expect(await find({ snapshot: '_NONE_' })).toMatchObject({ date: '2026-02-28' });
    expect(await find({ snapshot: '2026-01-31' })).toEqual(january);
    expect(await find({ marker: '_SUCCESS' })).toEqual({ ...january, incomplete: ['2026-02-28'] });
  });

  test('one that is not there is an error that names the folder', async () => {
    const refused = (kind: string, message: RegExp) =>
      expect.objectContaining({ kind, message: expect.stringMatching(message) });
    await expect(find({ snapshot: '2026-03-31' })).rejects.toEqual(
      refused('not_found', /snapshot_dt=2026-03-31.*memory:\/raw\//),
    );
    await expect(find({ snapshot: '2026-02-28', marker: '_SUCCESS' })).rejects.toEqual(
      refused('not_found', /lack _SUCCESS/),
    );
    await expect(find({ snapshot: '../../etc' })).rejects.toEqual(refused('invalid', /2026-01-31/));
    await expect(findSnapshot(store, 'memory:/none/', {})).rejects.toEqual(refused('not_found', /memory:\/none\/$/));
    // One folder too deep, one too high, and names that are no dates: what is there says which it is.
    await expect(findSnapshot(store, 'memory:/raw/snapshot_dt=2026-01-31/', {})).rejects.toEqual(
      refused('not_found', /snapshot_dt=2026-01-31\/, but \.a\.crc, _SUCCESS, a\.parquet$/),
    );
    await expect(findSnapshot(store, 'memory:/', {})).rejects.toEqual(refused('not_found', /, but raw\/$/));
  });
});

test('nothing is written before all findings are said; strictly, any of them stops', async () => {
  const store = createMemoryStore();
  await writeSource(store, 'memory:/in/snapshot_dt=2026-01-31/', { tables: { A: 3 } });
  const request = {
    source: 'memory:/in/',
    target: 'memory:/out/',
    map: { text: `${splitMapCsv({ A: 3 })}A,gone,\n`, name: 'map' },
    key: 'customer_user_id',
    aliases: {},
    only: [],
    targetBytes: 1e9,
  };
  expect((await prepareSplit(store, { ...request, strict: false })).findings).toMatchObject([
    { kind: 'missing_column', column: 'gone' },
  ]);
  await expect(prepareSplit(store, { ...request, strict: true })).rejects.toMatchObject({
    kind: 'config',
    message: expect.stringMatching(/`gone`/),
  });
  await expect(prepareSplit(store, { ...request, strict: false, target: 'memory:/in/out/' })).rejects.toMatchObject({
    kind: 'config',
  });
  expect(await Array.fromAsync(store.list('memory:/out/'))).toEqual([]);
});
