import type { Catalog, LoadedTable, NewTable, TableIdentifier } from '../../src/catalogs/catalog.ts';
import type { TableUpdate } from '../../src/iceberg/model.ts';

/** A backend under test: an empty catalogue and a second client of the same one. */
export interface CatalogUnderTest {
  catalog: Catalog;
  /** Another process's view of the same catalogue: shares nothing in memory. */
  other: Catalog;
  /** Writes the text as a metadata file and puts a table that points to it into the catalogue, as another engine would. */
  register(table: TableIdentifier, metadataText: string): Promise<void>;
}

/** In what a catalogue legitimately differs from others. */
export interface CatalogCapabilities {
  /** Namespaces within namespaces. Default: yes. */
  nestedNamespaces?: boolean;
}

export const TABLE: TableIdentifier = { namespace: ['shop'], name: 'orders' };

export const DEFINITION: NewTable = {
  schema: {
    type: 'struct',
    schemaId: 0,
    fields: [
      { id: 1, name: 'id', required: true, type: 'long' },
      { id: 2, name: 'day', required: false, type: 'date' },
    ],
  },
  spec: { specId: 0, fields: [{ sourceId: 2, fieldId: 1000, name: 'day', transform: 'identity' }] },
  properties: { owner: 'data' },
};

export function setProperty(key: string, value: string): TableUpdate {
  return { action: 'set-properties', updates: { [key]: value } };
}

/**
 * What every catalogue must do, whatever is behind it.
 * @param open gives an empty catalogue; called before each test
 */
