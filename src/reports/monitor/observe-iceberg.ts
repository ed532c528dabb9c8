import type { LimitFunction } from 'p-limit';
import type { LoadedTable } from '../../catalogs/catalog.ts';
import type { TableConfig } from '../../config/model.ts';
import type { MonitorThresholds } from '../../config/monitor-model.ts';
import { ancestorsOf, headOf, MAIN, snapshotById } from '../../iceberg/ancestry.ts';
import type { DataFile, IcebergType, Schema, Snapshot } from '../../iceberg/model.ts';
import { NAME_MAPPING_PROPERTY, parseNameMapping } from '../../iceberg/name-mapping.ts';
import { partitionColumns, partitionKey, schemaForSpec, specById } from '../../iceberg/partition-type.ts';
import { hasLiveFiles, isLive, loadManifests, type TableIO, visitEntries } from '../../iceberg/table-io.ts';
import { formatType, isPromotion, parseType } from '../../iceberg/types.ts';
import { auditedParquet } from '../../rules/audited-parquet.ts';
import { differences } from './columns.ts';
import type { Column, Fact, KeyFacts, SnapshotRows, TableFacts } from './facts.ts';
import { keyFacts } from './key-quality.ts';
import { reasonOf } from './reason.ts';
import { snapshotDay } from './snapshot-time.ts';

/** A live data file, its partition in one text, and the snapshot it is of where the table is partitioned by the snapshot key. */
interface LiveFile {
  dataFile: DataFile;
  partition: string;
  snapshot: string | undefined;
}

export interface IcebergPorts {
  io: TableIO;
  /** One search for repeated keys at a time, over all tables. */
  oneByOne: LimitFunction;
}

const DAY_MS = 86_400_000;

/**
 * What an Iceberg table's metadata says of it: no data file is opened, but for the key where statistics do not decide.
 * @param settings the table's settings in lake.yaml
 * @throws LakegateError `corrupt` | `unavailable` | `not_found`
 */
export async function observeIceberg(
  name: string,
  table: LoadedTable,
  settings: TableConfig | undefined,
  thresholds: MonitorThresholds,
  ports: IcebergPorts,
): Promise<TableFacts> {
  const { io } = ports;
  const { metadata } = table;
  const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)!;
  const about = {
    table: name,
    kind: 'iceberg' as const,
    location: metadata.location,
    ...(settings?.owner !== undefined && { owner: settings.owner }),
    ...(settings?.channel !== undefined && { channel: settings.channel }),
    columns: { known: columnsOf(schema) },
    schemaFaults: { known: declaredFaults(schema, settings) },
    partitionFaults: { known: [] },
  };
  const head = snapshotById(metadata, headOf(metadata, MAIN) ?? metadata.currentSnapshotId ?? -1n);
  if (head === undefined) {
    return {
      ...about,
      snapshot: { known: undefined },
      rows: { known: 0 },
      previous: { known: undefined },
      partitions: { known: 0 },
      files: { known: [] },
      ...(thresholds.key.length > 0 && { key: noRows(thresholds.key, schema) }),
    };
  }
  const { files, deleteFiles } = await liveFiles(table, head, thresholds.snapshotKey, io);
  const snapshots = [...new Set(files.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot])))].sort();
  const newest = snapshots.at(-1);
  const current = newest === undefined ? files : files.filter(({ snapshot }) => snapshot === newest);
  // Compactions change no rows: the state that people ask about is the one before them.
  const states = [...ancestorsOf(metadata, head.snapshotId)].filter(({ summary }) => summary.operation !== 'replace');
  const state = states[0] ?? head;
  const hasDeletes = `${deleteFiles} delete files: metadata does not tell how many rows are left`;
  const keys = partitionFields(table);
  const counted = newest !== undefined && keys.some((key) => key !== thresholds.snapshotKey) ? current : files;
  return {
    ...about,
    snapshot: {
      known:
        newest === undefined
          ? {
              id: String(state.snapshotId),
              at: { known: state.timestampMs },
              isAppend: state.summary.operation === 'append',
            }
          : { id: newest, at: snapshotDay(newest), isAppend: false },
    },
    rows: deleteFiles > 0 ? { unknown: hasDeletes } : { known: rowsOf(current) },
    previous:
      newest === undefined ? await rowsBefore(table, state, states[1], io) : { known: before(files, snapshots.at(-2)) },
    partitions: { known: new Set(counted.map(({ partition }) => partition)).size * Number(keys.length > 0) },
    files: {
      known: current.map(({ dataFile, partition }) => ({
        url: dataFile.filePath,
        size: dataFile.fileSizeInBytes,
        partition,
      })),
    },
    ...(thresholds.key.length > 0 && {
      key:
        deleteFiles > 0
          ? unknownKey(thresholds.key, hasDeletes)
          : await keyOf(table, schema, current, thresholds, ports),
    }),
  };
}

function columnsOf(schema: Schema): Column[] {
  return schema.fields.map(({ name, type }) => ({ name, type: formatType(type) }));
}

