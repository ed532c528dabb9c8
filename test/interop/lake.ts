import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { LoadedTable } from '../../src/catalogs/catalog.ts';
import { parseIdentifier } from '../../src/catalogs/identifier.ts';
import { runCli } from '../../src/cli/program.ts';
import { composeLake } from '../../src/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';

/** Where the engines find a lake's tables. */
export interface LakeAddress {
  catalog: string;
  /** Path of the SQLite file. */
  database: string;
  /** URL. */
  warehouse: string;
}

/** A lake in a temporary folder, driven as a user drives it. */
export interface TestLake {
  folder: string;
  address: LakeAddress;
  /** Where to write a file that is to be dropped. Path. */
  inRaw(name: string): string;
  /** Takes files of one table through the gate, in one batch. @param paths under `inRaw` */
  deliver(...paths: string[]): Promise<DeliveryRecord[]>;
  table(name: string): Promise<LoadedTable>;
  /** Snapshot of a ref, decimal. */
  head(table: string, ref?: string): Promise<string>;
  /** Runs a `lakegate … --json` command in the lake's folder. @throws Error when its exit code is not the expected one */
  cli<T>(args: readonly string[], exit?: number): Promise<T>;
  remove(): Promise<void>;
}

/**
 * @param name what the catalogue is called, by Spark too, which opens each but once: its own for every lake
 * @param tables the `tables:` of lake.yaml, indented by two
 */
export async function makeLake(name: string, tables: string): Promise<TestLake> {
  const folder = await mkdtemp(join(tmpdir(), `lakegate-interop-${name}-`));
  const path = join(folder, 'lake.yaml');
  const yaml = `version: 1\ncatalogs:\n  ${name}: { type: sql }\ntables:\n${tables}`;
  writeFileSync(path, yaml);
  const lake = await composeLake(loadConfig(yaml, path, {}), { env: {}, cwd: folder });
  const catalog = lake.ports.catalog(name);
  const table = (of: string) => catalog.loadTable(parseIdentifier(of));
  return {
    folder,
    address: { catalog: name, database: join(folder, 'catalog.db'), warehouse: `file://${folder}/warehouse` },
    inRaw(file) {
      const target = join(folder, 'raw', file);
      mkdirSync(dirname(target), { recursive: true });
      return target;
    },
    async deliver(...paths) {
      const outcomes = await deliver(
        lake.ports,
        lake.config,
        paths.map((file) => `file://${file}`),
      );
      return outcomes.map((outcome) => {
        if (outcome.kind === 'ended') return outcome.record;
        const error = outcome.kind === 'interrupted' ? String(outcome.error) : '';
        throw new Error(`${outcome.drop} did not end but is ${outcome.kind}: ${error}`);
      });
    },
    table,
    async head(of, ref = 'main') {
      const found = (await table(of)).metadata.refs[ref];
      if (found === undefined) throw new Error(`${of} has no ref ${ref}`);
      return String(found.snapshotId);
    },
    async cli<T>(args: readonly string[], exit = 0) {
      const out = new PassThrough();
      const err = new PassThrough();
      const ended = await runCli([...args, '--json'], { out, err, cwd: folder, env: {} });
      out.end();
      err.end();
      const [printed, said] = await Promise.all([text(out), text(err)]);
      if (ended !== exit) throw new Error(`lakegate ${args.join(' ')} ended with ${ended}: ${said}${printed}`);
      return JSON.parse(printed) as T;
    },
    async remove() {
      lake.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
