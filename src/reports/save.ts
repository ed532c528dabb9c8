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

/**
 * Writes a report's files. The first file claims the name: a name that another run has is left alone, and the next one is taken
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
  for (let run = 1; run <= MOST_RUNS; run += 1) {
    const own = run === 1 ? stem : `${stem}-${run}`;
    const urls = files.map(({ suffix }) => `${folder}${own}${suffix}`);
    const [first] = urls as [string];
    if ((await store.create(first, bytesOf(files[0]!))) === undefined) continue;
    for (const [index, file] of files.entries()) {
      if (index > 0) await saveOver(store, urls[index]!, file.text);
    }
    return urls;
  }
  throw new LakegateError(
    'exists',
    `${folder}${stem}: ${MOST_RUNS} reports have this name already. Run it again later.`,
    {
      context: { folder, stem },
    },
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

function bytesOf({ text }: ReportFile): Uint8Array {
  return new TextEncoder().encode(text);
}
