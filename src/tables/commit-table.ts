import { isKind, LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { OutputPlan, TablePlan } from './model.ts';
import { sparkStagingOf } from './place-outputs.ts';
import { filesIn, moveStaged } from './staged-files.ts';

/** What a commit does, written down before it begins: whoever finds it finishes it. */
interface Commit {
  /** Names of staged files that become the partition's. */
  files: string[];
  /** Names in the partition that they replace. */
  replaces: string[];
}

const COMMIT = 'commit.json';
/** Names of outputs, and of Hive's buckets among them. */
const OUTPUT = /^(?:part-\d{5,}|\d{6}_0)-[0-9a-f]{16}\.parquet$/;

/** How far a table has come. */
export interface TableState {
  /** Whether the partition is exactly what the plan makes. */
  committed: boolean;
  /** Outputs that are still to be made. */
  missing: OutputPlan[];
}

/**
 * Looks what of a table's plan is done. A commit that was broken off is finished first.
 * @throws LakegateError `config` when the table's folder has the other layout: engines would read both; `conflict` when the Spark job broke off
 * while it committed the same table
 */
export async function tableState(store: ObjectStore, plan: TablePlan): Promise<TableState> {
  await checkLayout(store, plan);
  await checkOther(store, plan);
  await finishCommit(store, plan);
  const wanted = new Set(plan.outputs.map(({ name }) => name));
  const present = await filesOf(store, plan);
  if (present.length === wanted.size && present.every((name) => wanted.has(name))) {
    return { committed: true, missing: [] };
  }
  const there = new Set([...(await filesIn(store, plan.staging)).keys(), ...present]);
  return { committed: false, missing: plan.outputs.filter(({ name }) => !there.has(name)) };
}

/**
 * Makes the staged files the partition's, in place of what is there: this partition alone, no other snapshot's. As with Spark's overwrite of a
 * partition, a reader may see fewer files for a moment, never rows twice. A commit that is broken off is finished by the next run.
 * @throws LakegateError of the store
 */
export async function commitTable(store: ObjectStore, plan: TablePlan): Promise<void> {
  const files = plan.outputs.map(({ name }) => name);
  const replaces = (await filesOf(store, plan)).filter((name) => !files.includes(name));
  const record = new TextEncoder().encode(JSON.stringify({ files, replaces } satisfies Commit));
  const url = `${plan.staging}${COMMIT}`;
  if ((await store.create(url, record)) === undefined) {
    const other = await writtenCommit(store, url);
    // The same run, started twice: both do what the first one wrote down.
    if (other !== undefined && other.files.join() !== files.join()) {
      throw new LakegateError(
        'conflict',
        `another run is committing ${plan.folder} at this moment. Let it end, and run this again.`,
        { context: { folder: plan.folder } },
      );
    }
  }
  await finishCommit(store, plan);
}

async function checkLayout(store: ObjectStore, { layout, root }: TablePlan): Promise<void> {
  for await (const { url } of store.list(layout === 'plain' ? `${root}snapshot_dt=` : root)) {
    const name = url.slice(root.length);
    if (isHidden(name) || (layout === 'partitioned' && name.includes('/'))) continue;
    const found = layout === 'plain' ? 'folders of snapshots' : `files beside folders of snapshots (${name})`;
    throw new LakegateError(
      'config',
      `${root} has ${found}: a ${layout} table cannot lie in the same place. Choose another target, or remove them.`,
      { context: { folder: root } },
    );
  }
}

/** The Spark job has a staging folder of its own: when it goes on with a commit, what was committed meanwhile must not lie beside its files. */
async function checkOther(store: ObjectStore, { root, folder, table }: TablePlan): Promise<void> {
  const target = root.slice(0, -`${table.name}/`.length);
  const place = `${sparkStagingOf(target)}${folder.slice(target.length)}`;
  if ((await store.head(`${place}${COMMIT}`)) === undefined) return;
  throw new LakegateError(
    'conflict',
    `the Spark job is committing ${folder}, or was broken off while it did. Let it end, or run it again; or delete ${place} and run this again.`,
    { context: { folder, place } },
  );
}

/** The files that a table's folder is read for: all below a snapshot's, those directly in a plain one's. */
async function filesOf(store: ObjectStore, { layout, folder }: TablePlan): Promise<string[]> {
  const names = [...(await filesIn(store, folder)).keys()];
  return layout === 'plain' ? names.filter((name) => !name.includes('/') && !isHidden(name)) : names;
}

/** What engines do not read. */
function isHidden(name: string): boolean {
  return name.startsWith('_') || name.startsWith('.');
}

/** Does what the written commit says, as far as it is not done; nothing where there is none. */
async function finishCommit(store: ObjectStore, { staging, folder }: TablePlan): Promise<void> {
  const url = `${staging}${COMMIT}`;
  const commit = await writtenCommit(store, url);
  if (commit === undefined) return;
  const { files, replaces } = commit;
  // One after the other: what another who does the same commit moves meanwhile is in the first list or the second.
  const staged = await filesIn(store, staging);
  const present = await filesIn(store, folder);
  const lost = files.find((name) => !staged.has(name) && !present.has(name));
  // Looked at first: nothing that readers have is deleted for files that are not there.
  if (lost !== undefined) {
    // Whoever did the same commit has ended it meanwhile, and another run came after it.
    if ((await store.head(url)) === undefined) return;
    throw new LakegateError(
      'not_found',
      `${staging}${lost} is gone, and ${folder}${lost} is not there either: somebody removed a staged file. Remove ${url}, and run this again to make it anew.`,
      { context: { from: `${staging}${lost}`, to: `${folder}${lost}` } },
    );
  }
  await store.delete(replaces.map((name) => `${folder}${name}`));
  const open = files.filter((name) => !present.has(name));
  await moveStaged(
    store,
    open.map((name) => ({ from: staged.get(name)!, to: `${folder}${name}` })),
  );
  // What is left there was copied, or is of plans that nobody follows any more. The record goes last.
  await store.delete([...staged.keys()].filter((name) => name !== COMMIT).map((name) => `${staging}${name}`));
  await store.delete([url]);
}

async function writtenCommit(store: ObjectStore, url: string): Promise<Commit | undefined> {
  try {
    return readCommit((await store.read(url)).bytes, url);
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
}

function readCommit(bytes: Uint8Array, url: string): Commit {
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Commit>;
    const { files, replaces } = found;
    const names = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((name) => typeof name === 'string' && isInside(name));
    if (names(files) && names(replaces) && files.every((name) => OUTPUT.test(name))) return { files, replaces };
  } catch (cause) {
    throw damaged(url, cause);
  }
  throw damaged(url);
}

/** Whether a name stays in the folder that it is a name in. */
function isInside(name: string): boolean {
  return name !== '' && name.split('/').every((part) => part !== '.' && part !== '..');
}

function damaged(url: string, cause?: unknown): LakegateError {
  return new LakegateError(
    'corrupt',
    `${url} is no record of a commit. Look at the folder beside it, remove the record, and run this again.`,
    { cause, context: { url } },
  );
}
