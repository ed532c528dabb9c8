import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';
import { createDrops, createHistory, edit, expectRows, introduce, type Readers, sqlName, together } from './readers.ts';

/** Tables of lakegate's that PyIceberg and Spark change, lakegate going on after each change, all engines agreeing throughout. */

let readers: Readers;
let scratch: string;
const lakes: TestLake[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-spark-'));
  readers = { engines: startEngines(), spark: startSpark(scratch) };
});

afterAll(async () => {
  await Promise.all([readers.engines.close(), readers.spark.close()]);
  await Promise.all(lakes.map((lake) => lake.remove()));
  await rm(scratch, { recursive: true, force: true });
});

const RULES = 'rules: [{ not_null: [id] }, { range: { column: id, min: 0 } }]';

/** Columns in which no engine's reading differs. */
const COLUMNS = ['id', 'region', 'ts', 'day', 'qty', 'price', 'amount', 'note'];

async function begin(name: string, settings: string) {
  const lake = await makeLake(name, `  s.t: { from: t/, ${settings}, ${RULES} }\n`);
  lakes.push(lake);
  await introduce(readers, lake);
  const drops = createDrops(readers.engines, lake);
  const history = createHistory(readers, lake, 's.t');
  let rows: string[] = [];
  let made = 0;
  const make = (about: Record<string, unknown> = {}) => {
    made += 1;
    const defaults = { shape: 'flat', writer: 'pyarrow', start: made * 100, rows: 20, columns: COLUMNS };
    return drops.make(`t/${made}.parquet`, { ...defaults, ...about });
  };
  return {
    lake,
    drops,
    history,
    make,
    /** Rows that main should have. */
    get rows() {
      return rows;
    },
    /** Main is as these rows now, for every engine. */
    async is(now: string[]): Promise<void> {
      rows = now;
      await history.now(rows);
    },
    /** lakegate delivers a file. @param shown changes its rows to what the table shows */
    async deliver(about: Record<string, unknown> = {}, shown: Parameters<typeof edit>[1] = (row) => row) {
      const path = await make(about);
      const [record] = await lake.deliver(path);
      expect(record!.reason ?? record!.state).toBe('published');
      await this.is(together(rows, edit(await drops.rows([path]), shown)));
      return record!;
    },
    /** A delivery that the audit stops, and that stays on its branch. */
    async keep() {
      const path = await make({ start: -5, rows: 10 });
      const [record] = await lake.deliver(path);
      expect(record!.state).toBe('rejected');
      return { record: record!, rows: await drops.rows([path]) };
    },
    /** PyIceberg does something to the table. */
    pyiceberg: (op: string, params: Record<string, unknown>) =>
      readers.engines.ask(op, { lake: lake.address, table: 's.t', ...params }),
    /** Spark runs SQL; `{t}` is the table, `{c}` its catalogue. */
    spark: (sql: string) =>
      readers.spark.ask<Record<string, string>[]>('records', {
        sql: sql.replaceAll('{t}', sqlName(lake, 's.t')).replaceAll('{c}', lake.address.catalog),
      }),
  };
}

const without = (rows: readonly string[], ...ids: number[]) =>
  edit(rows, (row) => (ids.includes(Number(row.id)) ? undefined : row));

