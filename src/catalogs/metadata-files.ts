import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isKind, LakegateError } from '../errors.ts';
import { parseMetadata, serializeMetadata } from '../iceberg/metadata.ts';
import type { TableMetadata } from '../iceberg/model.ts';
import type { ObjectStore } from '../storage/store.ts';
import { isPacked } from './metadata-log.ts';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** A cache's bounds: texts of metadata files add up to no more than this, and there are no more than so many. */
const MAX_CACHED_CHARACTERS = 64 * 1024 * 1024;
const MAX_CACHED_FILES = 256;
/** A gzipped metadata file that unpacks to more is taken for a bomb. */
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

/** Metadata files of a catalogue's tables. */
export interface MetadataFiles {
  /**
   * The metadata at a location; undefined when there is no such file.
   * @throws LakegateError `corrupt` | `unsupported` (format v3) | `unavailable`
   */
  read(location: string): Promise<TableMetadata | undefined>;
  /**
   * Writes a new metadata file, durable when it returns; gzipped where the location's name says so.
   * @param bytes the file as `serializeMetadata` makes it, where the caller has it already
   * @throws LakegateError `internal` when the location is taken
   */
  write(location: string, metadata: TableMetadata, bytes?: Uint8Array): Promise<void>;
  /** Removes files that no table needs. A fault is not reported: what stays costs space, not correctness. */
  discard(locations: readonly string[]): Promise<void>;
}

/**
 * Reads and writes metadata files through a store. A location's file never changes, so those last read or written are kept in memory, parsed:
 * a long-running process parses no file twice, and never its own commits'.
 */
export function openMetadataFiles(store: ObjectStore): MetadataFiles {
  /** Least recently used first. */
  const cached = new Map<string, { metadata: TableMetadata; characters: number }>();
  let characters = 0;

  function forget(location: string): void {
    characters -= cached.get(location)?.characters ?? 0;
    cached.delete(location);
  }

  function remember(location: string, metadata: TableMetadata, length: number): void {
    forget(location);
    cached.set(location, { metadata, characters: length });
    characters += length;
    for (const oldest of cached.keys()) {
      if (characters <= MAX_CACHED_CHARACTERS && cached.size <= MAX_CACHED_FILES) break;
      forget(oldest);
    }
  }

  return {
    async read(location) {
      const known = cached.get(location);
      if (known !== undefined) {
        remember(location, known.metadata, known.characters);
        return known.metadata;
      }
      const bytes = await readIfThere(store, location);
      if (bytes === undefined) return undefined;
      const text = await textOf(bytes, location);
      const metadata = parseMetadata(text, location);
      remember(location, metadata, text.length);
      return metadata;
    },
    async write(location, metadata, bytes = serializeMetadata(metadata)) {
      const stored = isPacked(location) ? await pack(bytes) : bytes;
      if ((await store.create(location, stored)) === undefined) {
        throw new LakegateError(
          'internal',
          `Cannot write table metadata ${location}: the file exists, expected a new unique name.`,
          {
            context: { location },
          },
        );
      }
      remember(location, metadata, bytes.length);
    },
    async discard(locations) {
      for (const location of locations) forget(location);
      await store.delete(locations).catch(() => undefined);
    },
  };
}

async function readIfThere(store: ObjectStore, location: string): Promise<Uint8Array | undefined> {
  try {
    return (await store.read(location)).bytes;
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
}

async function textOf(bytes: Uint8Array, location: string): Promise<string> {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    const plain = packed ? await unpack(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }) : bytes;
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch (cause) {
    throw new LakegateError(
      'corrupt',
      `Table metadata ${location} is not ${packed ? 'gzipped ' : ''}UTF-8 text: ${String(cause)}.`,
      {
        cause,
        context: { location },
      },
    );
  }
}
