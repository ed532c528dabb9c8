import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { decompressedPrefix } from '../../src/parquet/compression.ts';
import { countLevels, expandBitPacked, expandLevels, levelWidth } from '../../src/parquet/levels.ts';
import { lz4HadoopPrefix, lz4Prefix } from '../../src/parquet/lz4.ts';
import { snappyPrefix } from '../../src/parquet/snappy.ts';

/** Encodes levels as runs and bit-packed groups of eight, as `choices` says. */
function encoded(levels: number[], maxLevel: number, choices: boolean[]): Uint8Array {
  const width = levelWidth(maxLevel);
  const bytes: number[] = [];
  let at = 0;
  for (let k = 0; at < levels.length; k++) {
    if (choices[k % choices.length]) {
      const group = [...levels.slice(at, at + 8), 0, 0, 0, 0, 0, 0, 0].slice(0, 8);
      bytes.push(3);
      let bits = 0n;
      group.forEach((level, i) => {
        bits |= BigInt(level) << BigInt(i * width);
      });
      for (let i = 0; i < width; i++) bytes.push(Number((bits >> BigInt(8 * i)) & 0xffn));
      at += 8;
    } else {
      let run = 1;
      while (levels[at + run] === levels[at]) run++;
      bytes.push(...(run * 2 < 128 ? [run * 2] : [((run * 2) & 127) | 128, (run * 2) >> 7]), levels[at]!);
      at += run;
    }
  }
  return Uint8Array.from(bytes);
}

const cases = fc.integer({ min: 1, max: 9 }).chain((maxLevel) =>
  fc.record({
    maxLevel: fc.constant(maxLevel),
    levels: fc
      .array(fc.tuple(fc.integer({ min: 0, max: maxLevel }), fc.integer({ min: 1, max: 90 })), { maxLength: 40 })
      .map((runs) => runs.flatMap(([level, length]) => new Array<number>(length).fill(level))),
    choices: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
  }),
);

describe('levels', () => {
  test('come back from any mix of runs and packed groups, expanded or counted', () => {
    fc.assert(
      fc.property(cases, ({ levels, maxLevel, choices }) => {
        const bytes = encoded(levels, maxLevel, choices);
        expect(Array.from(expandLevels(bytes, levels.length, maxLevel))).toEqual(levels);
        const histogram = new Array<number>(maxLevel + 1).fill(0);
        countLevels(bytes, levels.length, maxLevel, histogram);
        expect(histogram).toEqual(histogram.map((_, level) => levels.filter((each) => each === level).length));
      }),
    );
  });

  test('cut or beyond the column are errors', () => {
    expect(() => countLevels(Uint8Array.from([3]), 8, 1, [0, 0])).toThrow(/end 8 short/);
    expect(() => countLevels(Uint8Array.from([]), 8, 1, [0, 0])).toThrow(/end 8 short/);
    expect(() => expandLevels(Uint8Array.from([16, 3]), 8, 2)).toThrow(/above/);
    expect(() => countLevels(Uint8Array.from([16, 2]), 8, 1, [0, 0])).toThrow(/above 1/);
    expect(() => expandLevels(new Uint8Array(9).fill(0xff), 8, 2)).toThrow(/short/);
  });

  test('of the legacy encoding are packed from the most significant bit', () => {
    // parquet-format's own example: 0 to 7 at three bits each.
    const bytes = Uint8Array.from([0b00000101, 0b00111001, 0b01110111]);
    expect(Array.from(expandBitPacked(bytes, 8, 7))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('prefixes', () => {
  const original = Uint8Array.from({ length: 50_000 }, (_, i) => ((i * i) % 251) ^ (i % 7));
  const compressed = {
    GZIP: gzipSync(original),
    ZSTD: zstdCompressSync(original),
    BROTLI: brotliCompressSync(original),
  };

  test.each(['GZIP', 'ZSTD', 'BROTLI'] as const)('of %s hold as far as the input goes', (codec) => {
    const whole = compressed[codec];
    for (const length of [0, 1, 10, 300, whole.length - 1, whole.length]) {
      const input = whole.subarray(0, length);
      const sizes = { compressedSize: whole.length, uncompressedSize: original.length };
      const prefix = decompressedPrefix({ codec, input, ...sizes }, 100);
      expect(Buffer.compare(prefix, original.subarray(0, prefix.length))).toBe(0);
      if (length === whole.length) expect(prefix.length).toBe(original.length);
    }
  });

  test('run on over concatenated gzip members', () => {
    const input = Buffer.concat([gzipSync(original.subarray(0, 10)), gzipSync(original.subarray(10))]);
    const sizes = { compressedSize: input.length, uncompressedSize: original.length };
    const whole = decompressedPrefix({ codec: 'GZIP', input, ...sizes }, original.length);
    expect(Buffer.compare(whole, original)).toBe(0);
  });

  test('a page that decodes to more than it says is refused', () => {
    const input = zstdCompressSync(new Uint8Array(1_000_000));
    const page = { codec: 'ZSTD' as const, input, compressedSize: input.length, uncompressedSize: 10 };
    expect(() => decompressedPrefix(page, 10)).toThrow();
  });

  // "abcd" literally, then eight bytes from four back, then "xyz".
  const snappy = Uint8Array.from([15, 3 << 2, 97, 98, 99, 100, ((8 - 4) << 2) | 1, 4, 2 << 2, 120, 121, 122]);
  const lz4 = Uint8Array.from([(4 << 4) | (8 - 4), 97, 98, 99, 100, 4, 0, 3 << 4, 120, 121, 122]);

  test.each([
    ['Snappy', snappyPrefix, snappy],
    ['LZ4', lz4Prefix, lz4],
  ])('of %s stop where asked and end where the input does', (_name, decode, input) => {
    const text = 'abcdabcdabcdxyz';
    for (let wanted = 0; wanted <= text.length; wanted++) {
      expect(Buffer.from(decode(input, wanted)).toString()).toBe(text.slice(0, wanted));
    }
    for (let length = 0; length <= input.length; length++) {
      expect(text.startsWith(Buffer.from(decode(input.subarray(0, length), 15)).toString())).toBe(true);
    }
  });

  test('of LZ4 with and without Hadoop’s framing', () => {
    const framed = Buffer.alloc(2 * (8 + lz4.length));
    for (const at of [0, 8 + lz4.length]) {
      framed.writeUInt32BE(15, at);
      framed.writeUInt32BE(lz4.length, at + 4);
      framed.set(lz4, at + 8);
    }
    const twice = lz4HadoopPrefix(framed, 30, framed.length, 30);
    expect(Buffer.from(twice).toString()).toBe('abcdabcdabcdxyzabcdabcdabcdxyz');
    expect(Buffer.from(lz4HadoopPrefix(framed, 17, framed.length, 30)).toString()).toBe('abcdabcdabcdxyzab');
    expect(Buffer.from(lz4HadoopPrefix(lz4, 15, lz4.length, 15)).toString()).toBe('abcdabcdabcdxyz');
  });

  test.each([
    ['Snappy', () => snappyPrefix(Uint8Array.from([4, 1, 9]), 4)],
    ['LZ4', () => lz4Prefix(Uint8Array.from([0, 9, 0, 0]), 4)],
  ])('of %s refuse copies from before the start', (_name, decode) => {
    expect(decode).toThrow(/reaches 9 back/);
  });
});
