import { constants, zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { IcebergType, Schema } from '../iceberg/model.ts';
import { childFields } from '../iceberg/types.ts';
import type { ObjectStore } from '../storage/store.ts';
import { parquetSchema } from './parquet-schema.ts';
import type { RowValue } from './row-batch.ts';

/** A Parquet file being written. */
export interface ParquetFile {
  readonly url: string;
  /** Rows written so far. */
  readonly rows: number;
  /** Bytes written so far. */
  readonly size: number;
  /** Writes the columns, in the order of the schema's fields, as one row group. They may be let go of afterwards. */
  writeRowGroup(columns: RowValue[][]): Promise<void>;
  /** Writes the footer; the file appears. @throws LakegateError `exists` when another file of this name but not this size is there */
  finish(): Promise<{ size: number }>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** So many bytes hold the 16 characters to which Iceberg's manifests shorten bounds, whatever the script. */
const STATISTICS_BYTES = 64;
const ZSTD_LEVEL = 3;
const FIRST_BUFFER_BYTES = 1 << 16;

/** Opens a new zstd-compressed Parquet file of the schema, with its field ids, at `url`; row groups leave memory as they are written. */
export async function createParquetFile(store: ObjectStore, url: string, schema: Schema): Promise<ParquetFile> {
  const elements = parquetSchema(schema);
  const target = await store.writer(url);
  const sink = new ByteWriter(FIRST_BUFFER_BYTES);
  /** Hands over what is there. The buffer goes with it: the store may hold on to it until a part is full. */
  const drain = async (): Promise<void> => {
    const bytes = new Uint8Array(sink.buffer, 0, sink.index);
    sink.buffer = new ArrayBuffer(FIRST_BUFFER_BYTES);
    sink.view = new DataView(sink.buffer);
    sink.index = 0;
    if (bytes.length > 0) await target.write(bytes);
  };
  const parquet = new ParquetWriter({
    writer: sink,
    schema: elements,
    codec: 'ZSTD',
    compressors: {
      ZSTD: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } }),
    },
    statisticsTruncateLength: STATISTICS_BYTES,
    createdBy: 'lakegate',
  });
  const fractional = schema.fields.map((field) => holdsFractions(field.type));
  let rows = 0;

  return {
    url,
    get rows() {
      return rows;
    },
    get size() {
      return sink.offset;
    },
    async writeRowGroup(columns) {
      const groupRows = columns[0]?.length ?? 0;
      const columnData = schema.fields.map((field, index) => {
        const data = columns[index] ?? [];
        // The writer's dictionary takes -0 for 0.
        const plain = fractional[index] === true && data.some(holdsNegativeZero);
        return { name: field.name, data, ...(plain ? { encoding: 'PLAIN' as const } : {}) };
      });
      await parquet.write({ columnData, rowGroupSize: Math.max(1, groupRows) });
      rows += groupRows;
      await drain();
    },
    async finish() {
      await parquet.finish();
      await drain();
      return target.finish();
    },
    abort: () => target.abort(),
  };
}

function holdsFractions(type: IcebergType): boolean {
  return type === 'float' || type === 'double' || childFields(type).some((child) => holdsFractions(child.type));
}

function holdsNegativeZero(value: RowValue): boolean {
  if (typeof value === 'number') return Object.is(value, -0);
  if (typeof value !== 'object' || value instanceof Uint8Array) return false;
  return Object.values(value).some((part: RowValue) => holdsNegativeZero(part));
}
