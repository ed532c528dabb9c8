import { LakegateError } from '../errors.ts';
import type { ObjectInfo } from '../storage/store.ts';
import { tableState } from '../tables/commit-table.ts';
import { commitHeld, type HeldPlace, heldFolder, heldState } from '../tables/held-table.ts';
import { readPlan } from '../tables/plan-document.ts';
import { commitPlanned } from '../tables/planned.ts';
import { layoutOf, type SourceWork } from './work.ts';

/** A table's files of a snapshot, where they are before readers get them. */
export interface TableFiles {
  /** Folder that they lie in, or will; URL ending in `/`. */
  folder: string;
  /** Rows that they have to have: the snapshot's. */
  rows: number;
  files: ObjectInfo[];
  /** Of a table that lies beside its place as yet. */
  beside?: {
    /** Puts it into its place, once it passed its audit. @throws LakegateError naming what is in the way; what stores throw */
    commit(): Promise<void>;
    /**
     * After an audit that it did not pass.
     * @param failed false where the audit could not tell
     * @returns folder where its files lie for a person to look at; undefined where they are gone, or the next run's
     */
    refuse(failed: boolean): Promise<string | undefined>;
  };
}

/**
 * Finds the files that the split made of a table.
 * @throws LakegateError `not_found` where they are not there, or not all of them; `corrupt`; what stores throw
 */
export async function tableFiles(work: SourceWork, table: string): Promise<TableFiles> {
  return work.pipeline.engine === 'copy' ? copiedFiles(work, table) : heldFiles(work, table);
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
  if (committed) return { folder: plan.folder, rows, files };
  return {
    folder: plan.folder,
    rows,
    files,
    beside: {
      async commit() {
        const { outcome, reason } = await commitPlanned(ports.store, split, name);
        if (outcome === 'failed')
          throw new LakegateError('invalid', reason ?? `${name} could not be put into its place`);
      },
      async refuse(failed) {
        // What failed is made again from its snapshot; what could not be checked is there for the next run.
        if (failed) await ports.store.delete(files.map(({ url }) => url).filter((url) => !url.startsWith(plan.folder)));
        return undefined;
      },
    },
  };
}

async function heldFiles(
  { ports, run, source, found, pipeline, target }: SourceWork,
  table: string,
): Promise<TableFiles> {
  const result = await run.splitResult(source.name);
  const made = result?.tables.find((each) => each.table === table);
  if (result === undefined || made?.outcome !== 'held' || made.run === undefined) {
    throw new LakegateError('not_found', `${run.splitUrl(source.name)} does not say that ${table} was written`);
  }
  const place: HeldPlace = { target, table, layout: layoutOf(pipeline), snapshot: found.snapshot };
  const held = { id: made.run, files: made.files ?? 0 };
  const { folder, committed, files } = await heldState(ports.store, place, held);
  const rows = found.rows ?? result.source.rows;
  if (committed) return { folder, rows, files };
  return {
    folder,
    rows,
    files,
    beside: {
      commit: () => commitHeld(ports.store, place, held),
      refuse: async () => heldFolder(place),
    },
  };
}