/** How the table differs from what lake.yaml declares; what its policy lets in is no fault. Undefined where it declares nothing. */
function declaredFaults(schema: Schema, settings: TableConfig | undefined): string[] | undefined {
  if (settings?.columns === undefined) return undefined;
  const isOpen = settings.schemaPolicy === 'add_columns';
  const actual = new Map(schema.fields.map(({ name, type }) => [name, type]));
  const declared = Object.entries(settings.columns).map(([name, { type }]) => {
    const found = actual.get(name);
    const isWidened = isOpen && found !== undefined && isPromotion(parseType(type), found);
    return { name, type: isWidened ? formatType(found) : type };
  });
  const names = new Set(declared.map(({ name }) => name));
  return differences(
    declared,
    columnsOf(schema).filter(({ name }) => !isOpen || names.has(name)),
  );
}

async function liveFiles(
  table: LoadedTable,
  head: Snapshot,
  snapshotKey: string,
  io: TableIO,
): Promise<{ files: LiveFile[]; deleteFiles: number }> {
  const { metadata } = table;
  const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)!;
  const specs = new Map(
    metadata.partitionSpecs.map((spec) => {
      const columns = partitionColumns(spec, schemaForSpec(metadata, spec, schema));
      const index = spec.fields.findIndex((field) => field.transform === 'identity' && field.name === snapshotKey);
      return [spec.specId, { index, type: columns[index]?.type }] as const;
    }),
  );
  const manifests = (await loadManifests(io, head)).filter(hasLiveFiles);
  const files: LiveFile[] = [];
  let deleteFiles = 0;
  await visitEntries(io, manifests, ({ content, partitionSpecId }, entries) => {
    const live = entries.filter(isLive);
    if (content === 'deletes') deleteFiles += live.length;
    else {
      const { index, type } = specs.get(partitionSpecId) ?? specs.get(specById(metadata, partitionSpecId).specId)!;
      for (const { dataFile } of live) {
        const partition = `${partitionSpecId} ${partitionKey(dataFile.partition)}`;
        files.push({ dataFile, partition, snapshot: snapshotText(dataFile.partition[index], type) });
      }
    }
    return true;
  });
  return { files, deleteFiles };
}

function snapshotText(value: DataFile['partition'][number], type: IcebergType | undefined): string | undefined {
  if (value === undefined) return undefined;
  return type === 'date' ? new Date(Number(value) * DAY_MS).toISOString().slice(0, 10) : String(value);
}

function partitionFields({ metadata }: LoadedTable): string[] {
  return specById(metadata, metadata.defaultSpecId)
    .fields.filter(({ transform }) => transform !== 'void')
    .map(({ name }) => name);
}

function rowsOf(files: readonly LiveFile[]): number {
  return files.reduce((sum, { dataFile }) => sum + dataFile.recordCount, 0);
}

function before(files: readonly LiveFile[], snapshot: string | undefined): SnapshotRows | undefined {
  if (snapshot === undefined) return undefined;
  return { id: snapshot, rows: rowsOf(files.filter((file) => file.snapshot === snapshot)) };
}

/** Rows of the snapshot before: from its summary, else from its manifests. */
async function rowsBefore(
  { metadata }: LoadedTable,
  state: Snapshot,
  previous: Snapshot | undefined,
  io: TableIO,
): Promise<Fact<SnapshotRows | undefined>> {
  if (previous === undefined) {
    const parent = state.parentSnapshotId;
    if (parent === undefined || snapshotById(metadata, parent) !== undefined) return { known: undefined };
    return { unknown: `the snapshot before, ${parent}, has expired` };
  }
  const id = String(previous.snapshotId);
  const { summary } = previous;
  if (Number(summary['total-delete-files'] ?? 0) > 0)
    return { unknown: `the snapshot before, ${id}, has delete files` };
  const total = Number(summary['total-records'] ?? Number.NaN);
  if (Number.isSafeInteger(total) && total >= 0) return { known: { id, rows: total } };
  try {
    const manifests = (await loadManifests(io, previous)).filter(({ content }) => content === 'data');
    return { known: { id, rows: manifests.reduce((sum, m) => sum + m.addedRowsCount + m.existingRowsCount, 0) } };
  } catch (error) {
    return { unknown: `rows of the snapshot before, ${id}: ${reasonOf(error)}` };
  }
}

async function keyOf(
  { metadata }: LoadedTable,
  schema: Schema,
  files: readonly LiveFile[],
  { key, keyRows }: MonitorThresholds,
  { io, oneByOne }: IcebergPorts,
): Promise<KeyFacts> {
  const other = files.find(({ dataFile }) => dataFile.fileFormat !== 'PARQUET');
  if (other !== undefined) return unknownKey(key, `${other.dataFile.filePath} is no Parquet file`);
  const mapping = metadata.properties[NAME_MAPPING_PROPERTY];
  const nameMapping = mapping === undefined ? undefined : parseNameMapping(mapping);
  const audited = files.map(({ dataFile }) =>
    auditedParquet({
      url: dataFile.filePath,
      openReader: () => io.store.open(dataFile.filePath),
      statistics: { schema, dataFile, ...(nameMapping && { nameMapping }) },
    }),
  );
  return keyFacts(key, audited, { keyRows, anyCase: false, now: io.now(), oneByOne });
}

function unknownKey(columns: readonly string[], reason: string): KeyFacts {
  return { columns: [...columns], missing: [], nulls: { unknown: reason }, duplicates: { unknown: reason } };
}

function noRows(columns: readonly string[], schema: Schema): KeyFacts {
  const names = new Set(schema.fields.map(({ name }) => name));
  const missing = columns.filter((column) => !names.has(column.split('.')[0]!));
  return { columns: [...columns], missing, nulls: { known: 0 }, duplicates: { known: 0 } };
}
