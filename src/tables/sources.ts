import pLimit from 'p-limit';
import { isKind } from '../errors.ts';
import { readCopySource } from '../parquet/copy-columns.ts';
import type { LogicalField, ParquetFooter } from '../parquet/model.ts';
import type { ObjectInfo, ObjectStore } from '../storage/store.ts';
import type { SourceFile } from './model.ts';

/** Footers of a wide file take tens of megabytes while they are read. */
const AT_ONCE = 4;

/** A file that cannot be copied from, and why. */
export interface Refusal {
  url: string;
  reason: string;
}

/**
 * Reads the footers of source files.
 * @returns what planning needs of them, in the same order; files that only a decoding engine can read are refused with the reason
 * @throws LakegateError `corrupt` for what is no Parquet, and what the store throws
 */
export async function inspectSources(
  store: ObjectStore,
  objects: readonly ObjectInfo[],
): Promise<{ files: SourceFile[]; refused: Refusal[] }> {
  const limit = pLimit(AT_ONCE);
  const inspected = await Promise.all(objects.map((object) => limit(() => inspectSource(store, object))));
  return {
    files: inspected.flatMap((found) => ('file' in found ? [found.file] : [])),
    refused: inspected.flatMap((found) => ('refused' in found ? [found.refused] : [])),
  };
}

async function inspectSource(
  store: ObjectStore,
  object: ObjectInfo,
): Promise<{ file: SourceFile } | { refused: Refusal }> {
  const { url, size, etag, version } = object;
  const reader = await store.open(url, object);
  try {
    const { footer, kind } = await readCopySource(reader, url);
    const reason = untrustedSizes(footer.createdBy);
    if (reason !== undefined) return { refused: { url, reason } };
    return {
      file: {
        url,
        size,
        etag,
        ...(version === undefined ? {} : { version }),
        kind,
        columns: footer.fields.map((field) => ({ name: field.name, type: typeOf(field) })),
        rowGroups: footer.rowGroups.map((group) => ({ rows: group.numRows, columnBytes: columnBytes(footer, group) })),
      },
    };
  } catch (error) {
    // Encrypted, or its data lies in other files: valid, and not to be copied.
    if (isKind(error, 'unsupported')) return { refused: { url, reason: error.message } };
    throw error;
  } finally {
    await reader.close();
  }
}

/** Compressed bytes of each top-level column. */
function columnBytes({ fields }: ParquetFooter, { columns }: ParquetFooter['rowGroups'][number]): Float64Array {
  const bytesOf = ({ leaf, children }: LogicalField): number =>
    leaf === undefined
      ? children.reduce((sum, child) => sum + bytesOf(child), 0)
      : (columns[leaf.index]?.totalCompressedSize ?? 0);
  return Float64Array.from(fields, bytesOf);
}

/** What a reader's schema says of a column: the types of its leaves and how they are nested. Whether it may be null is left out. */
function typeOf(field: LogicalField): string {
  const shape = ({ kind, leaf, children, name }: LogicalField, nested: boolean): unknown => [
    kind,
    nested ? name : '',
    leaf === undefined ? [] : [leaf.physicalType, leaf.typeLength ?? 0, leaf.annotation ?? 'plain'],
    children.map((child) => shape(child, true)),
  ];
  return JSON.stringify(shape(field, false));
}

/** parquet-mr up to 1.2.8 left the dictionary page's header out of a chunk's size (IMPALA-694): its chunks are longer than they say. */
function untrustedSizes(createdBy: string | undefined): string | undefined {
  const [, major, minor, patch] = /^parquet-mr version (\d+)\.(\d+)\.(\d+)/.exec(createdBy ?? '') ?? [];
  if (major === undefined) return undefined;
  const old =
    Number(major) < 1 || (Number(major) === 1 && (Number(minor) < 2 || (Number(minor) === 2 && Number(patch) < 9)));
  return old ? `it was written by ${createdBy}, which gave its column chunks too small a size (IMPALA-694)` : undefined;
}
