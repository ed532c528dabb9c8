import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { Lake } from '../compose.ts';
import type { LakeProbe, PlaceFacts } from '../doctor/lake-checks.ts';

/** Tables asked for at the same time. */
const AT_ONCE = 8;

/** Looks at the places and catalogues of an opened lake; nothing is made or written. */
export function createLakeProbe({ ports }: Lake, env: LakeProbe['env']): LakeProbe {
  return {
    env,
    async place(url) {
      if (url.startsWith('file://')) return folderFacts(resolve(fileURLToPath(url)));
      for await (const _first of ports.store.list(url)) break;
      return { kind: 'remote' };
    },
    async tablesThere(catalogName, tables) {
      const catalog = ports.catalog(catalogName);
      if (tables.length === 0) await catalog.listTables();
      const limit = pLimit(AT_ONCE);
      const found = await Promise.all(
        tables.map((table) => limit(async () => ((await catalog.findTable(parseIdentifier(table))) ? [table] : []))),
      );
      return found.flat();
    },
  };
}

/** A folder that is not there is made in the nearest one that is. */
async function folderFacts(path: string): Promise<PlaceFacts> {
  for (let at = path, isThere = true; ; at = dirname(at), isThere = false) {
    try {
      if (!(await stat(at)).isDirectory()) return { kind: 'refused', at, reason: 'is no folder' };
      await access(at, constants.W_OK | constants.X_OK);
      return { kind: isThere ? 'writable' : 'makeable' };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Below a file nothing can be: the file itself is found on the way up.
      if ((code === 'ENOENT' || code === 'ENOTDIR') && at !== dirname(at)) continue;
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
        return { kind: 'refused', at, reason: `is not open to writing (${code})` };
      }
      throw error;
    }
  }
}
