import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LoadedTable } from '../../src/catalogs/catalog.ts';
import { parseIdentifier } from '../../src/catalogs/identifier.ts';
import { composeLake, type Lake } from '../../src/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';

/** A lake in a temporary folder whose tables are in a REST catalogue. */
export interface RestLake {
  /** Where to write a file that is to be dropped. Path. */
  inRaw(name: string): string;
  /** A runner of its own: shares nothing in memory with the others. */
  runner(): Promise<RestRunner>;
  remove(): Promise<void>;
}

export interface RestRunner {
  /** Takes files of one table through the gate, in one batch. @param paths under `inRaw` */
  deliver(...paths: string[]): Promise<DeliveryRecord[]>;
  table(name: string): Promise<LoadedTable>;
  /** Requests to the catalogue since it was last asked, as `GET` and the path's end. */
  requests(): string[];
}

/**
 * @param catalog the catalogue's settings in lake.yaml
 * @param tables the `tables:` of lake.yaml, indented by two
 */
export async function makeRestLake(catalog: string, tables: string): Promise<RestLake> {
  const folder = await mkdtemp(join(tmpdir(), 'lakegate-interop-rest-'));
  const path = join(folder, 'lake.yaml');
  const yaml = `version: 1\ncatalogs:\n  rest: ${catalog}\ntables:\n${tables}`;
  writeFileSync(path, yaml);
  const lakes: Lake[] = [];
  return {
    inRaw(file) {
      const target = join(folder, 'raw', file);
      mkdirSync(dirname(target), { recursive: true });
      return target;
    },
    async runner() {
      const asked: string[] = [];
      const lake = await composeLake(loadConfig(yaml, path, {}), {
        env: {},
        cwd: folder,
        onCatalogRequest: (method, url) => asked.push(`${method} ${new URL(url).pathname.split('/').at(-1)}`),
      });
      lakes.push(lake);
      return {
        async deliver(...files) {
          const outcomes = await deliver(
            lake.ports,
            lake.config,
            files.map((file) => `file://${file}`),
          );
          return outcomes.map((outcome) => {
            if (outcome.kind === 'ended') return outcome.record;
            const error = 'error' in outcome ? String(outcome.error) : '';
            throw new Error(`${outcome.drop} did not end but is ${outcome.kind}: ${error}`);
          });
        },
        table: (name) => lake.ports.catalog('rest').loadTable(parseIdentifier(name)),
        requests: () => asked.splice(0),
      };
    },
    async remove() {
      for (const lake of lakes) lake.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
