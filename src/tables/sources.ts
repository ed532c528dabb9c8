import pLimit from 'p-limit';
import { isKind, type LakegateError } from '../errors.ts';
import { type CopySource, readCopySource, readSourceGroup, type SourceGroup } from '../parquet/copy-columns.ts';
import { corrupt } from '../parquet/fault.ts';
import type { LogicalField } from '../parquet/model.ts';
import type { ObjectInfo, ObjectStore } from '../storage/store.ts';
import type { KnownSources } from './known-sources.ts';
import type { SourceColumn, SourceFile } from './model.ts';

/**
 * A file for whose sake no engine makes tables of a snapshot: Spark and DuckDB have no keys, either.
 * @returns its URL, and what is to be done
 */
export function sealedFile(refused: readonly Refusal[]): { url: string; next: string } | undefined {
  const sealed = refused.find(({ encrypted }) => encrypted);
  if (sealed === undefined) return undefined;
  const next = `No engine here reads ${sealed.url}: it is encrypted. Have it written without (buckets encrypt at rest), or take it out of the snapshot.`;
  return { url: sealed.url, next };
}

/** Footers that are read at once: a round trip each on S3; a disk's are read one after the other, each a row group at a time. */
const AT_ONCE = { remote: 4, local: 1 };

/** A file that cannot be copied from, and why. */
export interface Refusal {
  url: string;
  reason: string;
  /** Nobody here has its keys: no other engine reads it either. */
  encrypted?: true;
}

/**
 * Reads the footers of source files.
 * @param sources keeps what was read
 * @returns what planning needs of them, in the same order; files that only a decoding engine can read are refused with the reason
 * @throws LakegateError `corrupt` for what is no Parquet, and what the store throws
 */
export async function inspectSources(
  store: ObjectStore,
  objects: readonly ObjectInfo[],
  sources?: KnownSources,
): Promise<{ files: SourceFile[]; refused: Refusal[] }> {
  const limit = pLimit(objects.some(({ url }) => url.startsWith('s3')) ? AT_ONCE.remote : AT_ONCE.local);
  // Hundreds of files have the same thousands of columns: told once.
  const known = new Map<string, readonly SourceColumn[]>();
  const inspected = await Promise.all(
    objects.map((object) => limit(() => inspectSource(store, object, known, sources))),
  );
  return {
    files: inspected.flatMap((found) => ('file' in found ? [found.file] : [])),
    refused: inspected.flatMap((found) => ('refused' in found ? [found.refused] : [])),
  };
}

async function inspectSource(
  store: ObjectStore,
  object: ObjectInfo,
  known: Map<string, readonly SourceColumn[]>,
  sources: KnownSources | undefined,
): Promise<{ file: SourceFile } | { refused: Refusal }> {
  const { url, size, etag, version } = object;
  const reader = await store.open(url, object);
  try {
    const source = await readCopySource(reader, url);
    const { footer, kind } = source;
    const reason = untrustedSizes(footer.createdBy);
    if (reason !== undefined) return { refused: { url, reason } };
    const columns = known.get(kind) ?? footer.fields.map((field) => ({ name: field.name, type: typeOf(field) }));
    known.set(kind, columns);
    const kept: SourceGroup[] = [];
    const rowGroups = source.parts.rowGroups.map((_, index) => {
      const group = readSourceGroup(source, index);
      if (sources !== undefined) kept.push(group);
      return { rows: group.parts.numRows, columnBytes: columnBytes(footer.fields, group) };
    });
    checkRows(source, rowGroups);
    sources?.keep(object, source, kept);
    return {
      file: {
        url,
        size,
        etag,
        ...(version === undefined ? {} : { version }),
        kind,
        columns,
        rowGroups,
      },
    };
  } catch (error) {
    // Encrypted, or its data lies in other files: valid, and not to be copied.
    if (isKind(error, 'unsupported')) return { refused: { url, ...refusalOf(error) } };
    throw error;
  } finally {
    await reader.close();
  }
}

/** What of the file it is, without its name and without advice for drops. */
function refusalOf({ message, context: { what, encrypted } }: LakegateError): Omit<Refusal, 'url'> {
  return { reason: typeof what === 'string' ? what : message, ...(encrypted === true && { encrypted }) };
}

/** As `readFooter` does, which sees all row groups at once. @throws LakegateError `corrupt` */
function checkRows({ name, parts }: CopySource, rowGroups: readonly { rows: number }[]): void {
  const { numRows } = parts;
  const rows = rowGroups.reduce((sum, group) => sum + group.rows, 0);
  // Some writers leave the file's own number at 0.
  if (rows === numRows || numRows === 0) return;
  throw corrupt(name, `its footer says ${numRows} rows, but its row groups have ${rows}`);
}

/** Compressed bytes of each top-level column. */
function columnBytes(fields: readonly LogicalField[], { chunks }: SourceGroup): Float64Array {
  const bytesOf = ({ leaf, children }: LogicalField): number =>
    leaf === undefined
      ? children.reduce((sum, child) => sum + bytesOf(child), 0)
      : (chunks.get(leaf.index)?.totalCompressedSize ?? 0);
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
