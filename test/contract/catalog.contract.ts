import type { Catalog, LoadedTable, NewTable, TableIdentifier } from '../../src/catalogs/catalog.ts';
import type { Snapshot, TableRequirement, TableUpdate } from '../../src/iceberg/model.ts';

/** A backend under test: an empty catalogue and a second client of the same one. */
export interface CatalogUnderTest {
  catalog: Catalog;
  /** Another process's view of the same catalogue: shares nothing in memory. */
  other: Catalog;
  /** Writes the text as a metadata file and puts a table that points to it into the catalogue, as another engine would. */
  register(table: TableIdentifier, metadataText: string): Promise<void>;
}

/** In what a catalogue legitimately differs from others. Everything else is the same everywhere. */
export interface CatalogCapabilities {
  /** Namespaces within namespaces. Default: yes. */
  nestedNamespaces?: boolean;
  /** A commit is from its base to the next version. Default: yes. Iceberg REST takes any whose requirements hold, from a stale base too. */
  swapsFromBase?: boolean;
  /** Tables are born with properties that nobody asked for. Default: no. */
  bornWithProperties?: boolean;
  /** Branches of a table. Default: yes. Where the server takes such commits and does something else, they are refused as what they are. */
  branches?: boolean;
  /** A second table of a name is refused. Default: yes. Otherwise the first is answered, and stays as it is. */
  createsOnce?: boolean;
  /** A table can be taken out while its files stay. Default: yes. */
  drops?: boolean;
  /** Has room for tables of format version 3, which other engines make. Default: yes. Otherwise `register` of one fails. */
  holdsVersion3?: boolean;
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

/** A first snapshot of a table, whose files nobody looks at. */
export function firstSnapshot(base: LoadedTable, snapshotId: bigint): Snapshot {
  return {
    snapshotId,
    sequenceNumber: 1,
    timestampMs: base.metadata.lastUpdatedMs + 5,
    manifestList: `${base.metadata.location}/metadata/snap.avro`,
    summary: { operation: 'append', 'total-records': '0' },
    schemaId: 0,
  };
}

/** Adds a snapshot and sets a branch to it. */
export function pointTo(snapshot: Snapshot, ref: string): TableUpdate[] {
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', ref, value: { snapshotId: snapshot.snapshotId, type: 'branch' } },
  ];
}

/** The ref must not be there. */
export function absent(ref: string): TableRequirement {
  return { type: 'assert-ref-snapshot-id', ref, snapshotId: undefined };
}

