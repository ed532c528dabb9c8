import { LakegateError } from '../errors.ts';
import { decodeManifest } from '../iceberg/manifest.ts';
import { decodeManifestList } from '../iceberg/manifest-list.ts';
import type { DataFile, Schema, Snapshot } from '../iceberg/model.ts';
import type { MappedField } from '../iceberg/name-mapping.ts';
import { allFields } from '../iceberg/schema.ts';
import { readWritten } from '../iceberg/written-files.ts';
import { audit } from '../rules/audit.ts';
import { auditedParquet } from '../rules/audited-parquet.ts';
import { factsOf } from '../rules/manifest-statistics.ts';
import type { AuditedFile, AuditVerdict, RuleSpec, SqlEngine, StagedRows } from '../rules/rule.ts';
import type { ObjectStore } from '../storage/store.ts';

/**
 * The data files a snapshot added, decoded from the bytes that the store has: the audit judges what was staged, not what the stager remembers.
 * Files that this process wrote are not fetched again.
 * @returns by file path
 */
export async function addedFiles(store: ObjectStore, snapshot: Snapshot): Promise<Map<string, DataFile>> {
  const manifests = decodeManifestList(await readWritten(store, snapshot.manifestList), snapshot.manifestList);
  const added = manifests.filter(
    ({ content, addedSnapshotId }) => content === 'data' && addedSnapshotId === snapshot.snapshotId,
  );
  const decoded = await Promise.all(
    added.map(async ({ manifestPath }) => decodeManifest(await readWritten(store, manifestPath), manifestPath)),
  );
  const files = decoded.flatMap(({ entries }) => entries).filter(({ status }) => status === 'added');
  return new Map(files.map(({ dataFile }) => [dataFile.filePath, dataFile]));
}

/** What a drop without rows, of which no file was written, is to the rules: the table's columns and nothing in them. */
function withoutRows(schema: Schema): AuditedFile {
  const fields = allFields(schema).map(factsOf);
  return {
    url: 'a delivery without rows',
    rows: 0,
    fields: async () => fields,
    nulls: async (names) =>
      fields
        .filter(({ name }) => names === '*' || names.includes(name))
        .map(({ name }) => ({ name, nulls: 0, from: 'statistics' })),
    nullRows: async () => [],
    bounds: async () => undefined,
    dictionary: async () => [],
    values: async function* () {},
  };
}

/**
 * Audits one delivery's staged files.
 * @param table the columns the files were staged under
 * @param paths the delivery's files, as staged
 * @param rows the snapshot that has them, for engines that read tables
 * @throws LakegateError `internal` when the branch lacks one of them, `corrupt` | `unavailable` when a file cannot be read
 */
export async function auditFiles(
  ports: { store: ObjectStore; now(): number; sql?: SqlEngine },
  rules: readonly RuleSpec[],
  table: { schema: Schema; nameMapping: readonly MappedField[] },
  staged: ReadonlyMap<string, DataFile>,
  paths: readonly string[],
  rows: StagedRows,
): Promise<AuditVerdict> {
  const files = paths.map((path) => {
    const dataFile = staged.get(path);
    if (!dataFile)
      throw new LakegateError('internal', `the staged snapshot does not hold ${path}`, { context: { path } });
    return auditedParquet({ url: path, openReader: () => ports.store.open(path), statistics: { ...table, dataFile } });
  });
  if (files.length === 0) files.push(withoutRows(table.schema));
  return audit([...rules], { files, nowMs: ports.now(), staged: rows, ...(ports.sql ? { sql: ports.sql } : {}) });
}
