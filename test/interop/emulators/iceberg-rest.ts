import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Emulator } from './emulator.ts';
import { freePorts, installed, startServer } from './process.ts';

/** Iceberg's own REST catalogue; `endpoint` is what clients take as `uri`. */
export interface IcebergRest extends Emulator {
  /** Where its tables lie, a `file://` URL of a folder of this machine. */
  warehouse: string;
}

/**
 * The REST catalogue that the Iceberg project tests its clients with: the reference of requirements, refs and conflicts.
 * @throws Error with its log when it does not start
 */
export async function startIcebergRest(): Promise<IcebergRest> {
  const jars = installed('rest-jars');
  const [port] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'iceberg-rest-'));
  const warehouse = pathToFileURL(folder).href;
  const server = await startServer({
    name: 'Iceberg REST',
    command: 'java',
    args: ['-Xmx512m', '-cp', join(jars, '*'), 'org.apache.iceberg.rest.RESTCatalogServer'],
    env: {
      CATALOG_REST_PORT: String(port),
      CATALOG_WAREHOUSE: warehouse,
      CATALOG_URI: 'jdbc:sqlite::memory:',
      // A database in memory is its connection's own: with two of them, requests at the same time would see two catalogues.
      CATALOG_CLIENTS: '1',
      CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
    },
    health: `${endpoint}/v1/config`,
  });
  return {
    endpoint,
    warehouse,
    env: {},
    log: server.log,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
