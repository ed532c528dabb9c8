import * as z from 'zod';
import { isKind, LakegateError } from '../errors.ts';
import type { ObjectInfo, ObjectStore } from '../storage/store.ts';
import type { TablePlan } from './model.ts';
import { sparkStagingOf, stagingFolder } from './place-outputs.ts';
import { filesIn, moveStaged } from './staged-files.ts';

/** A table that the Spark job wrote and counted, and left beside its place (`HOLD` of glue/split.py): whoever audited it commits it. */

/** Where a table goes that the Spark job makes. */
export interface HeldPlace {
  /** URL ending in `/`: tables are folders in it. */
  target: string;
  table: string;
  layout: TablePlan['layout'];
  /** `YYYY-MM-DD`. */
  snapshot: string;
}

/** What the job says of it: the run that its files are named by, and how many there are. */
export interface HeldRun {
  id: string;
  files: number;
}

/** How far a table has come. */
export interface HeldState {
  /** Folder that its files lie in, or will; URL ending in `/`. */
  folder: string;
  /** Whether the folder holds exactly what the run made. */
  committed: boolean;
  files: ObjectInfo[];
}

/** Each part of a path that a record may name, as glue/split.py has it: nothing leads out of the table's folder. */
const PART = /^[A-Za-z0-9][A-Za-z0-9_.=-]*$/;
const path = z.string().refine(isPath);
/** Names of files in the table's folder by what they are in the staging folder. The job has the same two records, and does what a commit says. */
const moves = z.record(path, path);
const HELD = z.object({ run: z.string(), moves });
const COMMIT = z.object({ moves, replaces: z.array(path) });
type Commit = z.infer<typeof COMMIT>;

const HELD_FILE = 'held.json';
const COMMIT_FILE = 'commit.json';
/** Folder of a table's files until they are committed, URL ending in `/`. */
export function heldFolder(place: HeldPlace): string {
  return `${sparkStagingOf(place.target)}${inside(place)}`;
}

/**
 * Looks what of a run's table is done. A commit that was broken off is finished first: it was begun after its audit.
 * @throws LakegateError `not_found` where the run's files are not there, or not all of them; `corrupt` for a broken record; what stores throw
 */
export async function heldState(store: ObjectStore, place: HeldPlace, run: HeldRun): Promise<HeldState> {
  await finishCommit(store, place);
  const folder = `${place.target}${inside(place)}`;
  const present = await readersFiles(store, place);
  const own = [...present].filter(([name]) => name.endsWith(`-${run.id}.parquet`)).map(([, file]) => file);
  if (own.length === run.files && present.size === run.files) return { folder, committed: true, files: own };
  const staging = heldFolder(place);
  const held = await readRecord(store, `${staging}${HELD_FILE}`, HELD);
  if (held?.run !== run.id) {
    const found = held === undefined ? 'none' : `those of run ${held.run}`;
    throw gone(place, `expected the files of run ${run.id} in ${staging}, found ${found}`);
  }
  const staged = await filesIn(store, staging);
  const files = Object.keys(held.moves).map((name) => staged.get(name));
  const there = files.filter((file) => file !== undefined);
  if (there.length < files.length || files.length !== run.files) {
    throw gone(place, `${there.length} of ${run.files} files are in ${staging}`);
  }
  return { folder, committed: false, files: there };
}

/**
 * Makes the run's held files the table's, in place of what is there: as the job does it, and finished by the job or by another call of this where it is
 * broken off. A reader may see fewer files for a moment, never rows twice.
 * @throws LakegateError `not_found` where they are not there any more; `conflict` while another commits the same table; `invalid` where a file that no
 * split wrote is in its folder; what stores throw
 */
export async function commitHeld(store: ObjectStore, place: HeldPlace, run: HeldRun): Promise<void> {
  const { folder, committed } = await heldState(store, place, run);
  if (committed) return;
  await checkOther(store, place);
  const staging = heldFolder(place);
  const held = await readRecord(store, `${staging}${HELD_FILE}`, HELD);
  if (held?.run !== run.id) throw gone(place, `${staging}${HELD_FILE} was replaced meanwhile`);
  const own = new Set(Object.values(held.moves));
  const replaces = [...(await readersFiles(store, place)).keys()].filter((name) => !own.has(name));
  const strange = replaces.find((name) => !isPath(name));
  if (strange !== undefined) {
    throw new LakegateError(
      'invalid',
      `${folder} has a file ${JSON.stringify(strange)}, which no split wrote. Move it away, and run this again.`,
      { context: { folder, file: strange } },
    );
  }
  const record: Commit = { moves: held.moves, replaces };
  const url = `${staging}${COMMIT_FILE}`;
  if ((await store.create(url, new TextEncoder().encode(JSON.stringify(record)))) === undefined) {
    const other = await readRecord(store, url, COMMIT);
    // The same run, asked twice: both do what the first one wrote down.
    if (other !== undefined && Object.keys(other.moves).join() !== Object.keys(held.moves).join()) {
      throw new LakegateError(
        'conflict',
        `another run is committing ${folder} at this moment. Let it end, and run this again.`,
        { context: { folder } },
      );
    }
  }
  await finishCommit(store, place);
}

