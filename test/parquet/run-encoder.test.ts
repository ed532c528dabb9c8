import fc from 'fast-check';
import { expandRuns } from '../../src/parquet/hybrid.ts';
import { encodeRun, encodeRuns } from '../../src/parquet/run-encoder.ts';

describe('encodeRuns', () => {
  test('what is encoded comes back, whatever the width', () => {
    const values = fc.integer({ min: 0, max: 32 }).chain((width) => {
      const value = fc.integer({ min: 0, max: 2 ** width - 1 });
      const run = fc.tuple(value, fc.integer({ min: 1, max: 40 }));
      return fc.tuple(fc.constant(width), fc.array(run, { maxLength: 30 }));
    });
    fc.assert(
      fc.property(values, ([width, runs]) => {
        const list = Uint32Array.from(runs.flatMap(([value, length]) => new Array<number>(length).fill(value)));
        expect(expandRuns(encodeRuns(list, width), list.length, width)).toEqual(list);
      }),
      { numRuns: 1000 },
    );
  });

  test('one value over and over takes a few bytes', () => {
    for (const length of [1, 63, 64, 100_000, 20_000_000]) {
      expect(encodeRun(1, length).length).toBeLessThan(7);
      expect(expandRuns(encodeRun(1, length), length, 1).every((value) => value === 1)).toBe(true);
    }
    expect(encodeRuns(new Uint32Array(100_000).fill(70_000), 17).length).toBeLessThan(8);
  });
});
