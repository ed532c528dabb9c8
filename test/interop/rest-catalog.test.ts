import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { openRestCatalog } from '../../src/catalogs/rest.ts';
import { catalogContract } from '../contract/catalog.contract.ts';
import { type IcebergRest, startIcebergRest } from './emulators/index.ts';
import { type Engine, startEngines } from './engine.ts';
import { difference } from './readers.ts';
import { makeRestLake, type RestLake, type RestRunner } from './rest-lake.ts';
import { type Fault, startFaultProxy } from './servers/fault-proxy.ts';

/** lakegate as a client of Iceberg's own REST server: the reference of requirements, refs and conflicts. */

let server: IcebergRest;
let engines: Engine;
const lakes: RestLake[] = [];

beforeAll(async () => {
  engines = startEngines();
  server = await startIcebergRest();
});
afterAll(async () => {
  await engines?.close();
  for (const lake of lakes) await lake.remove();
  await server?.stop();
});

function client(): Catalog {
  return openRestCatalog({
    name: 'rest',
    config: { uri: server.endpoint, auth: { kind: 'none' } },
    secret: () => Promise.reject(new Error('no secret is needed')),
    clock: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

async function ask(path: string, body: object): Promise<void> {
  const response = await fetch(`${server.endpoint}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

async function emptied(): Promise<void> {
  const catalog = client();
  for (const table of await catalog.listTables()) await catalog.dropTable(table);
}

catalogContract(
  'Iceberg REST, reference server',
  async () => {
    await emptied();
    return {
      catalog: client(),
      other: client(),
      async register(table, metadataText) {
        const path = join(fileURLToPath(server.warehouse), `00000-${randomUUID()}.metadata.json`);
        writeFileSync(path, metadataText);
        await ask('namespaces', { namespace: table.namespace }).catch(() => undefined);
        await ask(`namespaces/${table.namespace.join('%1F')}/register`, {
          name: table.name,
          'metadata-location': `file://${path}`,
        });
      },
    };
  },
  { swapsFromBase: false, bornWithProperties: true },
);

