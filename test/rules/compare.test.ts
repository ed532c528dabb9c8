import fc from 'fast-check';
import { compareValues, equalityKey, parseDecimal } from '../../src/rules/compare.ts';

const decimalText = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 8 }))
  .map(([unscaled, scale]) => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    return { text: unscaled < 0n ? `-${text}` : text, unscaled, scale };
  });

describe('compareValues', () => {
  test('is exact beyond what a double holds', () => {
    expect(compareValues(9007199254740993n, 9007199254740992)).toBe(1);
    expect(compareValues({ decimal: '0.1' }, 0.1)).toBe(-1); // the double is a little more than a tenth
    expect(compareValues({ decimal: '12345678901234567890.12' }, { decimal: '12345678901234567890.13' })).toBe(-1);
    expect(compareValues({ decimal: '1.50' }, { decimal: '1.5' })).toBe(0);
    expect(compareValues(5, 5n)).toBe(0);
    expect(compareValues({ decimal: '-1' }, Number.NEGATIVE_INFINITY)).toBe(1);
    expect(compareValues(Number.POSITIVE_INFINITY, { decimal: '9e99' })).toBe(1);
    expect(compareValues({ decimal: '0' }, 5e-324)).toBe(-1);
  });

  test('has no place for NaN', () => {
    expect(compareValues(Number.NaN, 1)).toBeUndefined();
    expect(compareValues(Number.NaN, Number.NaN)).toBeUndefined();
    expect(compareValues({ decimal: '1' }, Number.NaN)).toBeUndefined();
  });

  test('orders strings as their UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareValues(a, b)!)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
    expect(compareValues('\u{10000}', '\uffff')).toBeGreaterThan(0);
  });

  test('orders decimals as their fractions', () => {
    fc.assert(
      fc.property(decimalText, decimalText, (a, b) => {
        const x = a.unscaled * 10n ** BigInt(b.scale);
        const y = b.unscaled * 10n ** BigInt(a.scale);
        expect(compareValues({ decimal: a.text }, { decimal: b.text })).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });

  test('refuses kinds that do not compare', () => {
    expect(() => compareValues('1', 1)).toThrow('cannot compare a string with a number');
    expect(() => compareValues({ micros: 1n }, { decimal: '1' })).toThrow('cannot compare a time with a decimal');
  });
});

describe('equalityKey', () => {
  test('is equal exactly for values that compare as equal', () => {
    const number = fc.oneof(
      fc.integer(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      decimalText.map(({ text }) => ({ decimal: text })),
    );
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(equalityKey(a) === equalityKey(b)).toBe(compareValues(a, b) === 0);
      }),
    );
    const bytes = fc.uint8Array({ maxLength: 3 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalityKey(a) === equalityKey(b)).toBe(compareValues(a, b) === 0);
      }),
    );
  });
});

test('parseDecimal takes exponents and refuses what is no number', () => {
  expect(parseDecimal('1e-7')).toEqual({ unscaled: 1n, scale: 7 });
  expect(parseDecimal('-2.5e3')).toEqual({ unscaled: -2500n, scale: 0 });
  for (const text of ['', '.', 'abc', '1.2.3', '0x10', 'NaN', ' 1']) expect(parseDecimal(text)).toBeUndefined();
});
