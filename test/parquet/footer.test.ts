import fc from 'fast-check';
import { LakegateError } from '../../src/errors.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import { countNulls } from '../../src/parquet/nulls.ts';
import { readRows } from '../../src/parquet/rows.ts';
import { fixture, source, withoutStatistics } from './fixture.ts';

const read = async (bytes: Uint8Array, cheapSeeks = true) => source(bytes, cheapSeeks).footer();
const utf8 = (text: string) => new TextEncoder().encode(text);
const footerLength = (bytes: Uint8Array) => new DataView(bytes.buffer).getUint32(bytes.length - 8, true);

describe('readFooter', () => {
  test('gives rows, columns and chunks', async () => {
    const footer = await read(fixture('statistics.parquet'));
    expect(footer.numRows).toBe(300);
    expect(footer.rowGroups.map(({ numRows, firstRow }) => [numRows, firstRow])).toEqual([
      [200, 0],
      [100, 200],
    ]);
    expect(footer.fields.map(({ name, kind, optional }) => [name, kind, optional])).toEqual([
      ['i', 'primitive', true],
      ['required', 'primitive', false],
      ['all_null', 'primitive', true],
      ['s', 'primitive', true],
      ['l', 'list', true],
      ['ll', 'list', true],
      ['m', 'map', true],
      ['st', 'struct', true],
    ]);
    const i = footer.rowGroups[0]!.columns[0]!;
    expect(i).toMatchObject({ codec: 'SNAPPY', numValues: 200, hasStatistics: true });
    expect(i.nullCount).toBe(i.definitionLevelHistogram![0]);
    expect(i.minValue).toEqual(new Uint8Array(8));
  });

  test('reads a remote file that is no longer than its tail once, and a longer footer twice', async () => {
    const whole = source(fixture('statistics.parquet'), false);
    await whole.footer();
    expect(whole.seen.reads).toHaveLength(1);
    const bytes = fixture('statistics.parquet');
    const length = footerLength(bytes);
    const padded = new Uint8Array(bytes.length + 600_000);
    padded.set(bytes.subarray(0, bytes.length - 8));
    padded.set(bytes.subarray(bytes.length - 8), padded.length - 8);
    new DataView(padded.buffer).setUint32(padded.length - 8, length + 600_000, true);
    const long = source(padded, false);
    expect((await long.footer()).numRows).toBe(300);
    expect(long.seen.reads).toHaveLength(2);
  });

  test.each([
    ['nothing', new Uint8Array(0), /it is empty/],
    ['CSV', utf8('id,name\n1,a\n2,b\n'), /looks like CSV/],
    ['JSON', utf8('{"id": 1, "name": "a"}\n'), /looks like JSON/],
    ['HTML', utf8('<!DOCTYPE html><html>Access denied</html>'), /looks like HTML/],
    ['gzip', Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), /looks like gzip/],
    ['the front part', fixture('none-v1.parquet').subarray(0, 4000), /cut short/],
    ['the back part', fixture('none-v1.parquet').subarray(100), /does not begin with it/],
  ])('refuses %s and says what it looks like', async (_what, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message);
    await expect(read(bytes)).rejects.toMatchObject({ kind: 'corrupt' });
  });

  test('refuses an absurd footer length', async () => {
    const bytes = fixture('none-v1.parquet');
    new DataView(bytes.buffer).setUint32(bytes.length - 8, 0x7fffffff, true);
    await expect(read(bytes)).rejects.toThrow(/claims 2147483647/);
  });

  test('calls an encrypted footer unsupported', async () => {
    const bytes = fixture('none-v1.parquet');
    bytes.set(utf8('PARE'), bytes.length - 4);
    await expect(read(bytes)).rejects.toMatchObject({ kind: 'unsupported' });
  });

  test('names what the store did not deliver', async () => {
    const reader = await source(fixture('none-v1.parquet')).open();
    const short = { ...reader, read: async () => new Uint8Array(3) };
    await expect(readFooter(short, 'x')).rejects.toThrow(/but 3 came/);
  });

  test('takes neither a crash nor a hang from any damage to a footer', async () => {
    const bytes = fixture('snappy-v1.parquet');
    const start = bytes.length - 8 - footerLength(bytes);
    const damage = fc.record({
      flips: fc.array(fc.tuple(fc.integer({ min: start, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
      cut: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: bytes.length })),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ flips, cut }) => {
        const damaged = bytes.slice();
        for (const [at, value] of flips) damaged[at] = value;
        await outcome(() => read(damaged.subarray(0, damaged.length - cut).slice()));
      }),
      { numRuns: 1500 },
    );
  });
});

describe('damaged pages', () => {
  test.each(['snappy-v1', 'zstd-v2', 'lz4-v1', 'gzip-v1', 'none-v1'])(
    'of %s end in values or a named fault',
    async (name) => {
      const bytes = fixture(`${name}.parquet`);
      const dataEnd = bytes.length - 8 - footerLength(bytes);
      const footer = withoutStatistics(await read(bytes));
      const flips = fc.array(fc.tuple(fc.integer({ min: 4, max: dataEnd - 1 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 20,
      });
      await fc.assert(
        fc.asyncProperty(flips, async (changes) => {
          const damaged = bytes.slice();
          for (const [at, value] of changes) damaged[at] = value;
          const { open, seen } = source(damaged);
          await outcome(() => countNulls(footer, open, '*'));
          await outcome(async () => {
            for await (const _batch of readRows(footer, open));
          });
          expect(seen.closed).toBe(seen.opened);
        }),
        { numRuns: 60 },
      );
    },
  );
});

async function outcome(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof LakegateError)) throw error;
    expect(['corrupt', 'unsupported']).toContain(error.kind);
  }
}