describe('the gate on a REST catalogue', () => {
  const RULES = 'rules: [{ not_null: [id] }, { range: { column: id, min: 0 } }]';
  const COLUMNS = ['id', 'region', 'ts', 'day', 'qty', 'price', 'amount', 'note'];
  let lake: RestLake;
  let made = 0;

  async function make(about: Record<string, unknown> = {}): Promise<string> {
    made += 1;
    const path = lake.inRaw(`t/${made}.parquet`);
    const drop = { shape: 'flat', writer: 'pyarrow', columns: COLUMNS, start: made * 100, rows: 10, ...about };
    await engines.ask('drop', { path, ...drop });
    return path;
  }

  /** PyIceberg's own way to the same catalogue. */
  const address = () => ({ catalog: 'rest', properties: { type: 'rest', uri: server.endpoint } });

  async function expectRows(paths: readonly string[]): Promise<void> {
    const expected = await engines.ask<string[]>('parquet_rows', { paths });
    const found = await engines.ask<string[]>('pyiceberg_rows', { lake: address(), table: 's.t' });
    expect(difference(found, expected)).toEqual({ rows: expected.length, missing: [], surplus: [] });
  }

  const deliveriesOnMain = async (runner: RestRunner): Promise<string[]> => {
    const { metadata } = await runner.table('s.t');
    return metadata.snapshotLog
      .map(({ snapshotId }) => metadata.snapshots.find((snapshot) => snapshot.snapshotId === snapshotId)!)
      .flatMap(({ summary }) => (summary['lakegate.deliveries'] ?? '').split(',').filter(Boolean));
  };

  beforeEach(async () => {
    await emptied();
    lake = await makeRestLake(
      `{ type: rest, uri: "${server.endpoint}" }`,
      `  s.t: { from: t/, partition_by: [region], ${RULES} }\n`,
    );
    lakes.push(lake);
  });

  test('clean files are published, bad ones kept aside; each delivery is a load and two commits', async () => {
    const runner = await lake.runner();
    const first = await make();
    expect(await runner.deliver(first)).toMatchObject([{ state: 'published' }]);
    // The table is looked for, and created.
    expect(runner.requests()).toEqual(['GET config', 'GET t', 'POST tables', 'POST t', 'POST t']);

    const clean = await make();
    const bad = await make({ start: -5, rows: 3 });
    expect(await runner.deliver(clean)).toMatchObject([{ state: 'published' }]);
    expect(runner.requests()).toEqual(['GET t', 'POST t', 'POST t']);
    const [rejected] = await runner.deliver(bad);
    expect(rejected).toMatchObject({ state: 'rejected' });
    expect(runner.requests()).toEqual(['GET t', 'POST t']);
    await expectRows([first, clean]);
    const { metadata } = await runner.table('s.t');
    expect(metadata.location).toContain(server.warehouse);
    expect(Object.keys(metadata.refs).sort()).toEqual(['main', `wap-${rejected!.id}`]);

    // Many in a batch cost as much as one.
    runner.requests();
    const many = [await make(), await make({ start: -9, rows: 3 }), await make()];
    expect((await runner.deliver(...many)).map(({ state }) => state)).toEqual(['published', 'rejected', 'published']);
    expect(runner.requests()).toEqual(['GET t', 'POST t', 'POST t']);
    await expectRows([first, clean, many[0]!, many[2]!]);
  });

  test('three of lakegate and three of PyIceberg at once: each delivery on main exactly once, none lost', async () => {
    const one = await lake.runner();
    const base = await make();
    await one.deliver(base);
    const lanes = [];
    for (let lane = 0; lane < 3; lane += 1) {
      lanes.push({
        batches: [
          [await make(), await make({ start: -1 - lane, rows: 3 })],
          [await make(), await make()],
        ],
        own: [await make(), await make()],
      });
    }
    const byLakegate = lanes.map(async ({ batches }) => {
      const runner = await lake.runner();
      const records = [];
      for (const batch of batches) records.push(...(await runner.deliver(...batch)));
      return records;
    });
    const byPyiceberg = lanes.map(async ({ own }) => {
      const writer = startEngines();
      await writer.ask('append', { lake: address(), table: 's.t', paths: own }).finally(writer.close);
    });
    const [records] = await Promise.all([Promise.all(byLakegate).then((all) => all.flat()), Promise.all(byPyiceberg)]);

    const published = records.filter(({ state }) => state === 'published').map(({ id }) => id);
    expect(records.map(({ state }) => state).sort()).toEqual([
      ...Array(9).fill('published'),
      ...Array(3).fill('rejected'),
    ]);
    const onMain = await deliveriesOnMain(one);
    expect(onMain).toHaveLength(1 + published.length);
    expect(onMain).toEqual(expect.arrayContaining(published));
    const clean = lanes.flatMap(({ batches, own }) => [batches[0]![0]!, ...batches[1]!, ...own]);
    await expectRows([base, ...clean]);
  });

  const TABLES = `  s.t: { from: t/, partition_by: [region], ${RULES} }\n`;
  test.each<[string, Fault]>([
    ['is lost', { kind: 'lose-answer' }],
    ['says that the server failed', { kind: 'deny-answer', status: 500, code: 'InternalServerError' }],
    ['never comes, as the request never arrived', { kind: 'drop' }],
    ['is that the server is busy', { kind: 'refuse', status: 503, code: 'ServiceUnavailable' }],
  ])('the answer to one commit of each batch %s: nothing is lost, and nothing is there twice', async (_, fault) => {
    const proxy = await startFaultProxy(server.endpoint);
    const unsteady = await makeRestLake(`{ type: rest, uri: "${proxy.endpoint}" }`, TABLES);
    lakes.push(unsteady);
    lake = unsteady;
    const runner = await unsteady.runner();
    const base = await make();
    await runner.deliver(base);
    const isCommit = ({ method, target }: { method: string; target: string }) =>
      method === 'POST' && target.endsWith('/tables/t');
    const clean: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      // Staging on one round, publishing on the next.
      const injected = proxy.inject({ match: isCommit, fault, times: 1, after: round % 2 });
      const [good, bad] = [await make(), await make({ start: -9 - round * 10, rows: 3 })];
      expect((await runner.deliver(good, bad)).map(({ state }) => state)).toEqual(['published', 'rejected']);
      expect(injected.befallen).toBe(1);
      proxy.heal();
      clean.push(good);
    }
    const onMain = await deliveriesOnMain(runner);
    expect(onMain).toHaveLength(4);
    expect(new Set(onMain).size).toBe(4);
    await expectRows([base, ...clean]);
    await proxy.close();
  });

  test('of lakegate and PyIceberg that set one ref from the same version, exactly one wins', async () => {
    const runner = await lake.runner();
    await runner.deliver(await make());
    const catalog = client();
    for (let round = 0; round < 5; round += 1) {
      const base = await catalog.loadTable({ namespace: ['s'], name: 't' });
      const head = base.metadata.currentSnapshotId!;
      const ref = `race-${round}`;
      const mine = catalog
        .commit(
          base,
          [{ type: 'assert-ref-snapshot-id', ref, snapshotId: undefined }],
          [{ action: 'set-snapshot-ref', ref, value: { snapshotId: head, type: 'tag' } }],
        )
        .then(
          () => true,
          (error) => {
            expect(error).toMatchObject({ kind: 'conflict' });
            return false;
          },
        );
      const theirs = engines.ask<boolean>('race_for_tag', {
        lake: address(),
        table: 's.t',
        name: ref,
        snapshot: `${head}`,
      });
      expect([await mine, await theirs].filter(Boolean)).toHaveLength(1);
    }
  });
});
