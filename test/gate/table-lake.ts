/** A lake with one table in a folder of its own, for tests of the gate's behaviour. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ComposeOptions, Lake } from '../../src/compose.ts';
import type { LakeConfig, TableConfig } from '../../src/config/model.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { lakeConfig, openLake, putDrop } from '../faults/lake.ts';

export interface TableLake {
  lake: Lake;
  config: LakeConfig;
  /** Drops files and delivers them in one call. @returns their records, in order */
  drop(files: Record<string, Uint8Array | string>): Promise<DeliveryRecord[]>;
  /** The record as it is now. */
  record(id: string): Promise<DeliveryRecord>;
}

const folders: string[] = [];
const lakes: Lake[] = [];

/** Opens a lake that `closeLakes` takes away. */
export async function tableLake(
  table: Partial<TableConfig> = {},
  options: Partial<ComposeOptions> = {},
): Promise<TableLake> {
  const folder = mkdtempSync(join(tmpdir(), 'lakegate-gate-'));
  folders.push(folder);
  return reopen(lakeConfig(folder, table), options);
}

/** Another opening of the same lake. */
export async function reopen(config: LakeConfig, options: Partial<ComposeOptions> = {}): Promise<TableLake> {
  const lake = await openLake(config, options);
  lakes.push(lake);
  const record = async (id: string) => (await lake.ports.records.load(id))!.record;
  return {
    lake,
    config,
    record,
    async drop(files) {
      const urls = Object.entries(files).map(([name, content]) => putDrop(config, name, content));
      const outcomes = await deliver(lake.ports, config, urls);
      return outcomes.map((outcome) => {
        if (outcome.kind !== 'ended') throw new Error(`${outcome.drop}: ${outcome.kind}`);
        return outcome.record;
      });
    },
  };
}

/** For `afterEach`. */
export function closeLakes(): void {
  for (const lake of lakes.splice(0)) lake.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
