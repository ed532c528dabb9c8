import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { OutputPlan, TablePlan } from './model.ts';

/** What a commit does, written down before it begins: whoever finds it finishes it. */
interface Commit {
  /** Names of staged files that become the partition's. */
  files: string[];
  /** Names in the partition that they replace. */
  replaces: string[];
}

const COMMIT = 'commit.json';
const OUTPUT = /^part-\d{5,}-[0-9a-f]{16}\.parquet$/;

/** How far a table has come. */
export interface TableState {
  /** Whether the partition is exactly what the plan makes. */
  committed: boolean;
  /** Outputs that are still to be made. */
  missing: OutputPlan[];
}

/** Looks what of a table's plan is done. A commit that was broken off is finished first. */
export async function tableState(store: ObjectStore, plan: TablePlan): Promise<TableState> {
  await finishCommit(store, plan);
  const wanted = new Set(plan.outputs.map(({ name }) => name));
  const present = await namesIn(store, plan.folder);
  if (present.length === wanted.size && present.every((name) => wanted.has(name))) {
    return { committed: true, missing: [] };
  }
  const there = new Set([...(await namesIn(store, plan.staging)), ...present]);
  return { committed: false, missing: plan.outputs.filter(({ name }) => !there.has(name)) };
}

/**
 * Makes the staged files the partition's, in place of what is there: this partition alone, no other snapshot's. As with Spark's overwrite of a
 * partition, a reader may see fewer files for a moment, never rows twice. A commit that is broken off is finished by the next run.
 * @throws LakegateError of the store
 */
export async function commitTable(store: ObjectStore, plan: TablePlan): Promise<void> {
  const files = plan.outputs.map(({ name }) => name);
  const replaces = (await namesIn(store, plan.folder)).filter((name) => !files.includes(name));
  const record = new TextEncoder().encode(JSON.stringify({ files, replaces } satisfies Commit));
  if ((await store.create(`${plan.staging}${COMMIT}`, record)) === undefined) {
    throw new LakegateError(
      'conflict',
      `another run is committing ${plan.folder} at this moment. Let it end, and run this again.`,
      { context: { folder: plan.folder } },
    );
  }
  await finishCommit(store, plan);
}

/** Does what the written commit says, as far as it is not done; nothing where there is none. */
async function finishCommit(store: ObjectStore, plan: TablePlan): Promise<void> {
  const url = `${plan.staging}${COMMIT}`;
  if ((await store.head(url)) === undefined) return;
  const { files, replaces } = readCommit((await store.read(url)).bytes, url);
  await store.delete(replaces.map((name) => `${plan.folder}${name}`));
  for (const name of files) await moved(store, `${plan.staging}${name}`, `${plan.folder}${name}`);
  // What is left there is of plans that nobody follows any more. The record goes last.
  const remains = (await namesIn(store, plan.staging)).filter((name) => name !== COMMIT);
  await store.delete(remains.map((name) => `${plan.staging}${name}`));
  await store.delete([url]);
}

/** Gives a staged file its place; one that was moved before stays. */
async function moved(store: ObjectStore, from: string, to: string): Promise<void> {
  if ((await store.head(from)) === undefined) {
    if ((await store.head(to)) !== undefined) return;
    throw new LakegateError(
      'not_found',
      `${from} is gone, and ${to} is not there either: somebody removed a staged file. Run this again to make it anew.`,
      { context: { from, to } },
    );
  }
  if (store.move !== undefined) return store.move(from, to);
  await store.copy(from, to);
  await store.delete([from]);
}

async function namesIn(store: ObjectStore, folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { url } of store.list(folder)) names.push(url.slice(folder.length));
  return names;
}

function readCommit(bytes: Uint8Array, url: string): Commit {
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Commit>;
    const { files, replaces } = found;
    const names = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
    if (names(files) && names(replaces) && files.every((name) => OUTPUT.test(name))) return { files, replaces };
  } catch (cause) {
    throw damaged(url, cause);
  }
  throw damaged(url);
}

function damaged(url: string, cause?: unknown): LakegateError {
  return new LakegateError(
    'corrupt',
    `${url} is no record of a commit. Look at the folder beside it, remove the record, and run this again.`,
    { cause, context: { url } },
  );
}
