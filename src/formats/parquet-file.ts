import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { PageIndexes } from 'hyparquet-writer/src/types.js';
import type { IcebergType, NestedField, PrimitiveType, Schema } from '../iceberg/model.ts';
import { childFields } from '../iceberg/types.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { ChunkValues } from './chunk-values.ts';
import { encodeChunk, zstd } from './column-chunk.ts';
import { parquetSchema } from './parquet-schema.ts';
import type { RowValue } from './row-batch.ts';

/** A Parquet file being written. */
export interface ParquetFile {
  readonly url: string;
  /** Rows written so far. */
  readonly rows: number;
  /** Bytes written so far. */
  readonly size: number;
  /** Writes `rows` rows as one row group. @param columnAt gives the values of a column of the schema, asked once for each in order */
  writeRowGroup(rows: number, columnAt: (column: number) => ChunkValues): Promise<void>;
  /** Writes the footer; the file appears. @throws LakegateError `exists` when another file of this name but not this size is there */
  finish(): Promise<{ size: number }>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** So many bytes hold the 16 characters to which Iceberg's manifests shorten bounds, whatever the script. */
const STATISTICS_BYTES = 64;
const FIRST_BUFFER_BYTES = 1 << 12;

/** Opens a new zstd-compressed Parquet file of the schema, with its field ids, at `url`; columns leave memory as they are written. */
export async function createParquetFile(store: ObjectStore, url: string, schema: Schema): Promise<ParquetFile> {
  const elements = parquetSchema(schema);
  const target = await store.writer(url);
  const sink = new ByteWriter(FIRST_BUFFER_BYTES);
  /** Hands over what is there. The buffer goes with it: the store may hold on to it until a part is full. */
  const drain = async (): Promise<void> => {
    const bytes = new Uint8Array(sink.buffer, 0, sink.index);
    if (bytes.length === 0) return;
    sink.buffer = new ArrayBuffer(0);
    sink.view = new DataView(sink.buffer);
    sink.index = 0;
    await target.write(bytes);
  };
  const parquet = new ParquetWriter({
    writer: sink,
    schema: elements,
    codec: 'ZSTD',
    compressors: { ZSTD: zstd },
    statisticsTruncateLength: STATISTICS_BYTES,
    createdBy: 'lakegate',
  });
  let rows = 0;

  /** Lists, maps and structs are taken apart and written by the library, which keeps its notes in row groups of its own. */
  const writeNested = async (field: NestedField, data: RowValue[]): Promise<PageIndexes[]> => {
    const known = parquet.pendingIndexes.length;
    // The writer's dictionary takes -0 for 0.
    const plain = holdsFractions(field.type) && data.some(holdsNegativeZero);
    const column = { name: field.name, data, ...(plain ? { encoding: 'PLAIN' as const } : {}) };
    await parquet.write({ columnData: [column], rowGroupSize: Math.max(1, data.length) });
    parquet.row_groups.pop();
    await drain();
    return parquet.pendingIndexes.splice(known);
  };

  return {
    url,
    get rows() {
      return rows;
    },
    get size() {
      return sink.offset;
    },
    async writeRowGroup(groupRows, columnAt) {
      await drain();
      const start = sink.offset;
      const written: PageIndexes[] = [];
      for (const [column, field] of schema.fields.entries()) {
        const values = columnAt(column);
        if (values.kind === 'values') {
          written.push(...(await writeNested(field, values.values)));
        } else if (isPrimitive(field)) {
          const { pieces, indexes } = encodeChunk(field, elementOf(elements, field), values, groupRows, sink.offset);
          for (const piece of pieces) {
            sink.offset += piece.length;
            await target.write(piece);
          }
          written.push(indexes);
        }
      }
      rows += groupRows;
      parquet.pendingIndexes.push(...written);
      const columns = written.map(({ chunk }) => chunk);
      parquet.row_groups.push({
        columns,
        total_byte_size: columns.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
        num_rows: BigInt(groupRows),
        total_compressed_size: BigInt(sink.offset - start),
      });
      parquet.num_rows = BigInt(rows);
    },
    async finish() {
      await parquet.finish();
      await drain();
      return target.finish();
    },
    abort: () => target.abort(),
  };
}

function isPrimitive(field: NestedField): field is NestedField & { type: PrimitiveType } {
  return typeof field.type === 'string';
}

/** The element of a top-level column of a primitive type. */
function elementOf(elements: readonly SchemaElement[], field: NestedField): SchemaElement {
  return elements.find((element) => element.field_id === field.id)!;
}

function holdsFractions(type: IcebergType): boolean {
  return type === 'float' || type === 'double' || childFields(type).some((child) => holdsFractions(child.type));
}

function holdsNegativeZero(value: RowValue): boolean {
  if (typeof value === 'number') return Object.is(value, -0);
  if (typeof value !== 'object' || value instanceof Uint8Array) return false;
  return Object.values(value).some((part: RowValue) => holdsNegativeZero(part));
}
