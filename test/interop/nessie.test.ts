import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { openNessieCatalog } from '../../src/catalogs/nessie.ts';
import type { LakeConfig } from '../../src/config/model.ts';
import { publishDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { createStores } from '../../src/storage/stores.ts';
import { catalogContract } from '../contract/catalog.contract.ts';
import { idsOnMain, oneTable, recordsOf, stagingContract } from '../contract/staging.contract.ts';
import { lakeConfig, openLake, orders, parquet, putDrop } from '../faults/lake.ts';
import { type Nessie, type Seaweed, startNessie, startSeaweed } from './emulators/index.ts';
import { type Engine, startEngines } from './engine.ts';
import { useEmulator } from './s3.ts';

/** lakegate and PyIceberg on a Nessie server whose tables lie on an S3 server: branches of the whole catalogue, merges, conflicts. */

let s3: Seaweed;
let nessie: Nessie;
const folders: string[] = [];

beforeAll(async () => {
  s3 = await startSeaweed();
  useEmulator(s3);
  nessie = await startNessie({ s3 });
});
afterAll(async () => {
  await nessie?.stop();
  await s3?.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function client(): Catalog {
  return openNessieCatalog({
    name: 'nessie',
    config: { uri: nessie.endpoint, branch: 'main', auth: { kind: 'none' } },
    secret: () => Promise.reject(new Error('no secret is needed')),
    clock: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

async function ask(path: string, body: object): Promise<void> {
  const response = await fetch(`${nessie.endpoint}/iceberg/v1/main/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

catalogContract(
  'Nessie, its main branch',
  async () => {
    const catalog = client();
    for (const table of await catalog.listTables()) await catalog.dropTable(table);
    return {
      catalog,
      other: client(),
      async register(table, metadataText) {
        const url = `${nessie.warehouse}given/00000-${randomUUID()}.metadata.json`;
        // It refuses tables that lie elsewhere.
        const text = metadataText.replace('memory:/', nessie.warehouse);
        await createStores().create(url, Buffer.from(text));
        await ask('namespaces', { namespace: table.namespace }).catch(() => undefined);
        await ask(`namespaces/${table.namespace.join('%1F')}/register`, { name: table.name, 'metadata-location': url });
      },
    };
  },
  { branches: false, bornWithProperties: true, holdsVersion3: false },
);

async function newLake(): Promise<LakeConfig> {
  const folder = mkdtempSync(join(tmpdir(), 'lakegate-nessie-'));
  folders.push(folder);
  const auth = { kind: 'none' } as const;
  return {
    ...lakeConfig(folder),
    catalogs: { local: { type: 'nessie', uri: nessie.endpoint, branch: 'main', auth } },
    tables: oneTable(`shop_${randomUUID().slice(0, 8)}.orders`),
  };
}

stagingContract('branches of the catalogue, Nessie', newLake);

async function branchNames(): Promise<string[]> {
  return (await client().branches!.list('wap-')).map(({ name }) => name);
}

async function clearBranches(): Promise<void> {
  const { branches } = client();
  for (const branch of await branches!.list('wap-')) await branches!.drop(branch);
}

describe('PyIceberg at Nessie', () => {
  let engines: Engine;
  beforeAll(() => {
    engines = startEngines();
  });
  afterAll(() => engines.close());

  const address = (branch = 'main') => ({
    catalog: 'nessie',
    properties: {
      type: 'rest',
      uri: `${nessie.endpoint}/iceberg/${branch}`,
      's3.endpoint': s3.endpoint,
      's3.region': s3.env.AWS_REGION,
      's3.access-key-id': s3.env.AWS_ACCESS_KEY_ID,
      's3.secret-access-key': s3.env.AWS_SECRET_ACCESS_KEY,
    },
  });
  const rows = async (table: string, branch?: string) =>
    (await engines.ask<string[]>('pyiceberg_rows', { lake: address(branch), table })).length;

  test('never sees staged rows on main, sees what is kept on its branch, and what it appends meanwhile stays', async () => {
    await clearBranches();
    const config = await newLake();
    const table = config.tables[0]!.name;
    const lake = await openLake(config);
    const theirs = join(folders.at(-1)!, 'theirs.parquet');
    writeFileSync(theirs, parquet(orders(100, 2)));
    const seen: number[] = [];
    lake.ports.sql = {
      async violations() {
        seen.push(await rows(table));
        // Main moves under each of the first two audits.
        if (seen.length <= 2) await engines.ask('append', { lake: address(), table, paths: [theirs] });
        return seen.length === 2 ? { count: 1, sample: [] } : { count: 0, sample: [] };
      },
    };
    const used = {
      ...config,
      tables: [{ ...config.tables[0]!, rules: [{ rule: 'sql' as const, name: 'even', query: 'SELECT 1' }] }],
    };
    try {
      const good = await deliver(lake.ports, used, [putDrop(config, 'a.parquet', parquet(orders(0, 5)))]);
      expect(recordsOf(good).map(({ state }) => state)).toEqual(['published']);
      const bad = recordsOf(await deliver(lake.ports, used, [putDrop(config, 'b.parquet', parquet(orders(10, 7)))]));
      expect(bad.map(({ state }) => state)).toEqual(['rejected']);
      expect(seen).toEqual([0, 7]);
      expect(await rows(table)).toBe(9);
      // Its branch started before the second append.
      expect(await rows(table, bad[0]!.branch)).toBe(7 + 7);
      await publishDelivery(lake.ports, used.tables[0]!, bad[0]!.id, { by: 'a person', reason: 'ünïcode\nand lines' });
      expect(await rows(table)).toBe(16);
      expect(await branchNames()).toEqual([]);
    } finally {
      lake.close();
    }
  });
});

describe('answers that are lost', () => {
  const fetched = globalThis.fetch;
  afterEach(() => {
    globalThis.fetch = fetched;
  });

  test.each([
    ['the merge, which has not happened', /POST .*\/history\/merge$/, true],
    ['the commit to the branch', /POST .*\/iceberg\/v1\/wap-[^/]*\/namespaces\/[^/]*\/tables\/orders$/, false],
    ['the merge', /POST .*\/history\/merge$/, false],
    ['the drop of the branch', /DELETE .*\/trees\/wap-/, false],
  ])('%s: one publication, no branch left', async (_, lost, unsent) => {
    await clearBranches();
    const config = await newLake();
    const lake = await openLake(config);
    let losses = 0;
    globalThis.fetch = async (input, init) => {
      if (losses > 0 || !lost.test(`${init?.method} ${decodeURIComponent(String(input))}`)) return fetched(input, init);
      losses += 1;
      if (!unsent) await fetched(input, init);
      throw Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new Error('lost'), { code: 'ECONNRESET' }),
      });
    };
    try {
      const outcomes = await deliver(lake.ports, config, [putDrop(config, 'a.parquet', parquet(orders(0, 3)))]);
      expect(losses).toBe(1);
      expect(recordsOf(outcomes).map(({ state }) => state)).toEqual(['published']);
      expect(await idsOnMain(lake, config)).toEqual([0, 1, 2]);
      expect(await branchNames()).toEqual([]);
    } finally {
      lake.close();
    }
  });
});
