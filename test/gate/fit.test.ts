import { fitSchema } from '../../src/gate/fit.ts';
import type { Inspected } from '../../src/gate/inspect.ts';
import { currentSchema, fitTarget } from '../../src/gate/schema-change.ts';
import type { NestedField } from '../../src/iceberg/model.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { parquet } from '../faults/lake.ts';
import { sampleTable } from '../iceberg/sample-table.ts';

/** The table is `id long (required), name string`. */
const TARGET = fitTarget(sampleTable());

async function inspected(columns: Record<string, unknown[]>): Promise<Inspected> {
  const store = createMemoryStore();
  await store.create('memory:/x.parquet', parquet(columns));
  return { kind: 'parquet', footer: await readFooter(await store.open('memory:/x.parquet'), 'memory:/x.parquet') };
}

const text = (columns?: NestedField[]): Inspected => ({
  kind: 'text',
  detected: { format: 'csv', compression: 'none' } as never,
  ...(columns ? { columns } : {}),
});
const column = (name: string): NestedField => ({ id: 0, name, required: false, type: 'string' });

test('text of the table’s own columns fits as it is, inferred or not', () => {
  for (const columns of [undefined, [column('name')], [column('name'), column('id')]])
    expect(fitSchema(TARGET, text(columns), 'strict')).toMatchObject({ kind: 'fits', target: TARGET, added: [] });
});

test('a new column is refused or taken, by the table’s policy, and gets the next id', () => {
  const file = text([column('id'), column('region')]);
  expect(fitSchema(TARGET, file, 'strict')).toEqual({
    kind: 'refused',
    problems: [expect.stringMatching(/region: string is not in the table; schema: add_columns would take it/)],
  });
  const taken = fitSchema(TARGET, file, 'add_columns');
  expect(taken).toMatchObject({ kind: 'fits', added: ['region: string'], target: { lastColumnId: 3 } });
  if (taken.kind === 'fits')
    expect(taken.target.schema.fields.map(({ id, name }) => [id, name])).toEqual([
      [1, 'id'],
      [2, 'name'],
      [3, 'region'],
    ]);
});

test('a column that is pending keeps the id it has there', () => {
  const pending = new Map([['region', { ...column('region'), id: 9 }]]);
  const taken = fitSchema(
    { ...TARGET, lastColumnId: 12, pending },
    text([column('region'), column('more')]),
    'add_columns',
  );
  expect(taken.kind === 'fits' && taken.target.schema.fields.map(({ id }) => id)).toEqual([1, 2, 9, 13]);
});

test('a Parquet file must say that it has no nulls where the table allows none', async () => {
  const refused = fitSchema(TARGET, await inspected({ id: [1n], name: ['a'] }), 'add_columns');
  expect(refused).toMatchObject({ kind: 'refused', problems: [expect.stringMatching(/"id"/)] });
});

test('all that is wrong is said at once', async () => {
  const refused = fitSchema(TARGET, await inspected({ name: [1], NAME: ['x'] }), 'strict');
  expect(refused.kind === 'refused' && refused.problems.length).toBeGreaterThan(1);
  expect(refused.kind === 'refused' && refused.problems.join('\n')).toMatch(/"id".*"name"|"name".*"id"/s);
});

test('fitting changes neither the target nor the table', async () => {
  const table = sampleTable();
  const before = structuredClone(table);
  const target = fitTarget(table);
  fitSchema(target, await inspected({ id: [1n], more: [1] }), 'add_columns');
  fitSchema(target, text([column('more')]), 'add_columns');
  expect(table).toEqual(before);
  expect(target.schema).toEqual(currentSchema(table));
});