export function catalogContract(
  name: string,
  open: () => Promise<CatalogUnderTest>,
  { nestedNamespaces = true }: CatalogCapabilities = {},
): void {
  describe(`catalogue: ${name}`, () => {
    let catalog: Catalog;
    let other: Catalog;
    let register: CatalogUnderTest['register'];
    beforeEach(async () => {
      ({ catalog, other, register } = await open());
    });
    afterEach(() => {
      catalog.close();
      other.close();
    });

    const uuidHolds = (base: LoadedTable) => ({ type: 'assert-table-uuid', uuid: base.metadata.tableUuid }) as const;

    test('what is not there: undefined to find, not_found to load and drop, namespace or not', async () => {
      for (const table of [TABLE, { namespace: ['no', 'where'], name: 'x' }]) {
        expect(await catalog.findTable(table)).toBeUndefined();
        await expect(catalog.loadTable(table)).rejects.toMatchObject({ kind: 'not_found' });
        await expect(catalog.dropTable(table)).rejects.toMatchObject({ kind: 'not_found' });
      }
      expect(await catalog.listTables()).toEqual([]);
    });

    test('a created table is what both clients load', async () => {
      const created = await catalog.createTable(TABLE, DEFINITION);
      expect(created.identifier).toEqual(TABLE);
      expect(created.metadata).toMatchObject({ formatVersion: 2, properties: { owner: 'data' }, currentSchemaId: 0 });
      expect(created.metadata.schemas[0]!.fields.map((field) => field.name)).toEqual(['id', 'day']);
      expect(await catalog.loadTable(TABLE)).toEqual(created);
      expect(await other.loadTable(TABLE)).toEqual(created);
    });

    test('a second table of the name is refused, and the first stays', async () => {
      const created = await catalog.createTable(TABLE, DEFINITION);
      await expect(other.createTable(TABLE, DEFINITION)).rejects.toMatchObject({ kind: 'exists' });
      expect((await other.loadTable(TABLE)).metadataLocation).toBe(created.metadataLocation);
    });

    test('of many creators at once exactly one wins', async () => {
      const attempts = [catalog, other, catalog, other].map((client) => client.createTable(TABLE, DEFINITION));
      const settled = await Promise.allSettled(attempts);
      const won = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(won).toHaveLength(1);
      for (const one of settled) if (one.status === 'rejected') expect(one.reason).toMatchObject({ kind: 'exists' });
      expect((await catalog.loadTable(TABLE)).metadata.tableUuid).toBe(won[0]!.metadata.tableUuid);
    });

    test('names that are no table names are refused', async () => {
      const names = ['../x', '..', 'a/b', 'a\\b', '', 'a\nb', 'a.b', ' a', 'a#b', 'x'.repeat(300)];
      for (const name of names) {
        for (const table of [
          { namespace: ['shop'], name },
          { namespace: [name === 'a.b' ? '' : name], name: 't' },
        ]) {
          await expect(catalog.createTable(table, DEFINITION)).rejects.toMatchObject({ kind: 'invalid' });
        }
      }
      await expect(catalog.createTable({ namespace: [], name: 't' }, DEFINITION)).rejects.toMatchObject({
        kind: 'invalid',
      });
      expect(await catalog.listTables()).toEqual([]);
    });

    test('a commit moves the table and is what others load', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const next = await catalog.commit(base, [uuidHolds(base)], [setProperty('a', '1'), setProperty('b', '2')]);
      expect(next.metadata.properties).toEqual({ owner: 'data', a: '1', b: '2' });
      expect(next.metadataLocation).not.toBe(base.metadataLocation);
      expect(next.metadata.lastUpdatedMs).toBeGreaterThanOrEqual(base.metadata.lastUpdatedMs);
      expect(await other.loadTable(TABLE)).toEqual(next);
      expect(base.metadata.properties).toEqual({ owner: 'data' });
    });

    test('a snapshot and its branch survive the way through the catalogue, 63-bit ids exact', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const snapshotId = 9_007_199_254_740_993n;
      const snapshot = {
        snapshotId,
        sequenceNumber: 1,
        timestampMs: base.metadata.lastUpdatedMs + 5,
        manifestList: `${base.metadata.location}/metadata/snap.avro`,
        summary: { operation: 'append' as const, 'total-records': '0' },
        schemaId: 0,
      };
      const absent = { type: 'assert-ref-snapshot-id', ref: 'wap-1', snapshotId: undefined } as const;
      await catalog.commit(
        base,
        [absent],
        [
          { action: 'add-snapshot', snapshot },
          { action: 'set-snapshot-ref', ref: 'wap-1', value: { snapshotId, type: 'branch' } },
        ],
      );
      const loaded = await other.loadTable(TABLE);
      expect(loaded.metadata.refs).toEqual({ 'wap-1': { snapshotId, type: 'branch' } });
      expect(loaded.metadata.snapshots).toMatchObject([snapshot]);
      expect(loaded.metadata.currentSnapshotId).toBeUndefined();
      await expect(other.commit(loaded, [absent], [setProperty('a', '1')])).rejects.toMatchObject({ kind: 'conflict' });
    });

    test('a commit whose requirement does not hold changes nothing', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const wrong = { type: 'assert-table-uuid', uuid: '00000000-0000-4000-8000-000000000000' } as const;
      await expect(catalog.commit(base, [wrong], [setProperty('a', '1')])).rejects.toMatchObject({
        kind: 'conflict',
        retryable: true,
      });
      expect(await other.loadTable(TABLE)).toEqual(base);
    });

    test('a commit from a stale base is a conflict and changes nothing', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const schemaIs = { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: undefined } as const;
      const first = await other.commit(base, [schemaIs], [setProperty('winner', 'other')]);
      await expect(catalog.commit(base, [schemaIs], [setProperty('winner', 'me')])).rejects.toMatchObject({
        kind: 'conflict',
      });
      expect(await catalog.loadTable(TABLE)).toEqual(first);
    });

    test('of racers from the same base exactly one wins; with reloading, all get through', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const once = [catalog, other].map((client, i) =>
        client.commit(base, [uuidHolds(base)], [setProperty('w', `${i}`)]),
      );
      const settled = await Promise.allSettled(once);
      expect(settled.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);

      const insist = async (client: Catalog, key: string) => {
        for (;;) {
          const seen = await client.loadTable(TABLE);
          try {
            return await client.commit(seen, [uuidHolds(seen)], [setProperty(key, 'done')]);
          } catch (error) {
            expect(error).toMatchObject({ kind: 'conflict' });
          }
        }
      };
      const keys = Array.from({ length: 8 }, (_, i) => `racer-${i}`);
      await Promise.all(keys.map((key, i) => insist(i % 2 === 0 ? catalog : other, key)));
      expect((await other.loadTable(TABLE)).metadata.properties).toMatchObject(
        Object.fromEntries(keys.map((key) => [key, 'done'])),
      );
    });

    test('a commit to a table that was dropped is a conflict', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      await other.dropTable(TABLE);
      await expect(catalog.commit(base, [], [setProperty('a', '1')])).rejects.toMatchObject({ kind: 'conflict' });
      expect(await catalog.findTable(TABLE)).toBeUndefined();
    });

    test('all tables of all namespaces are listed, by name', async () => {
      const tables = [
        { namespace: ['b'], name: 'a' },
        { namespace: nestedNamespaces ? ['a', 'c'] : ['a_c'], name: 'x' },
        { namespace: ['a'], name: 'z' },
        { namespace: ['a'], name: 'b' },
      ];
      for (const table of tables) await catalog.createTable(table, DEFINITION);
      const names = (await other.listTables()).map(({ namespace, name }) => [...namespace, name].join('.'));
      expect(names).toEqual(nestedNamespaces ? ['a.b', 'a.c.x', 'a.z', 'b.a'] : ['a.b', 'a.z', 'a_c.x', 'b.a']);
    });

    test('a dropped table is gone, its files stay, and its name is free', async () => {
      const first = await catalog.createTable(TABLE, DEFINITION);
      await other.dropTable(TABLE);
      expect(await catalog.findTable(TABLE)).toBeUndefined();
      const second = await catalog.createTable(TABLE, DEFINITION);
      expect(second.metadata.tableUuid).not.toBe(first.metadata.tableUuid);
    });

    test('format version 3 is refused, to load and to create', async () => {
      await register(
        TABLE,
        '{"format-version":3,"table-uuid":"00000000-0000-4000-8000-000000000000","location":"memory:/v3"}',
      );
      await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ kind: 'unsupported' });
      await expect(catalog.findTable(TABLE)).rejects.toMatchObject({ kind: 'unsupported' });
      const v3 = { ...DEFINITION, properties: { 'format-version': '3' } };
      await expect(catalog.createTable({ ...TABLE, name: 'three' }, v3)).rejects.toMatchObject({ kind: 'unsupported' });
      expect(await catalog.findTable({ ...TABLE, name: 'three' })).toBeUndefined();
    });
  });
}
