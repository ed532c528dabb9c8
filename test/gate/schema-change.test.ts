/** Columns that deliveries bring: nothing reaches main's schema but with a delivery that is published, and a column has one id whoever brings it. */
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { LoadedTable } from '../../src/catalogs/catalog.ts';
import { publishDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { currentSchema } from '../../src/gate/schema-change.ts';
import type { Schema } from '../../src/iceberg/model.ts';
import { liveFiles } from '../../src/iceberg/published.ts';
import { allFields } from '../../src/iceberg/schema.ts';
import { formatType } from '../../src/iceberg/types.ts';
import { idsOnMain, loadTable, orders, parquet, putDrop, span, targetOf } from '../faults/lake.ts';
import { closeLakes, reopen, type TableLake, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const GROWING = { schemaPolicy: 'add_columns', rules: [{ rule: 'not_null', columns: ['note'] }] } as const;
const growing = () => tableLake({ ...GROWING, rules: [...GROWING.rules] });

/** `name: type` of main's columns, with their ids. */
function columnsOf({ metadata }: LoadedTable, schema: Schema = currentSchema(metadata)): Record<string, string> {
  return Object.fromEntries(
    allFields(schema).map(({ name, field }) => [name, `${field.id} ${formatType(field.type)}`]),
  );
}

/** Delivers a drop each, at the same time, by runners of their own. */
async function atOnce({ config }: TableLake, files: Record<string, Uint8Array>): Promise<DeliveryRecord[]> {
  const runners = await Promise.all(Object.keys(files).map(() => reopen(config)));
  const urls = Object.entries(files).map(([name, content]) => putDrop(config, name, content));
  const outcomes = await Promise.all(runners.map(({ lake }, n) => deliver(lake.ports, config, [urls[n]!])));
  return outcomes.flat().map((outcome) => {
    if (outcome.kind !== 'ended') throw new Error(`${outcome.drop}: ${outcome.kind}`);
    return outcome.record;
  });
}

const BASE = { 'base.parquet': parquet(orders(0, 2)) };

describe('at the same time', () => {
  test('deliveries that bring the same column share its id', async () => {
    for (let round = 0; round < 5; round += 1) {
      const table = await growing();
      await table.drop(BASE);
      const records = await atOnce(table, {
        'a.parquet': parquet({ ...orders(10, 2), price: [1, 2] }),
        'b.parquet': parquet({ ...orders(20, 2), price: [3, 4] }),
        'c.parquet': parquet(orders(30, 2)),
      });
      expect(records.map(({ state }) => state)).toEqual(['published', 'published', 'published']);
      expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', note: '2 string', price: '3 int' });
      expect(await idsOnMain(table.lake)).toEqual([0, 1, 10, 11, 20, 21, 30, 31]);
    }
  });

  test('deliveries that bring different columns bring them both', async () => {
    for (let round = 0; round < 5; round += 1) {
      const table = await growing();
      await table.drop(BASE);
      const records = await atOnce(table, {
        'a.parquet': parquet({ ...orders(10, 2), price: [1, 2] }),
        'b.parquet': parquet({ ...orders(20, 2), region: ['eu', 'us'] }),
      });
      expect(records.map(({ state }) => state)).toEqual(['published', 'published']);
      const { id: _id, note: _note, ...added } = columnsOf(await loadTable(table.lake));
      expect(Object.keys(added).sort()).toEqual(['price', 'region']);
      expect(new Set(Object.values(added).map((column) => column.split(' ')[0])).size).toBe(2);
    }
  });

  test('of deliveries that bring a column with types that cannot be one, the first stays', async () => {
    const table = await growing();
    await table.drop(BASE);
    const records = await atOnce(table, {
      'a.parquet': parquet({ ...orders(10, 2), price: [1, 2] }),
      'b.parquet': parquet({ ...orders(20, 2), price: ['dear', 'cheap'] }),
    });
    expect(records.map(({ state }) => state).sort()).toEqual(['published', 'rejected']);
    expect(records.find(({ state }) => state === 'rejected')?.reason).toMatch(/price/);
    expect(await idsOnMain(table.lake)).toHaveLength(4);
  });

  test('deliveries that widen different columns each get theirs', async () => {
    const file = (from: number, types: ['INT32' | 'INT64', 'FLOAT' | 'DOUBLE']) => {
      const ids = span(from, 2);
      const columnData = [
        { name: 'id', data: types[0] === 'INT64' ? ids.map(BigInt) : ids, type: types[0], nullable: true },
        { name: 'note', data: ids.map(String), type: 'STRING' as const, nullable: true },
        { name: 'weight', data: ids.map((id) => id / 2), type: types[1], nullable: true },
      ];
      return new Uint8Array(parquetWriteBuffer({ columnData }));
    };
    for (let round = 0; round < 5; round += 1) {
      const table = await growing();
      await table.drop({ 'base.parquet': file(0, ['INT32', 'FLOAT']) });
      const records = await atOnce(table, {
        'a.parquet': file(10, ['INT64', 'FLOAT']),
        'b.parquet': file(20, ['INT32', 'DOUBLE']),
      });
      expect(records.map(({ state, reason }) => [state, reason])).toEqual([
        ['published', undefined],
        ['published', undefined],
      ]);
      const loaded = await loadTable(table.lake);
      expect(columnsOf(loaded)).toEqual({ id: '1 long', note: '2 string', weight: '3 double' });
      for (const { schemaId } of loaded.metadata.snapshots)
        expect(loaded.metadata.schemas.map((schema) => schema.schemaId)).toContain(schemaId);
      expect(await idsOnMain(table.lake)).toEqual([0, 1, 10, 11, 20, 21]);
    }
  });
});

describe('a column that a kept branch holds', () => {
  test('is not main’s; the delivery that brings it after gives it the same id; then the branch is published by hand', async () => {
    const table = await growing();
    await table.drop(BASE);
    const [kept] = await table.drop({ 'kept.parquet': parquet({ ...orders(10, 2, [0]), price: [1, 2] }) });
    expect(kept?.state).toBe('rejected');
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', note: '2 string' });
    const [clean] = await table.drop({ 'clean.parquet': parquet({ ...orders(20, 2), price: [3, 4] }) });
    expect(clean).toMatchObject({ state: 'published', addedColumns: ['price: int'] });
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', note: '2 string', price: '3 int' });
    await publishDelivery(table.lake.ports, table.config.tables[0]!, kept!.id, { by: 'me', reason: 'known' });
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', note: '2 string', price: '3 int' });
    expect(await idsOnMain(table.lake)).toEqual([0, 1, 10, 11, 20, 21]);
  });

  test('comes to main when the branch is published by hand', async () => {
    const table = await growing();
    await table.drop(BASE);
    const [kept] = await table.drop({
      'kept.parquet': parquet({ id: [10n, 11n], note: ['a', null], price: [1, 2] }),
    });
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', note: '2 string' });
    await publishDelivery(table.lake.ports, table.config.tables[0]!, kept!.id, { by: 'me', reason: 'known' });
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 long', note: '2 string', price: '3 int' });
    expect(await idsOnMain(table.lake)).toEqual([0, 1, 10, 11]);
  });

  test('does not stand in the way of one of the same name and another type', async () => {
    const table = await growing();
    await table.drop(BASE);
    const [kept] = await table.drop({ 'kept.parquet': parquet({ ...orders(10, 2, [0]), price: [1, 2] }) });
    const [clean] = await table.drop({ 'clean.parquet': parquet({ ...orders(20, 2), price: ['a', 'b'] }) });
    expect(clean?.state).toBe('published');
    const publishing = publishDelivery(table.lake.ports, table.config.tables[0]!, kept!.id, {
      by: 'me',
      reason: 'known',
    });
    await expect(publishing).rejects.toMatchObject({ kind: 'conflict', message: expect.stringMatching(/price/) });
    expect((await table.record(kept!.id)).state).toBe('rejected');
    expect(await idsOnMain(table.lake)).toEqual([0, 1, 20, 21]);
  });

  test('is all that comes to main with it: columns that somebody renamed since stay renamed', async () => {
    const table = await growing();
    await table.drop(BASE);
    const [kept] = await table.drop({ 'kept.parquet': parquet({ ...orders(10, 2, [0]), price: [1, 2] }) });
    const { catalog } = targetOf(table.lake);
    const loaded = await loadTable(table.lake);
    const schema = currentSchema(loaded.metadata);
    const renamed = schema.fields.map((field) => (field.name === 'note' ? { ...field, name: 'remark' } : field));
    await catalog.commit(
      loaded,
      [],
      [
        { action: 'add-schema', schema: { ...schema, fields: renamed }, lastColumnId: loaded.metadata.lastColumnId },
        { action: 'set-current-schema', schemaId: -1 },
      ],
    );
    await publishDelivery(table.lake.ports, table.config.tables[0]!, kept!.id, { by: 'me', reason: 'known' });
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', remark: '2 string', price: '3 int' });
  });
});

describe('in one batch', () => {
  test('a column that a bad drop and a good one bring comes with the good one', async () => {
    const table = await growing();
    await table.drop(BASE);
    const records = await table.drop({
      'bad.parquet': parquet({ ...orders(10, 2, [0]), price: [1, 2] }),
      'good.parquet': parquet({ ...orders(20, 2), price: [3, 4] }),
      'plain.parquet': parquet(orders(30, 2)),
    });
    expect(records.map(({ state }) => state)).toEqual(['rejected', 'published', 'published']);
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', note: '2 string', price: '3 int' });
    expect(records.map(({ addedColumns }) => addedColumns)).toEqual([['price: int'], ['price: int'], undefined]);
  });

  test('a column that only a bad drop brings stays off main', async () => {
    const table = await growing();
    await table.drop(BASE);
    const records = await table.drop({
      'bad.parquet': parquet({ ...orders(10, 2, [0]), price: [1, 2] }),
      'good.parquet': parquet(orders(20, 2)),
      'good.csv': 'id,note\n30,a\n',
    });
    expect(records.map(({ state }) => state)).toEqual(['rejected', 'published', 'published']);
    expect(columnsOf(await loadTable(table.lake))).toEqual({ id: '1 int', note: '2 string' });
  });

  test('a bad drop that widens a column leaves the files and bounds of good ones as main has it', async () => {
    const table = await growing();
    await table.drop(BASE);
    const records = await table.drop({
      'bad.parquet': parquet({ id: [10n, 11n], note: ['a', null] }),
      'good.parquet': parquet(orders(20, 2)),
      'good.csv': 'id,note\n30,a\n',
    });
    expect(records.map(({ state }) => state)).toEqual(['rejected', 'published', 'published']);
    const loaded = await loadTable(table.lake);
    expect(columnsOf(loaded)).toEqual({ id: '1 int', note: '2 string' });
    const files = [...(await liveFiles(table.lake.ports.io, loaded, 'main')).values()];
    expect(files.map(({ lowerBounds }) => lowerBounds?.get(1)?.byteLength)).toEqual([4, 4, 4]);
    expect(await idsOnMain(table.lake)).toEqual([0, 1, 20, 21, 30]);
  });

  test('drops that bring one name with two types: a bad one does not keep the good one out', async () => {
    const table = await growing();
    await table.drop(BASE);
    const records = await table.drop({
      'bad.parquet': parquet({ ...orders(10, 2, [0]), price: [1, 2] }),
      'good.parquet': parquet({ ...orders(20, 2), price: ['a', 'b'] }),
      'late.parquet': parquet({ ...orders(30, 2), price: [5, 6] }),
    });
    expect(records[0]?.state).toBe('rejected');
    // One of the two types came to main; the drop with the other is refused for it, by name.
    const [one, other] = records.slice(1).sort((a, b) => a.state.localeCompare(b.state));
    expect([one?.state, other?.state]).toEqual(['published', 'rejected']);
    expect(other?.reason).toMatch(/price/);
  });

  test('nested columns grow, too', async () => {
    const table = await tableLake({ ...GROWING, rules: [] });
    const line = (value: unknown) => `${JSON.stringify(value)}\n`;
    await table.drop({ 'base.jsonl': line({ id: 1, at: { x: 1 } }) });
    const records = await table.drop({
      'a.jsonl': line({ id: 2, at: { x: 2 }, tags: ['a'] }),
      'b.jsonl': line({ id: 3, at: { x: 3 }, tags: ['b'], more: { deep: { y: 1 } } }),
    });
    expect(records.map(({ state, reason }) => [state, reason])).toEqual([
      ['published', undefined],
      ['published', undefined],
    ]);
    const columns = columnsOf(await loadTable(table.lake));
    expect(Object.keys(columns)).toEqual(
      expect.arrayContaining(['tags', 'tags.element', 'more', 'more.deep', 'more.deep.y']),
    );
    expect(new Set(Object.values(columns).map((column) => column.split(' ')[0])).size).toBe(
      Object.keys(columns).length,
    );
    expect(await idsOnMain(table.lake)).toEqual([1, 2, 3]);
  });
});

test('a strict table takes none of it, and says what would', async () => {
  const table = await tableLake();
  await table.drop(BASE);
  const records = await table.drop({
    'new.parquet': parquet({ ...orders(10, 2), price: [1, 2] }),
    'wide.parquet': parquet({ id: [10n], note: ['a'] }),
  });
  expect(records.map(({ state }) => state)).toEqual(['rejected', 'rejected']);
  expect(records[0]?.reason).toMatch(/new\.parquet does not fit.*price: int is not in the table; schema: add_columns/s);
  expect(records[1]?.reason).toMatch(
    /wide\.parquet does not fit.*id is long where the table has int; schema: add_columns/s,
  );
});