test.each([
  { name: 'py_flat', settings: 'schema: strict' },
  { name: 'py_parts', settings: 'partition_by: [region, bucket(2, id)]' },
])('PyIceberg appends, deletes, overwrites, changes columns and expires: $name', async ({ name, settings }) => {
  const t = await begin(name, settings);
  const first = await t.deliver();
  const kept = await t.keep();

  const appended = await t.make();
  await t.pyiceberg('append', { paths: [appended] });
  await t.is(together(t.rows, await t.drops.rows([appended])));
  await t.deliver();

  await t.pyiceberg('delete', { where: 'id = 103 or id = 205 or id = 310' });
  await t.is(without(t.rows, 103, 205, 310));
  await t.deliver();

  const overwriting = await t.make();
  await t.pyiceberg('overwrite', { path: overwriting, where: 'id < 110' });
  await t.is(
    together(
      edit(t.rows, (row) => (Number(row.id) < 110 ? undefined : row)),
      await t.drops.rows([overwriting]),
    ),
  );
  const later = await t.deliver();

  await t.pyiceberg('evolve', { add: ['extra'], rename: [['note', 'remark']] });
  const renamed = ({ note, ...row }: Record<string, unknown>) => ({ ...row, remark: note, extra: null });
  await t.is(edit(t.rows, renamed));
  // By its old name still, and by its new one.
  await t.deliver({}, renamed);
  await t.pyiceberg('evolve', { drop: ['price'] });
  const dropped = ({ price: _price, ...row }: Record<string, unknown>) => row;
  await t.is(edit(t.rows, dropped));
  await t.deliver({ columns: COLUMNS.filter((column) => column !== 'price') }, (row) => dropped(renamed(row)));

  await t.lake.cli(['table', 'rollback', 's.t', '--delivery', later.id]);
  const gone = new Set(edit(await t.drops.rows([later.drop.url.replace('file://', '')]), ({ id }) => ({ id })));
  await t.is(t.rows.filter((row) => !gone.has(JSON.stringify({ id: JSON.parse(row).id }))));

  expect(await t.history.check()).toBeGreaterThan(9);
  await t.pyiceberg('expire', {});
  expect(Object.keys((await t.lake.table('s.t')).metadata.refs)).toContain(kept.record.branch);
  await t.deliver({ columns: ['id', 'region', 'note'] }, (row) => {
    const { remark, extra, ...rest } = renamed(row) as Record<string, unknown>;
    return { ...rest, remark, extra, ts: null, day: null, qty: null, amount: null };
  });
  await t.lake.cli(['table', 'expire', 's.t', '--older-than', '0s', '--sweep-older-than', '0s']);
  await t.is(t.rows);
  await t.lake.cli(['delivery', 'publish', kept.record.id, '--reason', 'looked at it']);
  await t.is(
    together(
      t.rows,
      edit(kept.rows, (row) => dropped(renamed(row))),
    ),
  );
  expect(first.state).toBe('published');
});

test('PyIceberg changes the partitioning', async () => {
  const t = await begin('py_spec', 'partition_by: [region]');
  const kept = await t.keep();
  await t.deliver();
  await t.pyiceberg('respec', { add: [['id', 'bucket[4]', 'id_bucket']] });
  await t.deliver();
  await t.pyiceberg('respec', { drop: ['region'], add: [['ts', 'day', 'ts_day']] });
  await t.deliver();
  await t.deliver({ region: 'north', rows: 1 });
  for (const where of ["region = 'süd'", 'id = 107', "ts > '2024-03-01T00:00:00' and id > 200"]) {
    const expected = await t.drops.rows(
      [2, 3, 4, 5].map((n) => t.lake.inRaw(`t/${n}.parquet`)),
      undefined,
      where,
    );
    await expectRows(readers, t.lake, 's.t', expected, { where });
  }
  // Staged under the first partitioning, published under the last.
  await t.lake.cli(['delivery', 'publish', kept.record.id, '--reason', 'looked at it']);
  await t.is(together(t.rows, kept.rows));
  await t.pyiceberg('delete', { where: 'id = -3 or id = 210' });
  await t.is(without(t.rows, -3, 210));
  await t.deliver();
  expect(await t.history.check()).toBeGreaterThan(5);
});

