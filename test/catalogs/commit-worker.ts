/**
 * A process that commits properties to the table shop.orders, for the race in sqlite.test.ts.
 * Arguments: folder of the catalogue, prefix of its properties, how many.
 */
import { randomUUID } from 'node:crypto';
import { openSqliteCatalog } from '../../src/catalogs/sqlite.ts';
import { isKind } from '../../src/errors.ts';
import { createFileStore } from '../../src/storage/file.ts';

const [folder, prefix, times] = process.argv.slice(2) as [string, string, string];
const catalog = openSqliteCatalog({
  name: 'sql',
  uri: `sqlite:///${folder}/catalog.db`,
  catalogName: 'lake',
  warehouse: folder,
  store: createFileStore(),
  clock: Date.now,
  uuid: randomUUID,
});
for (let done = 0; done < Number(times); ) {
  const base = await catalog.loadTable({ namespace: ['shop'], name: 'orders' });
  try {
    await catalog.commit(base, [], [{ action: 'set-properties', updates: { [`${prefix}-${done}`]: 'done' } }]);
    done += 1;
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
  }
}
catalog.close();
