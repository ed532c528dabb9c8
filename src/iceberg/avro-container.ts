import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { snappyUncompress } from 'hyparquet';
import { LakegateError } from '../errors.ts';

/** An Avro object container file, taken apart (Avro 1.11 specification, "Object Container Files"). */
export interface AvroContainer {
  /** The file header's metadata, `avro.schema` and `avro.codec` included, as text. */
  metadata: Map<string, string>;
  /** Blocks of encoded datums, uncompressed. */
  blocks: { count: number; bytes: Buffer }[];
}

const MAGIC = Buffer.from([0x4f, 0x62, 0x6a, 0x01]);
const SYNC_BYTES = 16;
/** Uncompressed size at which a block is closed. */
const BLOCK_BYTES = 1 << 20;

/**
 * Writes a container file with the deflate codec, which every Iceberg reader knows.
 * The sync marker is a digest of the first block, so equal input gives an equal file.
 * @param metadata header entries, `avro.schema` among them
 * @param datums encoded records in order
 */
export function encodeContainer(metadata: Iterable<[string, string]>, datums: readonly Buffer[]): Uint8Array {
  const blocks: Buffer[][] = [];
  let room = 0;
  for (const datum of datums) {
    if (room < datum.length || blocks.length === 0) {
      blocks.push([]);
      room = BLOCK_BYTES;
    }
    blocks.at(-1)!.push(datum);
    room -= datum.length;
  }
  const bodies = blocks.map((block) => deflateRawSync(Buffer.concat(block)));
  const entries = [...metadata, ['avro.codec', 'deflate'] as const];
  const sync = createHash('md5')
    .update(bodies[0] ?? MAGIC)
    .digest();
  const parts: Uint8Array[] = [MAGIC, varint(entries.length)];
  for (const [key, value] of entries) parts.push(...text(key), ...text(value));
  parts.push(varint(0), sync);
  for (const [index, body] of bodies.entries()) {
    parts.push(varint(blocks[index]!.length), varint(body.length), body, sync);
  }
  return Buffer.concat(parts);
}

/**
 * Reads a container file written with codec null, deflate, zstandard or snappy.
 * @param name the file's URL, for messages
 * @throws LakegateError `corrupt` when it is not a whole container file, `unsupported` for another codec
 */
export function decodeContainer(bytes: Uint8Array, name: string): AvroContainer {
  const cursor = { data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0, name };
  if (!take(cursor, MAGIC.length).equals(MAGIC)) {
    throw corrupt(name, 'it does not begin with the Avro magic "Obj\\x01"');
  }
  const metadata = new Map<string, string>();
  for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
    // A negative count is followed by the block's size in bytes, which only a reader that skips needs.
    if (count < 0) readLong(cursor);
    for (let left = Math.abs(count); left > 0; left--) {
      const key = take(cursor, readLong(cursor)).toString('utf8');
      metadata.set(key, take(cursor, readLong(cursor)).toString('utf8'));
    }
  }
  const sync = take(cursor, SYNC_BYTES);
  const codec = metadata.get('avro.codec') ?? 'null';
  const blocks: AvroContainer['blocks'] = [];
  while (cursor.at < cursor.data.length) {
    const count = readLong(cursor);
    const body = take(cursor, readLong(cursor));
    if (count < 0) throw corrupt(name, `a block claims ${count} records`);
    if (!take(cursor, SYNC_BYTES).equals(sync)) throw corrupt(name, `the sync marker before byte ${cursor.at} differs`);
    blocks.push({ count, bytes: decompress(codec, body, name) });
  }
  return { metadata, blocks };
}

function decompress(codec: string, body: Buffer, name: string): Buffer {
  try {
    if (codec === 'null') return body;
    if (codec === 'deflate') return inflateRawSync(body);
    if (codec === 'zstandard') return zstdDecompressSync(body);
    if (codec === 'snappy') return unsnappy(body);
  } catch (cause) {
    throw corrupt(name, `a block cannot be decompressed with codec ${codec}`, cause);
  }
  throw new LakegateError(
    'unsupported',
    `Avro file ${name} uses codec ${codec}; expected null, deflate, zstandard or snappy. Rewrite the table's manifests with another write.avro.compression-codec.`,
    { context: { url: name, codec } },
  );
}

/** Avro's snappy block: raw snappy, which begins with its uncompressed length, then a CRC-32 of 4 bytes. */
function unsnappy(body: Buffer): Buffer {
  let length = 0;
  for (let at = 0, shift = 0; shift < 35; at++, shift += 7) {
    const byte = body[at] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const output = Buffer.alloc(length);
  snappyUncompress(body.subarray(0, -4), output);
  return output;
}

interface Cursor {
  data: Buffer;
  at: number;
  name: string;
}

function take(cursor: Cursor, length: number): Buffer {
  const end = cursor.at + length;
  if (length < 0 || end > cursor.data.length) throw corrupt(cursor.name, `it ends inside a field at byte ${cursor.at}`);
  const part = cursor.data.subarray(cursor.at, end);
  cursor.at = end;
  return part;
}

/** A zigzag varint; lengths and counts of a container fit a double. */
function readLong(cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = take(cursor, 1)[0]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  throw corrupt(cursor.name, `byte ${cursor.at} is not a length or count`);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function text(value: string): [Buffer, Buffer] {
  const bytes = Buffer.from(value, 'utf8');
  return [varint(bytes.length), bytes];
}

function corrupt(name: string, found: string, cause?: unknown): LakegateError {
  return new LakegateError(
    'corrupt',
    `${name} is not a readable Avro file: ${found}. Check that the object is whole.`,
    {
      context: { url: name },
      cause,
    },
  );
}
