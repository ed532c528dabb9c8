import type { LoadedTable } from '../catalogs/catalog.ts';
import type { TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import type { RowBatch } from '../formats/row-batch.ts';
import { dataFileFromFooter } from '../iceberg/data-file.ts';
import { columnBounds, columnNullCounts } from '../iceberg/file-bounds.ts';
import type { DataFile, PartitionSpec, Schema } from '../iceberg/model.ts';
import type { MappedField } from '../iceberg/name-mapping.ts';
import { partitionOfFile } from '../iceberg/partition.ts';
import { matchSchema, type SchemaMatch } from '../iceberg/schema-match.ts';
import { partitionToPath } from '../iceberg/transforms.ts';
import { copyWithoutFieldIds } from '../parquet/copy-without-field-ids.ts';
import { readFooter } from '../parquet/footer.ts';
import type { ParquetFooter } from '../parquet/model.ts';
import { withoutFieldIds } from '../parquet/strip-field-ids.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Drop } from './delivery.ts';
import { expectedOf } from './identity.ts';
import type { Inspected } from './inspect.ts';

export interface DataFilesRequest {
  store: ObjectStore;
  table: LoadedTable;
  config: Pick<TableConfig, 'ingest' | 'csv'>;
  /** The schema the files are committed under. */
  schema: Schema;
  nameMapping: readonly MappedField[];
  id: string;
  /**
   * Tells this attempt's files from those of an earlier one: another runner that lost its lease may still be at work on them, or take them away.
   * `round` tells the rounds of one attempt apart, whose copies are the same but whose decoded files may be not.
   */
  attempt: { number: number; round: number };
  drop: Drop;
  inspected: Inspected;
}

/**
 * Makes a drop into data files of the table: the same bytes copied into the warehouse (or used where they lie) when metadata says that they can
 * be read as the table's rows of one partition; decoded, converted and split only when it does not. What is read and copied is exactly the
 * version of the drop, so nobody has to look afterwards whether it was replaced.
 * @returns what the manifest will say of them; none for a file without rows
 * @throws LakegateError `invalid` when values do not fit the table or the file must be rewritten but is to be registered;
 *   `not_found` when the dropped object was replaced or deleted meanwhile
 */
export async function makeDataFiles(request: DataFilesRequest): Promise<DataFile[]> {
  const { store, drop, inspected } = request;
  return inspected.kind === 'parquet'
    ? fromParquet(request, inspected.footer)
    : rewritten(request, 'it is text', async function* (): AsyncGenerator<RowBatch> {
        const { textRows } = await import('../formats/text-rows.ts');
        const reader = await store.open(drop.url, expectedOf(drop));
        try {
          yield* textRows(reader, inspected.detected, request.config.csv, request.schema);
        } finally {
          await reader.close();
        }
      });
}

async function fromParquet(request: DataFilesRequest, found: ParquetFooter): Promise<DataFile[]> {
  const { table, schema, drop, config, store, id } = request;
  const spec = defaultSpec(table);
  const { foreignIds } = matchSchema(schema, found, request.nameMapping);
  const footer = foreignIds ? withoutFieldIds(found) : found;
  const match = matchSchema(schema, footer, request.nameMapping);
  const partition = partitionOfFile(
    spec,
    schema,
    columnBounds(footer, schema, match.fieldOfLeaf),
    columnNullCounts(footer, match.fieldOfLeaf),
    footer.numRows,
  );
  const why = reasonToRewrite(match, partition);
  if (why !== undefined || partition.kind !== 'single')
    return rewriteParquet(request, footer, why ?? 'it must be decoded');
  const path = partitionToPath(spec, schema, partition.values);
  const name = request.attempt.number === 1 ? id : `${id}-${request.attempt.number}`;
  const filePath = config.ingest === 'register' ? drop.url : `${dataFolder(table)}${path && `${path}/`}${name}.parquet`;
  if (config.ingest === 'register' && foreignIds) throw notRegistrable(drop, 'its field ids are of another table');
  let fileSize = footer.fileSize;
  if (foreignIds) fileSize = await copyWithoutFieldIds(store, drop.url, footer.footerStart, filePath, expectedOf(drop));
  else if (config.ingest === 'copy') await store.copy(drop.url, filePath, expectedOf(drop));
  const dataFile = dataFileFromFooter({
    footer: { ...footer, fileSize },
    filePath,
    schema,
    fieldOfLeaf: match.fieldOfLeaf,
    partition: partition.values,
    metricsProperties: table.metadata.properties,
  });
  return [dataFile];
}

function notRegistrable({ url }: Drop, why: string): LakegateError {
  return new LakegateError(
    'invalid',
    `${url} cannot be registered where it lies: ${why}. Set ingest: copy for this table, or write the file to fit`,
    { context: { url } },
  );
}

function reasonToRewrite(match: SchemaMatch, partition: ReturnType<typeof partitionOfFile>): string | undefined {
  const [column] = match.rewrite;
  if (column) return `column ${column.column}: ${column.why}`;
  return partition.kind === 'single' ? undefined : `its rows belong to several partitions (${partition.reason})`;
}

async function rewriteParquet(request: DataFilesRequest, footer: ParquetFooter, why: string): Promise<DataFile[]> {
  const [{ parquetRows }, { readRows }] = await Promise.all([
    import('../formats/parquet-rows.ts'),
    import('../parquet/rows.ts'),
  ]);
  const openReader = () => request.store.open(request.drop.url, expectedOf(request.drop));
  return rewritten(request, why, () =>
    parquetRows(footer, readRows(footer, openReader, { flat: true }), request.schema, request.nameMapping),
  );
}

/** The decoding way: rows are read, converted to the table's types, split by partition and written as new Parquet files. */
async function rewritten(
  request: DataFilesRequest,
  why: string,
  rows: () => AsyncIterable<RowBatch>,
): Promise<DataFile[]> {
  const { store, table, schema, id, attempt, drop, config } = request;
  if (config.ingest === 'register') throw notRegistrable(drop, why);
  const { rewrite } = await import('../formats/rewrite.ts');
  const spec = defaultSpec(table);
  const { files } = await rewrite({
    rows: rows(),
    schema,
    spec,
    store,
    targetUrl: (path, n) =>
      `${dataFolder(table)}${path && `${path}/`}${id}-${attempt.number}.${attempt.round}-${String(n).padStart(4, '0')}.parquet`,
  });
  return Promise.all(
    files.map(async ({ url, partition }) => {
      const footer = await footerOf(store, url);
      const { fieldOfLeaf } = matchSchema(schema, footer);
      return dataFileFromFooter({
        footer,
        filePath: url,
        schema,
        fieldOfLeaf,
        partition,
        metricsProperties: table.metadata.properties,
      });
    }),
  );
}

async function footerOf(store: ObjectStore, url: string): Promise<ParquetFooter> {
  const reader = await store.open(url);
  try {
    return await readFooter(reader, url);
  } finally {
    await reader.close();
  }
}

function defaultSpec({ metadata }: LoadedTable): PartitionSpec {
  return metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)!;
}

/** Where the table's data files go. URL ending in `/`. */
function dataFolder({ metadata }: LoadedTable): string {
  const folder = metadata.properties['write.data.path'] ?? `${metadata.location.replace(/\/+$/, '')}/data`;
  return `${folder.replace(/\/+$/, '')}/`;
}
