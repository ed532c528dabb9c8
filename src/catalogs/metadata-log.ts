import type { MetadataLogEntry, TableMetadata } from '../iceberg/model.ts';
import type { LoadedTable } from './catalog.ts';

/** The chain of a table's metadata files, as catalogues that swap a pointer keep it (spec: "Table Metadata Fields", metadata-log). */

const DEFAULT_PREVIOUS_VERSIONS = 100;

/** `00012-<uuid>.metadata.json`, with the codec's name before `.metadata` where the file is compressed. */
const FILE_NAME = /^(\d+)-[0-9a-f-]{36}(?:\.\w+)?\.metadata\.json(?:\.gz)?$/i;
/** What any engine's metadata file is named like (`v3.metadata.json` included). */
const METADATA_FILE = /[^/]\.metadata\.json(?:\.gz)?$/;

/**
 * The URL of the next metadata file: `%05d-<uuid>.metadata.json` in the table's metadata folder (or where `write.metadata.path` says), the
 * number one higher than the base's.
 * @param baseLocation undefined for a new table, whose first file has number 0
 */
export function nextMetadataLocation(metadata: TableMetadata, baseLocation: string | undefined, uuid: string): string {
  const base =
    baseLocation === undefined ? undefined : FILE_NAME.exec(baseLocation.slice(baseLocation.lastIndexOf('/') + 1));
  const version = base == null ? 0 : Number(base[1]) + 1;
  const configured = metadata.properties['write.metadata.path'];
  const folder = configured ? configured.replace(/\/+$/, '') : `${metadata.location.replace(/\/+$/, '')}/metadata`;
  const codec = metadata.properties['write.metadata.compression-codec']?.toLowerCase() === 'gzip' ? '.gz' : '';
  return `${folder}/${String(version).padStart(5, '0')}-${uuid}${codec}.metadata.json`;
}

/** Whether a metadata file's name says that it is gzipped: readers go by the name (spec: "Table Metadata", compressed file names). */
export function isPacked(location: string): boolean {
  return location.endsWith('.gz.metadata.json');
}

/** `next` with the base's file added to the log, which keeps `write.metadata.previous-versions-max` entries (at least 1, default 100). */
export function withPredecessor(next: TableMetadata, base: LoadedTable): TableMetadata {
  const configured = Number(next.properties['write.metadata.previous-versions-max'] ?? DEFAULT_PREVIOUS_VERSIONS);
  const most = Number.isInteger(configured) ? Math.max(1, configured) : DEFAULT_PREVIOUS_VERSIONS;
  const entry: MetadataLogEntry = { timestampMs: base.metadata.lastUpdatedMs, metadataFile: base.metadataLocation };
  return { ...next, metadataLog: [...next.metadataLog, entry].slice(-most) };
}

/**
 * The metadata files that a commit made superfluous: those that fell off the log, where `write.metadata.delete-after-commit.enabled` is set.
 * The log is another writer's word, so only what is named like a metadata file is ever given.
 */
export function supersededFiles(base: TableMetadata, next: TableMetadata): string[] {
  if (next.properties['write.metadata.delete-after-commit.enabled']?.toLowerCase() !== 'true') return [];
  const kept = new Set(next.metadataLog.map((entry) => entry.metadataFile));
  return base.metadataLog
    .map((entry) => entry.metadataFile)
    .filter((file) => !kept.has(file) && METADATA_FILE.test(file));
}
