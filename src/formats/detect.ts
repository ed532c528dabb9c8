import { LakegateError } from '../errors.ts';
import type { RangeReader } from '../storage/store.ts';

export type Format = 'parquet' | 'csv' | 'jsonl';
export type Compression = 'none' | 'gzip' | 'zstd';

/** What a dropped file is. */
export type DetectedFormat = { format: 'parquet'; compression: 'none' } | DetectedText;

/** A text file. */
export interface DetectedText {
  format: 'csv' | 'jsonl';
  compression: Compression;
  /** Set for `.tsv`, where the name itself says what separates the cells. */
  delimiter?: '\t';
}

const FORMAT_BY_EXTENSION: Readonly<Record<string, Format>> = {
  parquet: 'parquet',
  csv: 'csv',
  tsv: 'csv',
  json: 'jsonl',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
};
const COMPRESSION_BY_EXTENSION: Readonly<Record<string, Compression>> = { gz: 'gzip', zst: 'zstd' };

type Content = 'Parquet' | 'encrypted Parquet' | 'gzip' | 'zstd' | 'zip' | 'bzip2' | 'xz' | 'other';
const MAGIC: readonly (readonly [Content, readonly number[]])[] = [
  ['Parquet', [0x50, 0x41, 0x52, 0x31]],
  ['encrypted Parquet', [0x50, 0x41, 0x52, 0x45]],
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
];
const CONTENT_OF_COMPRESSION = { gzip: 'gzip', zstd: 'zstd' } as const;

/**
 * Says what a file is, by its name and, for text, its first four bytes; both have to agree. Nothing is read of a Parquet file: `readFooter` holds it to
 * its name.
 * @param declared the table's configured format; 'auto' takes the name's word. A declared format serves files whose name says nothing
 * @throws LakegateError `corrupt` when name, configuration and content disagree; `unsupported` for an unknown name or another compression
 */
export async function detectFormat(reader: RangeReader, declared: 'auto' | Format = 'auto'): Promise<DetectedFormat> {
  const name = reader.url.slice(reader.url.lastIndexOf('/') + 1);
  const extensions = name.toLowerCase().split('.').slice(1);
  const last = extensions.at(-1) ?? '';
  const namedCompression = Object.hasOwn(COMPRESSION_BY_EXTENSION, last) ? COMPRESSION_BY_EXTENSION[last] : undefined;
  const extension = (namedCompression === undefined ? last : extensions.at(-2)) ?? '';
  const namedFormat = Object.hasOwn(FORMAT_BY_EXTENSION, extension) ? FORMAT_BY_EXTENSION[extension] : undefined;
  const context = { url: reader.url };

  if (declared !== 'auto' && namedFormat !== undefined && namedFormat !== declared) {
    throw new LakegateError(
      'corrupt',
      `${name}: the table takes ${declared} files, but the name says ${namedFormat}. Drop it under the table it belongs to, or change the table's format in lake.yaml.`,
      { context },
    );
  }
  const format = declared === 'auto' ? namedFormat : declared;
  if (format === undefined) {
    throw new LakegateError(
      'unsupported',
      `${name}: the name does not say what it is. Expected one of ${Object.keys(FORMAT_BY_EXTENSION).join(', ')} (text also with .gz or .zst), or set the table's format in lake.yaml.`,
      { context },
    );
  }

  if (format === 'parquet') {
    if (namedCompression !== undefined) {
      throw new LakegateError(
        'unsupported',
        `${name}: a ${namedCompression}-compressed Parquet file cannot be read in place. Parquet compresses inside: send the plain .parquet file.`,
        { context },
      );
    }
    // Its footer has to be read anyway, and says whether it is what its name says.
    return { format, compression: 'none' };
  }

  const content = contentOf(await reader.read(0, 4));
  const disagree = (expected: string): LakegateError =>
    new LakegateError(
      'corrupt',
      `${name}: expected ${expected} by its name or the table's format, found ${content === 'other' ? 'something else' : content} in its first bytes. Rename the file or send the right one.`,
      { context: { ...context, expected, found: content } },
    );

  const delimiter = extension === 'tsv' ? ({ delimiter: '\t' } as const) : {};
  if (namedCompression === 'gzip' || namedCompression === 'zstd') {
    if (content !== CONTENT_OF_COMPRESSION[namedCompression]) throw disagree(namedCompression);
    return { format, compression: namedCompression, ...delimiter };
  }
  // A name that claims nothing is no claim to contradict: the content decides about its compression.
  if (namedFormat === undefined && (content === 'gzip' || content === 'zstd')) return { format, compression: content };
  // No text of ours starts with these, save that a header may well begin with the letters of a magic number.
  if (content === 'other' || content === 'bzip2') return { format, compression: 'none', ...delimiter };
  throw disagree(`uncompressed ${format}`);
}

function contentOf(bytes: Uint8Array): Content {
  return MAGIC.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte))?.[0] ?? 'other';
}

/** The text file that a caller says it has. @throws LakegateError `internal` for Parquet, which the text readers must never be handed */
export function asText(detected: DetectedFormat, url: string): DetectedText {
  if (detected.format !== 'parquet') return detected;
  throw new LakegateError('internal', `${url}: a Parquet file was handed to the reader of CSV and JSON Lines.`, {
    context: { url },
  });
}
