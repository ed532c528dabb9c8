import { headOf, snapshotById } from '../../src/iceberg/ancestry.ts';
import { planTag } from '../../src/iceberg/refs.ts';
import { loadTable, orders, parquet, targetOf } from '../faults/lake.ts';
import { closeLakes, type TableLake, tableLake } from './table-lake.ts';

afterEach(closeLakes);

/** A rule that fails, and lets somebody do something while the audit runs. */
async function lakeThat(duringAudit: (made: TableLake) => Promise<void>): Promise<TableLake> {
  const made: TableLake = await tableLake({
    onFailure: 'discard',
    rules: [{ rule: 'sql', name: 'never right', query: 'SELECT * FROM delivery' }],
  });
  made.lake.ports.sql = {
    async violations() {
      await duringAudit(made);
      return { count: 1, sample: [] };
    },
  };
  return made;
}

const DROP = { 'bad.parquet': parquet(orders(0, 3)) };

test('a discarded delivery leaves neither branch nor file', async () => {
  const made = await lakeThat(async () => undefined);
  const [record] = await made.drop(DROP);
  expect(record?.state).toBe('rejected');
  expect(record?.branch).toBeUndefined();
  expect(await made.lake.ports.store.head(record!.files![0]!)).toBeUndefined();
  expect(Object.keys((await loadTable(made.lake)).metadata.refs)).toEqual([]);
});

test('a discarded delivery that somebody tagged meanwhile keeps its files', async () => {
  const made = await lakeThat(async ({ lake }) => {
    const table = await loadTable(lake);
    const [branch] = Object.keys(table.metadata.refs);
    const plan = planTag(table, 'look-at-this', headOf(table.metadata, branch!)!);
    await targetOf(lake).catalog.commit(table, plan.requirements, plan.updates);
  });
  const [record] = await made.drop(DROP);
  expect(record?.state).toBe('rejected');
  const { metadata } = await loadTable(made.lake);
  expect(Object.keys(metadata.refs)).toEqual(['look-at-this']);
  expect(snapshotById(metadata, headOf(metadata, 'look-at-this')!)).toBeDefined();
  expect(await made.lake.ports.store.head(record!.files![0]!)).toBeDefined();
});
