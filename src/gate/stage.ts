import type { LoadedTable } from '../catalogs/catalog.ts';
import type { TableConfig } from '../config/model.ts';
import type { DataFile, Snapshot, TableMetadata, TableUpdate } from '../iceberg/model.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { stagingOf } from './staging-of.ts';

export interface StageRequest {
  ids: readonly string[];
  dataFiles: readonly DataFile[];
  config: Pick<TableConfig, 'mode' | 'keepBranchMs'>;
  /** The updates that give the table, as it is by then, the files' schema. */
  schemaFor(metadata: TableMetadata): { updates: TableUpdate[]; schemaId: number };
  /** Checks that the deliveries are still this runner's: if not, their branches are another's work. @throws LakegateError */
  checkHeld(): Promise<void>;
}

export interface Staged {
  /** As main shows it. */
  table: LoadedTable;
  branch: string;
  snapshot: Snapshot;
}

/**
 * Commits the files of one or more deliveries onto a new branch that starts from main's head. Branches on which earlier attempts staged them go:
 * a runner that lost its lease and does not know it yet cannot publish from there any more.
 * @throws LakegateError `conflict`, context `refit: true`, when the table's columns or partitioning changed since the files were fitted to them
 */
export async function stage(
  ports: GatePorts,
  target: TableTarget,
  loaded: LoadedTable,
  request: StageRequest,
): Promise<Staged> {
  return stagingOf(ports, target).stage(loaded, request);
}
