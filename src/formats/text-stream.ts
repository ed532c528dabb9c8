import { isUtf8 } from 'node:buffer';
import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { LakegateError } from '../errors.ts';
import type { RangeReader } from '../storage/store.ts';
import type { Compression } from './detect.ts';

const READ_BYTES = 1 << 18;
/** A read that costs a round trip should be worth it. */
const REMOTE_READ_BYTES = 8 << 20;
const INFLATED_CHUNK_BYTES = 1 << 17;

/**
 * The text of a file as UTF-8 bytes, front to back in bounded memory: decompressed (all members of a concatenated gzip file, all frames of a
 * zstd file), checked, without byte order mark. Chunks end between characters. The reader stays open.
 * @throws LakegateError `corrupt` for a damaged or truncated compressed file or invalid UTF-8 (with the byte's offset in the text);
 *   `unsupported` for UTF-16 and UTF-32
 */
export async function* textChunks(reader: RangeReader, compression: Compression): AsyncGenerator<Uint8Array> {
  const raw = fileChunks(reader);
  yield* checkedUtf8(compression === 'none' ? raw : decompressed(raw, compression, reader.url), reader.url);
}

async function* fileChunks(reader: RangeReader): AsyncGenerator<Uint8Array> {
  const step = reader.cheapSeeks ? READ_BYTES : REMOTE_READ_BYTES;
  for (let start = 0; start < reader.byteLength; start += step) {
    const bytes = await reader.read(start, Math.min(start + step, reader.byteLength));
    for (let at = 0; at < bytes.length; at += READ_BYTES) yield bytes.subarray(at, at + READ_BYTES);
  }
}

type Inflate = Transform & { readonly bytesWritten: number };

async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  compression: 'gzip' | 'zstd',
  url: string,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array | undefined = new Uint8Array(0);
  try {
    while (rest !== undefined) {
      const inflate: Inflate =
        compression === 'gzip'
          ? createGunzip({ chunkSize: INFLATED_CHUNK_BYTES })
          : createZstdDecompress({ chunkSize: INFLATED_CHUNK_BYTES });
      let sourceError: unknown;
      const feeding: Promise<Uint8Array | undefined> = feed(rest, chunks, inflate).catch((error: unknown) => {
        sourceError = error;
        inflate.destroy(error instanceof Error ? error : new Error(String(error)));
        return undefined;
      });
      try {
        for await (const chunk of inflate) yield chunk as Uint8Array;
      } catch (error) {
        if (sourceError instanceof LakegateError) throw sourceError;
        throw damaged(url, compression, error);
      } finally {
        inflate.destroy();
        rest = await feeding;
      }
      // What gzip leaves over after its last member is zero padding (anything else it has refused).
      if (compression === 'gzip') rest = undefined;
    }
  } finally {
    await chunks.return?.();
  }
}

/**
 * Writes compressed bytes, each chunk only after the one before was taken, so that no more than a chunk waits in memory.
 *
 * Node's zstd stream ends without a word at the end of a frame that is not the end of a chunk, and drops what follows: those bytes are given back, for
 * a stream of their own.
 * @returns the bytes from the next frame on; undefined when all were taken
 */
async function feed(
  first: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
  inflate: Inflate,
): Promise<Uint8Array | undefined> {
  for (let chunk: Uint8Array | undefined = first; chunk !== undefined; chunk = (await chunks.next()).value) {
    const waiting = chunk;
    if (waiting.length === 0) continue;
    const before = inflate.bytesWritten;
    await new Promise<void>((resolve, reject) => {
      // A stream that ended early never calls back.
      inflate.once('close', resolve);
      inflate.write(waiting, (error) => {
        inflate.off('close', resolve);
        if (error) reject(error);
        else resolve();
      });
    });
    const taken = inflate.bytesWritten - before;
    if (taken < waiting.length) return waiting.subarray(taken);
  }
  inflate.end();
  return undefined;
}

function damaged(url: string, compression: string, cause: unknown): LakegateError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new LakegateError(
    'corrupt',
    `${url}: the ${compression} data is damaged or cut off (${message}). Send the file again.`,
    { context: { url, compression }, cause },
  );
}

async function* checkedUtf8(source: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<Uint8Array> {
  let carry: Uint8Array = new Uint8Array(0);
  /** Offset in the text of `carry`'s first byte. */
  let offset = 0;
  let started = false;
  for await (const piece of source) {
    let chunk = carry.length === 0 ? piece : Buffer.concat([carry, piece]);
    if (!started) {
      if (chunk.length < 4) {
        carry = chunk;
        continue;
      }
      started = true;
      const mark = byteOrderMark(chunk, url);
      chunk = chunk.subarray(mark);
      offset += mark;
    }
    const whole = endOfLastCharacter(chunk);
    if (!isUtf8(chunk.subarray(0, whole))) throw invalidUtf8(chunk, offset, url);
    carry = chunk.subarray(whole);
    if (whole > 0) yield chunk.subarray(0, whole);
    offset += whole;
  }
  if (carry.length === 0) return;
  const last = started ? carry : carry.subarray(byteOrderMark(carry, url));
  if (!isUtf8(last)) throw invalidUtf8(last, offset + carry.length - last.length, url);
  if (last.length > 0) yield last;
}

/** Length of a UTF-8 byte order mark at the start: 3 or 0. */
function byteOrderMark(bytes: Uint8Array, url: string): number {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 3;
  const marked = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  // Without a mark, every other byte of European text in UTF-16 is zero, and no text file of ours starts with a NUL.
  const unmarked = bytes.length > 1 && (bytes[0] === 0 || bytes[1] === 0);
  if (marked || unmarked) {
    throw new LakegateError('unsupported', `${url}: expected UTF-8, found UTF-16 or UTF-32. Save it as UTF-8.`, {
      context: { url },
    });
  }
  return 0;
}

/** Where the last character that is all there ends; a started one waits for the next chunk. */
function endOfLastCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function invalidUtf8(bytes: Uint8Array, offset: number, url: string): LakegateError {
  // Valid prefixes are found by halving: a prefix cut at a character boundary is valid exactly up to the first bad byte.
  let valid = 0;
  let end = bytes.length;
  while (end - valid > 4) {
    const middle = valid + ((end - valid) >> 1);
    const cut = valid + endOfLastCharacter(bytes.subarray(valid, middle));
    if (cut > valid && isUtf8(bytes.subarray(valid, cut))) valid = cut;
    else end = middle;
  }
  while (valid < bytes.length) {
    const byte = bytes[valid] ?? 0;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(valid, valid + length))) break;
    valid += length;
  }
  const at = offset + valid;
  const hex = (bytes[valid] ?? 0).toString(16).padStart(2, '0');
  return new LakegateError(
    'corrupt',
    `${url}: expected UTF-8, found the invalid byte 0x${hex} at byte ${at} of the text. Save it as UTF-8 (it may be Latin-1 or Windows-1252).`,
    { context: { url, offset: at } },
  );
}
