import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';

/** A file of a report, before it has a name. */
export interface ReportFile {
  /** What its name ends with, after the report's own: `_Tables.csv`. */
  suffix: string;
  text: string;
}

/** Another run of the same second takes the next number; more than these are no accident. */
const MOST_RUNS = 20;

/** A file of a report with its whole name. */
export interface NamedFile {
  name: string;
  text: string;
}

/**
 * Writes a report's files under one stem. The first file claims the name: a name that another run has is left alone, and the next one is taken
 * (`…_20261112_101503-2.json`).
 * @param folder URL ending in `/`
 * @returns the files' URLs, in order
 * @throws LakegateError `exists` when no name is free
 */
export async function saveNew(
  store: ObjectStore,
  folder: string,
  stem: string,
  files: readonly ReportFile[],
): Promise<string[]> {
  return saveRun(store, folder, stem, (run) => files.map(({ suffix, text }) => ({ name: `${run}${suffix}`, text })));
}

/**
 * The same for files whose names differ in more than their endings.
 * @param stamp what is in the name of each; given back to `filesOf` with a number behind it where it is taken
 */
export async function saveRun(
  store: ObjectStore,
  folder: string,
  stamp: string,
  filesOf: (stamp: string) => readonly NamedFile[],
): Promise<string[]> {
  for (let run = 1; run <= MOST_RUNS; run += 1) {
    const files = filesOf(run === 1 ? stamp : `${stamp}-${run}`);
    const urls = files.map(({ name }) => `${folder}${name}`);
    if ((await store.create(urls[0]!, new TextEncoder().encode(files[0]!.text))) === undefined) continue;
    for (const [index, { text }] of files.entries()) if (index > 0) await saveOver(store, urls[index]!, text);
    return urls;
  }
  throw new LakegateError(
    'exists',
    `${folder}: ${MOST_RUNS} reports are called ${stamp} already. Run it again later.`,
    { context: { folder, stamp } },
  );
}

/** Puts a text in place of what is there, if anything is. @throws LakegateError `conflict` when others keep replacing it */
export async function saveOver(store: ObjectStore, url: string, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const present = await store.head(url);
    const done = present ? await store.replace(url, bytes, present.etag) : await store.create(url, bytes);
    if (done !== undefined) return;
  }
  throw new LakegateError('conflict', `${url}: other runs keep writing this report. Run it again.`, {
    context: { url },
  });
}
