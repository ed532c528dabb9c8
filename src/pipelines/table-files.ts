import { LakegateError } from '../errors.ts';
import type { ObjectInfo } from '../storage/store.ts';
import { tableState } from '../tables/commit-table.ts';
import type { SplitPlan } from '../tables/model.ts';
import { readPlan } from '../tables/plan-document.ts';
import type { SourceWork } from './work.ts';

/** A table's files of a snapshot, where they are before readers get them. */
export interface TableFiles {
  /** Folder that they lie in, or will; URL ending in `/`. */
  folder: string;
  /** Rows that they have to have: the snapshot's. */
  rows: number;
  files: ObjectInfo[];
  /** Of a table that lies beside its place as yet: what it is put there by. */
  plan?: SplitPlan;
}

/**
 * Finds the files that the split made of a table.
 * @throws LakegateError `not_found` where they are not there, or not all of them; `corrupt`; what stores throw
 */
export async function tableFiles(work: SourceWork, table: string): Promise<TableFiles> {
  return work.pipeline.engine === 'copy' ? copiedFiles(work, table) : writtenFiles(work, table);
}

async function copiedFiles({ ports, run, source }: SourceWork, name: string): Promise<TableFiles> {
  const planUrl = run.planUrl(source.name);
  const split = await readPlan(ports.store, planUrl);
  const plan = split.tables.find(({ table }) => table.name === name);
  if (plan === undefined) throw new LakegateError('not_found', `${planUrl} has no table ${name}: it was not copied`);
  const { committed, missing } = await tableState(ports.store, plan);
  if (missing.length > 0) {
    throw new LakegateError('not_found', `${name}: ${missing.length} of ${plan.outputs.length} files are not there`);
  }
  // Files that an earlier run put into their place stay there when others of them have to be made anew.
  const made = new Map<string, ObjectInfo>();
  for (const folder of committed ? [plan.folder] : [plan.folder, plan.staging]) {
    for await (const file of ports.store.list(folder)) made.set(file.url.slice(folder.length), file);
  }
  const files = plan.outputs.map((output) => made.get(output.name)!);
  const rows = plan.outputs.reduce((sum, output) => sum + output.rows, 0);
  return { folder: plan.folder, rows, files, ...(!committed && { plan: split }) };
}

async function writtenFiles(
  { ports, run, source, found, pipeline, target }: SourceWork,
  name: string,
): Promise<TableFiles> {
  const result = await run.splitResult(source.name);
  if (!result?.tables.some(({ table, outcome }) => table === name && outcome === 'written')) {
    throw new LakegateError('not_found', `${run.splitUrl(source.name)} does not say that ${name} was written`);
  }
  const folder = `${target}${name}/${pipeline.name === 'partitioned' ? `snapshot_dt=${found.snapshot}/` : ''}`;
  const files: ObjectInfo[] = [];
  for await (const file of ports.store.list(folder)) {
    const path = file.url.slice(folder.length);
    if (!path.includes('/') && !/^[._]/.test(path) && file.size > 0) files.push(file);
  }
  return { folder, rows: found.rows ?? result.source.rows, files };
}
