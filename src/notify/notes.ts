import { createHash } from 'node:crypto';
import { isKind, LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { decodeNote, emptyNote, encodeNote, type Note } from './note.ts';

/** What was told, remembered from one run to the next: one object for each trouble, changed by compare-and-swap. */
export interface Notes {
  load(trouble: string): Promise<Note>;
  /**
   * Changes a note as it is now, which may be later than the one loaded.
   * @throws LakegateError `conflict` when others change it again and again
   */
  change(trouble: string, change: (note: Note) => Note): Promise<void>;
}

const ATTEMPTS = 5;

/** @param folder URL ending in `/` */
export function createNotes(store: ObjectStore, folder: string): Notes {
  const urlOf = (trouble: string) => `${folder}${createHash('sha256').update(trouble).digest('hex').slice(0, 32)}.json`;

  async function read(trouble: string): Promise<{ note: Note; etag?: string }> {
    const url = urlOf(trouble);
    try {
      const { bytes, etag } = await store.read(url);
      try {
        return { note: decodeNote(bytes, url), etag };
      } catch {
        // A damaged note must not keep people from being told; the next one replaces it.
        return { note: emptyNote(trouble), etag };
      }
    } catch (error) {
      if (isKind(error, 'not_found')) return { note: emptyNote(trouble) };
      throw error;
    }
  }

  return {
    load: async (trouble) => (await read(trouble)).note,
    async change(trouble, change) {
      const url = urlOf(trouble);
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        const { note, etag } = await read(trouble);
        const bytes = encodeNote(change(note));
        const made = etag === undefined ? await store.create(url, bytes) : await store.replace(url, bytes, etag);
        if (made !== undefined) return;
      }
      throw new LakegateError('conflict', `the note ${url} was changed by others ${ATTEMPTS} times meanwhile`, {
        context: { url },
      });
    },
  };
}
