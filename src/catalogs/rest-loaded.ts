import type { LoadedTable, TableIdentifier } from './catalog.ts';
import { formatIdentifier } from './identifier.ts';
import type { RestAnswer } from './rest-answer.ts';

/** Tables as last answered, for servers that tell a version's ETag: asked with it, they answer 304 and send no metadata. */
export interface LoadedTables {
  /** The ETag and the table it stands for; undefined where none is known. */
  known(identifier: TableIdentifier): { etag: string; table: LoadedTable } | undefined;
  remember(table: LoadedTable, answer: RestAnswer): void;
  forget(identifier: TableIdentifier): void;
}

/** Bounds: answers add up to no more characters than this, and there are no more than so many. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
const MAX_TABLES = 256;

export function loadedTables(): LoadedTables {
  /** Least recently used first. */
  const tables = new Map<string, { etag: string; table: LoadedTable; characters: number }>();
  let total = 0;

  function drop(key: string): void {
    total -= tables.get(key)?.characters ?? 0;
    tables.delete(key);
  }

  return {
    known: (identifier) => tables.get(formatIdentifier(identifier)),
    remember(table, { etag, text }) {
      const key = formatIdentifier(table.identifier);
      drop(key);
      if (etag === undefined) return;
      tables.set(key, { etag, table, characters: text.length });
      total += text.length;
      for (const oldest of tables.keys()) {
        if (total <= MAX_CHARACTERS && tables.size <= MAX_TABLES) break;
        drop(oldest);
      }
    },
    forget: (identifier) => drop(formatIdentifier(identifier)),
  };
}
