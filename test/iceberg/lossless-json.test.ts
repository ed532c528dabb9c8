import fc from 'fast-check';
import { parseLossless, stringifyLossless } from '../../src/iceberg/lossless-json.ts';

/** The reference: exact, and slow. */
function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && /^-?\d{16,}$/.test(context?.source ?? '') ? BigInt(context?.source ?? '') : value,
  );
}

/** Strings made of what could be taken for a key, a value or a marked id. */
const nastyText = fc
  .array(
    fc.constantFrom(
      '"snapshot-id"',
      '\\"snapshot-id\\"',
      'snapshot-id',
      '"',
      '\\',
      ':',
      ': ',
      ',',
      '{',
      '}',
      '[',
      ']',
      ' ',
      '\n',
      'a',
      '\u0001',
      '\\u0001',
      '1234567890123456789',
      '-1234567890123456',
      '9007199254740993',
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const nasty = fc.oneof(nastyText, fc.string(), fc.string({ unit: 'binary' }));
const key = fc.oneof(fc.constantFrom('snapshot-id', 'parent-snapshot-id', 'current-snapshot-id'), nasty);
const document = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    nasty,
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

/** Integers of fewer than 16 digits come back as numbers. */
function narrow(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString().replace('-', '').length < 16 ? Number(value) : value;
  if (typeof value === 'number' && /^-?\d{16,}$/.test(String(value))) return BigInt(String(value));
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(narrow);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, narrow(member)]));
  }
  return value;
}

/** A compact text with spaces put where JSON allows them, as Jackson and Python print it. */
function spaced(text: string, space: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|[:,{}[\]]/g, (token) =>
    token[0] === '"' ? token : `${space}${token}${space}`,
  );
}

describe('lossless JSON', () => {
  test('gives what the exact, slow parse gives, whatever stands in strings and keys', () => {
    fc.assert(
      fc.property(fc.array(document), fc.constantFrom('', ' ', '\n  ', '\t\r\n'), (value, space) => {
        const text = spaced(stringifyLossless(value), space);
        expect(parseLossless(text)).toEqual(parseExactly(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('round-trips every 64-bit id and every string', () => {
    fc.assert(
      fc.property(fc.array(document), (value) => {
        expect(parseLossless(stringifyLossless(value))).toEqual(narrow(value));
      }),
      { numRuns: 1000 },
    );
  });

  test('keeps the last digit where a double loses it', () => {
    const text =
      '{"snapshot-id" : 3051729675574597004, "ids": [9007199254740993], "snapshot-log":[{"snapshot-id":9223372036854775807}]}';
    expect(parseLossless(text)).toEqual({
      'snapshot-id': 3051729675574597004n,
      ids: [9007199254740993n],
      'snapshot-log': [{ 'snapshot-id': 9223372036854775807n }],
    });
  });

  test.each([
    '{"a":0123456789012345678}',
    '{"a":1234567890123456789',
    '"a":1234567890123456789}',
    '{a":1234567890123456789}',
  ])('refuses what is not JSON: %s', (text) => {
    expect(() => parseLossless(text)).toThrow(SyntaxError);
  });

  test('does not let a key reach the prototype', () => {
    const value = parseLossless('{"__proto__":{"snapshot-id":1234567890123456789}}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(stringifyLossless(value)).toBe('{"__proto__":{"snapshot-id":1234567890123456789}}');
  });
});
