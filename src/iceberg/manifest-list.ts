import { LakegateError } from '../errors.ts';
import { decodeContainer, encodeContainer } from './avro-container.ts';
import { type AvroRecord, avroType } from './avro-type.ts';
import { asBuffer, asBytes } from './manifest-data-file.ts';
import { MANIFEST_FILE_SCHEMA } from './manifest-schema.ts';
import type { FieldSummary, ManifestFile } from './model.ts';

/** Manifest lists: the manifests of one snapshot (spec: "Manifest Lists", format version 2). */

/** A count that a version 1 writer left out. */
export const UNKNOWN_COUNT = -1;

export interface ManifestListContents {
  snapshotId: bigint;
  parentSnapshotId: bigint | undefined;
  sequenceNumber: number;
  manifests: readonly ManifestFile[];
}

/** Encodes a manifest list. */
export function encodeManifestList(contents: ManifestListContents): Uint8Array {
  const type = avroType(MANIFEST_FILE_SCHEMA);
  const metadata: [string, string][] = [
    ['avro.schema', MANIFEST_FILE_SCHEMA],
    ['snapshot-id', String(contents.snapshotId)],
    ['parent-snapshot-id', String(contents.parentSnapshotId ?? null)],
    ['sequence-number', String(contents.sequenceNumber)],
    ['format-version', '2'],
  ];
  return encodeContainer(
    metadata,
    contents.manifests.map((manifest) => type.toBuffer(toAvro(manifest))),
  );
}

/**
 * Decodes a manifest list of format version 1 or 2. Counts that are not there are `UNKNOWN_COUNT`.
 * @param name the list's URL, for messages
 * @throws LakegateError `corrupt` | `unsupported`
 */
export function decodeManifestList(bytes: Uint8Array, name: string): ManifestFile[] {
  const { metadata, blocks } = decodeContainer(bytes, name);
  try {
    const type = avroType(metadata.get('avro.schema') ?? '');
    const manifests: ManifestFile[] = [];
    for (const block of blocks) {
      for (let offset = 0, left = block.count; left > 0; left--) {
        const decoded = type.decode(block.bytes, offset);
        if (decoded.offset < 0) throw new Error('a block ends inside a record');
        offset = decoded.offset;
        manifests.push(fromAvro(decoded.value as AvroRecord));
      }
    }
    return manifests;
  } catch (cause) {
    throw new LakegateError(
      'corrupt',
      `Manifest list ${name} cannot be decoded: ${(cause as Error).message}. Check that the object is whole and is an Iceberg manifest list.`,
      { context: { url: name }, cause },
    );
  }
}

function toAvro(manifest: ManifestFile): AvroRecord {
  return {
    f500: manifest.manifestPath,
    f501: manifest.manifestLength,
    f502: manifest.partitionSpecId,
    f517: manifest.content === 'data' ? 0 : 1,
    f515: manifest.sequenceNumber,
    f516: manifest.minSequenceNumber,
    f503: manifest.addedSnapshotId,
    f504: manifest.addedFilesCount,
    f505: manifest.existingFilesCount,
    f506: manifest.deletedFilesCount,
    f512: manifest.addedRowsCount,
    f513: manifest.existingRowsCount,
    f514: manifest.deletedRowsCount,
    f507:
      manifest.partitions?.map((summary) => ({
        f509: summary.containsNull,
        f518: summary.containsNan ?? null,
        f510: summary.lowerBound === undefined ? null : asBuffer(summary.lowerBound),
        f511: summary.upperBound === undefined ? null : asBuffer(summary.upperBound),
      })) ?? null,
    f519: manifest.keyMetadata === undefined ? null : asBuffer(manifest.keyMetadata),
  };
}

function fromAvro(record: AvroRecord): ManifestFile {
  const count = (value: unknown) => (value as number | null | undefined) ?? UNKNOWN_COUNT;
  if (typeof record.f500 !== 'string') throw new Error('an entry has no manifest_path');
  const manifest: ManifestFile = {
    manifestPath: record.f500,
    manifestLength: record.f501 as number,
    partitionSpecId: record.f502 as number,
    content: record.f517 === 1 ? 'deletes' : 'data',
    sequenceNumber: (record.f515 as number | undefined) ?? 0,
    minSequenceNumber: (record.f516 as number | undefined) ?? 0,
    addedSnapshotId: record.f503 as bigint,
    addedFilesCount: count(record.f504),
    existingFilesCount: count(record.f505),
    deletedFilesCount: count(record.f506),
    addedRowsCount: count(record.f512),
    existingRowsCount: count(record.f513),
    deletedRowsCount: count(record.f514),
  };
  if (record.f507 != null) manifest.partitions = (record.f507 as AvroRecord[]).map(summaryFromAvro);
  if (record.f519 != null) manifest.keyMetadata = asBytes(record.f519 as Buffer);
  return manifest;
}

function summaryFromAvro(record: AvroRecord): FieldSummary {
  const summary: FieldSummary = { containsNull: record.f509 as boolean };
  if (record.f518 != null) summary.containsNan = record.f518 as boolean;
  if (record.f510 != null) summary.lowerBound = asBytes(record.f510 as Buffer);
  if (record.f511 != null) summary.upperBound = asBytes(record.f511 as Buffer);
  return summary;
}
