import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readFooter } from '../../src/parquet/footer.ts';
import type { LogicalField } from '../../src/parquet/model.ts';
import { readSelectedFooter } from '../../src/parquet/selected-footer.ts';
import { createStores } from '../../src/storage/stores.ts';

const FOLDER = join(__dirname, '../fixtures/parquet');
const store = createStores();

test('the chosen chunks are those of the whole footer, the others are not there', async () => {
  let files = 0;
  for (const name of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.parquet')) continue;
    const url = `file://${join(FOLDER, name)}`;
    const reader = await store.open(url);
    const whole = await readFooter(reader, url).catch(() => undefined);
    // Files that are broken on purpose are the whole footer's tests' affair.
    if (whole !== undefined) {
      const [first] = whole.fields;
      const some = await readSelectedFooter(reader, url, (column) => column === first?.name);
      expect({ ...some, rowGroups: [] }).toEqual({ ...whole, rowGroups: [] });
      const leaves = first === undefined ? [] : leavesOf(first);
      for (const [index, group] of whole.rowGroups.entries()) {
        const { columns, ...facts } = some.rowGroups[index]!;
        expect(facts).toEqual({ numRows: group.numRows, firstRow: group.firstRow });
        expect(Object.keys(columns).map(Number)).toEqual(leaves);
        for (const leaf of leaves) expect(columns[leaf]).toEqual(group.columns[leaf]);
      }
      files += 1;
    }
    await reader.close();
  }
  expect(files).toBeGreaterThan(5);
});

function leavesOf({ leaf, children }: LogicalField): number[] {
  return leaf === undefined ? children.flatMap(leavesOf) : [leaf.index];
}