/** Whole, so that servers that read what they are given take it. */
const VERSION_3 = JSON.stringify({
  'format-version': 3,
  'table-uuid': '00000000-0000-4000-8000-000000000000',
  location: 'memory:/v3',
  'last-sequence-number': 0,
  'last-updated-ms': 1_700_000_000_000,
  'last-column-id': 1,
  'current-schema-id': 0,
  schemas: [{ type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'id', required: true, type: 'long' }] }],
  'default-spec-id': 0,
  'partition-specs': [{ 'spec-id': 0, fields: [] }],
  'last-partition-id': 999,
  'default-sort-order-id': 0,
  'sort-orders': [{ 'order-id': 0, fields: [] }],
  'next-row-id': 0,
  'current-snapshot-id': -1,
});

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
  {
    nestedNamespaces = true,
    swapsFromBase = true,
    bornWithProperties = false,
    branches = true,
    createsOnce = true,
    drops = true,
    holdsVersion3 = true,
  }: CatalogCapabilities = {},
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
      if (!bornWithProperties) expect(created.metadata.properties).toEqual({ owner: 'data' });
      expect(created.metadata.schemas[0]!.fields.map((field) => field.name)).toEqual(['id', 'day']);
      expect(await catalog.loadTable(TABLE)).toEqual(created);
      expect(await other.loadTable(TABLE)).toEqual(created);
    });

    if (createsOnce) {
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
    } else {
      test('a second table of the name is the first, as it is', async () => {
        const created = await catalog.createTable(TABLE, DEFINITION);
        const first = await catalog.commit(created, [uuidHolds(created)], [setProperty('a', '1')]);
        expect(await other.createTable(TABLE, DEFINITION)).toEqual(first);
        expect(await catalog.loadTable(TABLE)).toEqual(first);
      });
    }

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
      expect(next.metadata.properties).toEqual({ ...base.metadata.properties, a: '1', b: '2' });
      expect(next.metadataLocation).not.toBe(base.metadataLocation);
      expect(next.metadata.lastUpdatedMs).toBeGreaterThanOrEqual(base.metadata.lastUpdatedMs);
      expect(await other.loadTable(TABLE)).toEqual(next);
      expect(base.metadata.properties).not.toHaveProperty('a');
    });

    const ID = 9_007_199_254_740_993n;
    if (!branches) {
      test('a commit to a branch that the server mistook is not called done', async () => {
        const base = await catalog.createTable(TABLE, DEFINITION);
        const staged = catalog.commit(base, [absent('wap-1')], pointTo(firstSnapshot(base, ID), 'wap-1'));
        await expect(staged).rejects.toMatchObject({ kind: 'internal', retryable: false });
      });
    } else {
      test('a snapshot and its branch survive the way through the catalogue, 63-bit ids exact', async () => {
        const base = await catalog.createTable(TABLE, DEFINITION);
        const snapshot = firstSnapshot(base, ID);
        await catalog.commit(base, [absent('wap-1')], pointTo(snapshot, 'wap-1'));
        const loaded = await other.loadTable(TABLE);
        expect(loaded.metadata.refs).toEqual({ 'wap-1': { snapshotId: ID, type: 'branch' } });
        expect(loaded.metadata.snapshots).toMatchObject([snapshot]);
        expect(loaded.metadata.currentSnapshotId).toBeUndefined();
        await expect(other.commit(loaded, [absent('wap-1')], [setProperty('a', '1')])).rejects.toMatchObject({
          kind: 'conflict',
        });
      });

      test('publishing moves main and takes the branch and what it leaves behind away', async () => {
        const base = await catalog.createTable(TABLE, DEFINITION);
        const dropped = { ...firstSnapshot(base, ID + 2n), sequenceNumber: 2 };
        const one = await catalog.commit(base, [absent('wap-1')], pointTo(firstSnapshot(base, ID), 'wap-1'));
        const two = await catalog.commit(one, [absent('wap-2')], pointTo(dropped, 'wap-2'));
        await other.commit(
          two,
          [absent('main'), { type: 'assert-ref-snapshot-id', ref: 'wap-1', snapshotId: ID }],
          [
            { action: 'set-snapshot-ref', ref: 'main', value: { snapshotId: ID, type: 'branch' } },
            { action: 'remove-snapshot-ref', ref: 'wap-1' },
            { action: 'remove-snapshot-ref', ref: 'wap-2' },
            { action: 'remove-snapshots', snapshotIds: [dropped.snapshotId] },
          ],
        );
        const { metadata } = await catalog.loadTable(TABLE);
        expect(Object.keys(metadata.refs)).toEqual(['main']);
        expect(metadata.currentSnapshotId).toBe(ID);
        expect(metadata.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([ID]);
        expect(metadata.snapshotLog.map(({ snapshotId }) => snapshotId)).toEqual([ID]);
      });

      test('a snapshot whose sequence number another branch took is a conflict', async () => {
        const base = await catalog.createTable(TABLE, DEFINITION);
        const one = await catalog.commit(base, [absent('main')], pointTo(firstSnapshot(base, ID), 'main'));
        const second = { ...firstSnapshot(base, ID + 2n), parentSnapshotId: ID, sequenceNumber: 2 };
        const third = { ...second, snapshotId: ID + 4n };
        await other.commit(one, [absent('wap-1')], pointTo(second, 'wap-1'));
        await expect(catalog.commit(one, [absent('wap-2')], pointTo(third, 'wap-2'))).rejects.toMatchObject({
          kind: 'conflict',
        });
        expect(Object.keys((await catalog.loadTable(TABLE)).metadata.refs).sort()).toEqual(['main', 'wap-1']);
      });
    }

    test('a commit whose requirement does not hold changes nothing', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const wrong = { type: 'assert-table-uuid', uuid: '00000000-0000-4000-8000-000000000000' } as const;
      await expect(catalog.commit(base, [wrong], [setProperty('a', '1')])).rejects.toMatchObject({
        kind: 'conflict',
        retryable: true,
      });
      expect(await other.loadTable(TABLE)).toEqual(base);
    });

    test('a commit whose ref has moved is a conflict and changes nothing', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const first = await other.commit(base, [absent('main')], pointTo(firstSnapshot(base, ID), 'main'));
      const late = pointTo(firstSnapshot(base, ID + 2n), 'main');
      await expect(catalog.commit(base, [absent('main')], late)).rejects.toMatchObject({ kind: 'conflict' });
      expect(await catalog.loadTable(TABLE)).toEqual(first);
    });

    test('of racers for a ref exactly one wins', async () => {
      const base = await catalog.createTable(TABLE, DEFINITION);
      const racers = [catalog, other, catalog, other].map((client, i) =>
        client.commit(base, [absent('main')], pointTo(firstSnapshot(base, ID + BigInt(2 * i)), 'main')),
      );
      const settled = await Promise.allSettled(racers);
      const won = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(won).toHaveLength(1);
      for (const one of settled) if (one.status === 'rejected') expect(one.reason).toMatchObject({ kind: 'conflict' });
      expect((await other.loadTable(TABLE)).metadata.snapshots).toEqual(won[0]!.metadata.snapshots);
    });

    if (swapsFromBase) {
      test('a commit from a stale base is a conflict and changes nothing', async () => {
        const base = await catalog.createTable(TABLE, DEFINITION);
        const first = await other.commit(base, [absent('main')], [setProperty('winner', 'other')]);
        await expect(catalog.commit(base, [absent('main')], [setProperty('winner', 'me')])).rejects.toMatchObject({
          kind: 'conflict',
        });
        expect(await catalog.loadTable(TABLE)).toEqual(first);
      });

      test('of racers from the same base exactly one wins', async () => {
        const base = await catalog.createTable(TABLE, DEFINITION);
        const once = [catalog, other].map((client, i) =>
          client.commit(base, [uuidHolds(base)], [setProperty('w', `${i}`)]),
        );
        const settled = await Promise.allSettled(once);
        expect(settled.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      });
    }

    test('of racers that reload, all get through', async () => {
      await catalog.createTable(TABLE, DEFINITION);
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
      expect(await other.listTables(['a'])).toEqual([tables[3], tables[2]]);
      expect(await other.listTables(['nowhere'])).toEqual([]);
    });

    if (drops) {
      test('a commit to a table that was dropped is a conflict', async () => {
        const base = await catalog.createTable(TABLE, DEFINITION);
        await other.dropTable(TABLE);
        await expect(catalog.commit(base, [], [setProperty('a', '1')])).rejects.toMatchObject({ kind: 'conflict' });
        expect(await catalog.findTable(TABLE)).toBeUndefined();
      });

      test('a dropped table is gone, its files stay, and its name is free', async () => {
        const first = await catalog.createTable(TABLE, DEFINITION);
        await other.dropTable(TABLE);
        expect(await catalog.findTable(TABLE)).toBeUndefined();
        const second = await catalog.createTable(TABLE, DEFINITION);
        expect(second.metadata.tableUuid).not.toBe(first.metadata.tableUuid);
      });
    } else {
      test('a table that cannot be taken out without its files stays', async () => {
        const created = await catalog.createTable(TABLE, DEFINITION);
        await expect(other.dropTable(TABLE)).rejects.toMatchObject({ retryable: false });
        expect(await catalog.loadTable(TABLE)).toEqual(created);
      });
    }

    test('format version 3 is refused, to load and to create', async () => {
      if (holdsVersion3) {
        await register(TABLE, VERSION_3);
        await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ kind: 'unsupported' });
        await expect(catalog.findTable(TABLE)).rejects.toMatchObject({ kind: 'unsupported' });
      } else {
        await expect(register(TABLE, VERSION_3)).rejects.toThrow(/version 3/);
      }
      const v3 = { ...DEFINITION, properties: { 'format-version': '3' } };
      await expect(catalog.createTable({ ...TABLE, name: 'three' }, v3)).rejects.toMatchObject({ kind: 'unsupported' });
      expect(await catalog.findTable({ ...TABLE, name: 'three' })).toBeUndefined();
    });
  });
}