/** The engines of `tables split` have a staging folder of their own: when one goes on with its commit, files of both would lie side by side. */
async function checkOther(store: ObjectStore, place: HeldPlace): Promise<void> {
  const other = stagingFolder(place.target, place.table, place.layout, place.snapshot);
  if ((await store.head(`${other}${COMMIT_FILE}`)) === undefined) return;
  throw new LakegateError(
    'conflict',
    `tables split is committing ${place.table}, or was broken off while it did. Let it end, or run it again; or delete ${other} and run this again.`,
    { context: { place: other }, retryable: false },
  );
}

/** Does what the written commit says, as far as it is not done; nothing where there is none. */
async function finishCommit(store: ObjectStore, place: HeldPlace): Promise<void> {
  const staging = heldFolder(place);
  const url = `${staging}${COMMIT_FILE}`;
  const commit = await readRecord(store, url, COMMIT);
  if (commit === undefined) return;
  const folder = `${place.target}${inside(place)}`;
  const [staged, present] = [await filesIn(store, staging), await filesIn(store, folder)];
  const all = Object.entries(commit.moves);
  const lost = all.filter(([from, to]) => !staged.has(from) && !present.has(to));
  // Looked at first: nothing that readers have is deleted for files that are not there.
  if (lost.length > 0) {
    // Whoever did the same commit has ended it meanwhile, and another run came after it.
    if ((await store.head(url)) === undefined) return;
    throw gone(place, `${lost.length} of ${all.length} files that ${url} names are nowhere, ${lost[0]![0]} among them`);
  }
  await store.delete(commit.replaces.flatMap((name) => [`${folder}${name}`, `${folder}${checksumOf(name)}`]));
  const open = all.filter(([, to]) => !present.has(to));
  await moveStaged(
    store,
    open.map(([from, to]) => ({ from: staged.get(from)!, to: `${folder}${to}` })),
  );
  await remove(store, staging, staged);
}

/** Removes what was in a staging folder, the record of its commit last; what another run has put there meanwhile stays. */
async function remove(store: ObjectStore, staging: string, found: ReadonlyMap<string, ObjectInfo>): Promise<void> {
  const held = await store.head(`${staging}${HELD_FILE}`);
  const isOther = held?.etag !== found.get(HELD_FILE)?.etag;
  const names = [...found.keys()].filter((name) => name !== COMMIT_FILE && !(isOther && name === HELD_FILE));
  await store.delete(names.map((name) => `${staging}${name}`));
  await store.delete([`${staging}${COMMIT_FILE}`]);
}

function inside({ table, layout, snapshot }: HeldPlace): string {
  return layout === 'partitioned' ? `${table}/snapshot_dt=${snapshot}/` : `${table}/`;
}

/** Files that readers of a table's folder see: all below a snapshot's, those directly in a plain one's. */
async function readersFiles(store: ObjectStore, place: HeldPlace): Promise<Map<string, ObjectInfo>> {
  const files = await filesIn(store, `${place.target}${inside(place)}`);
  for (const name of files.keys()) {
    const isHidden = name.split('/').some((part) => part === '' || part.startsWith('_') || part.startsWith('.'));
    if (isHidden || (place.layout === 'plain' && name.includes('/'))) files.delete(name);
  }
  return files;
}

/** Hadoop's own file of checksums beside one that it wrote on a disk: it would not read other bytes under the same name. */
function checksumOf(name: string): string {
  const at = name.lastIndexOf('/') + 1;
  return `${name.slice(0, at)}.${name.slice(at)}.crc`;
}

function isPath(text: string): boolean {
  return text.split('/').every((part) => PART.test(part));
}

async function readRecord<T>(store: ObjectStore, url: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const record = parsed((await store.read(url)).bytes, schema);
    if (record !== undefined) return record;
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
  throw new LakegateError(
    'corrupt',
    `${url} is no record of a split's files. Look at the folder beside it, delete the folder, and run this again.`,
    { context: { url } },
  );
}

function parsed<T>(bytes: Uint8Array, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}

function gone(place: HeldPlace, found: string): LakegateError {
  return new LakegateError('not_found', `${place.table}: ${found}. Start the run again: it makes them anew.`, {
    context: { table: place.table, place: heldFolder(place) },
  });
}
