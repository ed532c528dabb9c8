import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { openRestCatalog } from '../../src/catalogs/rest.ts';
import { catalogContract } from '../contract/catalog.contract.ts';
import { type IcebergRest, startIcebergRest } from './emulators/index.ts';

/** lakegate as a client of Iceberg's own REST server: the reference of requirements, refs and conflicts. */

let server: IcebergRest;

beforeAll(async () => {
  server = await startIcebergRest();
});
afterAll(() => server?.stop());

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
