import { type CopySource, readCopySource, type SourceGroup } from '../parquet/copy-columns.ts';
import type { RangeReader } from '../storage/store.ts';
import type { PlannedFile } from './model.ts';

/** Column chunks whose descriptions are kept at most: about 1 kB each. */
const MOST_CHUNKS = 8192;

/**
 * What planning read of sources' footers, kept for the copying that follows in the same process: reading them a second time takes as long as
 * copying tens of megabytes. Those of the first files, as far as there is room; the others are read again.
 */
export interface KnownSources {
  /** Keeps what was read of a version of a file, if there is room. */
  keep(file: PlannedFile, source: CopySource, groups: readonly SourceGroup[]): void;
  /** What copying from a file takes, by a reader of that version. @throws LakegateError as `readCopySource` does */
  open(file: PlannedFile, reader: RangeReader): Promise<CopySource>;
}

export function knownSources(mostChunks = MOST_CHUNKS): KnownSources {
  const known = new Map<string, CopySource>();
  let chunks = 0;
  return {
    keep(file, source, groups) {
      const more = groups.reduce((sum, group) => sum + group.chunks.size, 0);
      if (chunks + more > mostChunks) return;
      chunks += more;
      known.set(versionOf(file), { ...source, groups });
    },
    async open(file, reader) {
      const found = known.get(versionOf(file));
      return found === undefined ? readCopySource(reader, file.url) : { ...found, reader };
    },
  };
}

function versionOf({ url, etag, version }: PlannedFile): string {
  return JSON.stringify([url, etag, version]);
}
