import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { LakegateError } from '../../src/errors.ts';
import type { Compression } from '../../src/formats/detect.ts';
import { textChunks } from '../../src/formats/text-stream.ts';
import { gathered, source } from './source.ts';

async function textOf(content: string | Uint8Array, compression: Compression = 'none'): Promise<string> {
  return Buffer.concat(await gathered(textChunks(await source('x', content), compression))).toString();
}

describe('textChunks', () => {
  test.each(['gzip', 'zstd'] as const)('%s: members one after the other are one text', async (compression) => {
    const compress = compression === 'gzip' ? gzipSync : zstdCompressSync;
    const parts = ['first '.repeat(5000), '', 'Zürich 😀\n', 'last'];
    expect(await textOf(Buffer.concat(parts.map((part) => compress(part))), compression)).toBe(parts.join(''));
  });

  test.each(['gzip', 'zstd'] as const)('%s: cut off anywhere is corrupt, and names the file', async (compression) => {
    const compress = compression === 'gzip' ? gzipSync : zstdCompressSync;
    const one = compress(Buffer.from(Array.from({ length: 2000 }, (_, i) => `${(i * 7919) % 1009},`).join('')));
    const whole = Buffer.concat([one, one]);
    for (const length of [1, 5, one.length - 1, one.length + 3, whole.length - 1]) {
      await expect(textOf(whole.subarray(0, length), compression)).rejects.toMatchObject({
        kind: 'corrupt',
        message: expect.stringContaining('memory:/drop/x'),
      });
    }
    await expect(textOf(Buffer.concat([one, Buffer.from('garbage')]), compression)).rejects.toMatchObject({
      kind: 'corrupt',
    });
  });

  test('a byte order mark is taken off, UTF-16 is named', async () => {
    expect(await textOf('\ufeffa,b')).toBe('a,b');
    expect(await textOf('\ufeff')).toBe('');
    expect(await textOf('é')).toBe('é');
    await expect(textOf(Buffer.from('\ufeffa,b', 'utf16le'))).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(textOf(Buffer.from('a,b', 'utf16le'))).rejects.toMatchObject({ kind: 'unsupported' });
  });

  test('invalid UTF-8 is corrupt, with the offset of its byte', async () => {
    const valid = 'Zürich 😀 '.repeat(1000);
    const bad = Buffer.concat([Buffer.from(valid), Buffer.from([0xfc]), Buffer.from(valid)]);
    await expect(textOf(bad)).rejects.toMatchObject({
      kind: 'corrupt',
      context: { offset: Buffer.byteLength(valid) },
    });
    await expect(textOf(Buffer.from([0x61, 0x62, 0x63, 0x64, 0xc3]))).rejects.toMatchObject({ context: { offset: 4 } });
  });

  test('characters cut anywhere arrive whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        async (text, step) => {
          const bytes = Buffer.from(`ab${text}`);
          // Each frame comes out as a chunk of its own.
          const frames: Uint8Array[] = [];
          for (let at = 0; at < bytes.length; at += step) frames.push(zstdCompressSync(bytes.subarray(at, at + step)));
          const chunks = await gathered(textChunks(await source('x', Buffer.concat(frames)), 'zstd'));
          for (const chunk of chunks) new TextDecoder('utf-8', { fatal: true }).decode(chunk);
          expect(Buffer.concat(chunks).toString()).toBe(`ab${text}`);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a reader that fails is not a damaged file', async () => {
    const fault = new LakegateError('unavailable', 'unreachable');
    const reader = { ...(await source('x', gzipSync('x'))), read: () => Promise.reject(fault) };
    await expect(gathered(textChunks(reader, 'none'))).rejects.toBe(fault);
    await expect(gathered(textChunks(reader, 'gzip'))).rejects.toBe(fault);
  });
});