test.each([
  { name: 'sp_flat', settings: 'schema: strict' },
  { name: 'sp_parts', settings: 'partition_by: [region]' },
])('Spark appends, deletes by position, merges, compacts and expires: $name', async ({ name, settings }) => {
  const t = await begin(name, settings);
  const first = await t.deliver();
  const kept = await t.keep();
  await t.spark(`insert into {t} select * from {t} where id < 0`);
  await t.is(t.rows);
  await t.spark('insert into {t} select id + 1000, region, ts, day, qty, price, amount, note from {t} where id < 103');
  await t.is(
    together(
      t.rows,
      edit(t.rows, (row) => (Number(row.id) < 103 ? { ...row, id: String(Number(row.id) + 1000) } : undefined)),
    ),
  );

  // Copy on write, the default.
  await t.spark('delete from {t} where id = 104');
  await t.is(without(t.rows, 104));
  await t.deliver();

  const modes = ['delete', 'update', 'merge'].map((what) => `'write.${what}.mode' = 'merge-on-read'`);
  await t.spark(`alter table {t} set tblproperties (${modes.join(', ')})`);
  await t.spark('delete from {t} where id in (105, 309, 310)');
  await t.is(without(t.rows, 105, 309, 310));
  const second = await t.deliver();
  await t.spark("update {t} set note = 'seen' where id in (106, 401)");
  await t.is(edit(t.rows, (row) => (['106', '401'].includes(String(row.id)) ? { ...row, note: 'seen' } : row)));
  await t.spark(
    "merge into {t} using (select 107 as id) s on {t}.id = s.id when matched then update set {t}.note = 'merged' when not matched then insert (id) values (s.id)",
  );
  await t.is(edit(t.rows, (row) => (row.id === '107' ? { ...row, note: 'merged' } : row)));
  const third = await t.deliver();
  // Position deletes are live on main: they stay through a publish beside them, and through a rollback.
  await t.lake.cli(['table', 'rollback', 's.t', '--delivery', third.id]);
  await t.is(edit(t.rows, (row) => (Number(row.id) >= 500 && Number(row.id) < 520 ? undefined : row)));
  const deletes = await t.spark('select count(*) as n from {t}.delete_files');
  expect(Number(deletes[0]!.n)).toBeGreaterThan(0);
  await t.lake.cli(['delivery', 'publish', kept.record.id, '--reason', 'looked at it']);
  await t.is(together(t.rows, kept.rows));

  await t.spark("call {c}.system.rewrite_manifests(table => 's.t')");
  await t.is(t.rows);
  await t.deliver();
  await t.lake.cli(['table', 'expire', 's.t', '--older-than', '0s', '--sweep-older-than', '0s']);
  await t.is(t.rows);

  await t.spark(
    "call {c}.system.rewrite_data_files(table => 's.t', options => map('rewrite-all', 'true', 'remove-dangling-deletes', 'true', 'use-starting-sequence-number', 'false'))",
  );
  await t.is(t.rows);
  await t.deliver();
  // The rows of this delivery lie in files of Spark's now: they are not lakegate's to take out any more.
  await expect(t.lake.cli(['table', 'rollback', 's.t', '--delivery', second.id])).rejects.toThrow(
    /compaction rewrote them.*DELETE/,
  );
  expect(await t.history.check()).toBeGreaterThan(1);

  const kept2 = await t.keep();
  await t.spark("call {c}.system.expire_snapshots(table => 's.t', older_than => timestamp '2999-01-01 00:00:00')");
  await readers.spark.ask('remove_orphan_files', { table: sqlName(t.lake, 's.t') });
  await t.is(t.rows);
  await t.deliver();
  await t.lake.cli(['delivery', 'publish', kept2.record.id, '--reason', 'looked at it']);
  await t.is(together(t.rows, kept2.rows));
  await t.lake.cli(['table', 'expire', 's.t', '--older-than', '0s', '--sweep-older-than', '0s']);
  await t.is(t.rows);
  expect(first.state).toBe('published');
});

test('Spark changes columns and the partitioning', async () => {
  const t = await begin('sp_schema', 'schema: add_columns, partition_by: [region]');
  await t.deliver();
  await t.spark('alter table {t} add column extra string');
  await t.spark('alter table {t} rename column note to remark');
  const renamed = ({ note, ...row }: Record<string, unknown>) => ({ ...row, remark: note, extra: null });
  await t.is(edit(t.rows, renamed));
  await t.deliver({}, renamed);
  await t.spark('alter table {t} drop column price');
  const dropped = ({ price: _price, ...row }: Record<string, unknown>) => row;
  await t.is(edit(t.rows, dropped));
  const now = (row: Record<string, unknown>) => dropped(renamed(row));
  const fewer = { columns: COLUMNS.filter((column) => column !== 'price') };
  await t.deliver(fewer, now);
  await t.spark('alter table {t} alter column qty type bigint');
  await t.spark('alter table {t} add partition field bucket(4, id)');
  await t.deliver(fewer, now);
  await t.spark('alter table {t} drop partition field region');
  await t.deliver(fewer, now);
  await t.spark(
    'insert into {t} select id + 1000, region, ts, day, qty, amount, remark, extra from {t} where id = 101',
  );
  await t.is(
    together(
      t.rows,
      edit(t.rows, (row) => (row.id === '101' ? { ...row, id: '1101' } : undefined)),
    ),
  );
  await t.deliver(fewer, now);
  expect(await t.history.check()).toBeGreaterThan(6);
});

test("partitions overwritten beside Spark's position deletes", async () => {
  const t = await begin('sp_overwrite', 'mode: overwrite_partitions, partition_by: [region]');
  await t.deliver();
  await t.spark("alter table {t} set tblproperties ('write.delete.mode' = 'merge-on-read')");
  await t.spark('delete from {t} where id in (100, 101, 102)');
  await t.is(without(t.rows, 100, 101, 102));
  const path = await t.make({ region: 'north' });
  await t.lake.deliver(path);
  await t.is(
    together(
      edit(t.rows, (row) => (row.region === 'north' ? undefined : row)),
      await t.drops.rows([path]),
    ),
  );
  await t.lake.cli(['table', 'expire', 's.t', '--older-than', '0s', '--sweep-older-than', '0s']);
  await t.is(t.rows);
});
