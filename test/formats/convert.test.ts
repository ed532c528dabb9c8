import fc from 'fast-check';
import { parseDate, parseTimestamp } from '../../src/formats/calendar.ts';
import { parseDecimal, textConverter } from '../../src/formats/convert.ts';
import type { PrimitiveType, Value } from '../../src/iceberg/model.ts';

const DAY = 86_400_000;

describe('textConverter', () => {
  const good: [PrimitiveType, string, Value][] = [
    ['int', '-2147483648', -2147483648],
    ['int', '-0', 0],
    ['long', '9223372036854775807', 9223372036854775807n],
    ['long', '007', 7n],
    ['double', '1e3', 1000],
    ['double', 'NaN', Number.NaN],
    ['float', '3.4e38', 3.4e38],
    ['boolean', 'True', true],
    ['decimal(5, 2)', '-12.5', -1250n],
    ['decimal(5, 2)', '12.500', 1250n],
    ['decimal(5, 2)', '1.25e1', 1250n],
    ['decimal(38, 0)', '9'.repeat(38), 10n ** 38n - 1n],
    ['date', '1969-12-31', -1],
    ['time', '23:59:59.999999', 86_399_999_999n],
    ['timestamp', '1969-12-31T23:59:59.999999', -1n],
    ['timestamp', '1970-01-01 00:00:00.000001000', 1n],
    ['timestamptz', '1970-01-01T01:30:00+01:30', 0n],
    ['string', '', ''],
    [
      'uuid',
      '00112233-4455-6677-8899-AABBCCDDEEFF',
      Uint8Array.from(Buffer.from('00112233445566778899aabbccddeeff', 'hex')),
    ],
    ['fixed[2]', 'ff00', Uint8Array.of(255, 0)],
    ['binary', '', new Uint8Array(0)],
  ];
  test.each(good)('%s takes %j', (type, text, expected) => {
    expect(textConverter(type)(text)).toEqual(expected);
  });

  const bad: [PrimitiveType, string][] = [
    ['int', '2147483648'],
    ['int', '1.0'],
    ['int', ' 1'],
    ['int', ''],
    ['long', '12.5'],
    ['long', '9223372036854775808'],
    ['long', '0x10'],
    ['double', '1e400'],
    ['double', '1,5'],
    ['float', '1e39'],
    ['boolean', 'yes'],
    ['boolean', '1'],
    ['boolean', 'constructor'],
    ['decimal(5, 2)', '12.345'],
    ['decimal(5, 2)', '1000'],
    ['decimal(5, 2)', '.'],
    ['decimal(5, 2)', '1e9999'],
    ['date', '2023-02-29'],
    ['date', '2024-1-1'],
    ['date', '01.02.2024'],
    ['time', '24:00:00'],
    ['timestamp', '2024-01-01T00:00:00Z'],
    ['timestamp', '2024-01-01'],
    ['timestamp', '2024-01-01T00:00:00.1234567'],
    ['timestamptz', '2024-01-01T00:00:00'],
    ['uuid', '001122334455'],
    ['fixed[2]', 'ff'],
    ['binary', 'xyz'],
  ];
  test.each(bad)('%s refuses %j', (type, text) => {
    expect(textConverter(type)(text)).toBeUndefined();
  });

  test('dates and timestamps agree with the platform over four thousand years', () => {
    const days = fc.integer({ min: Date.UTC(0, 0, 1) / DAY, max: Date.UTC(4000, 0, 1) / DAY });
    fc.assert(
      fc.property(days, fc.integer({ min: 0, max: DAY - 1 }), (day, millis) => {
        const iso = new Date(day * DAY + millis).toISOString();
        expect(parseDate(iso.slice(0, 10))).toBe(day);
        expect(parseTimestamp(iso)).toEqual({ micros: BigInt(day * DAY + millis) * 1000n, zoned: true });
      }),
    );
  });

  test('a decimal comes back at every scale', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.integer({ min: 0, max: 15 }),
        (unscaled, scale) => {
          const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
          const whole = digits.slice(0, digits.length - scale);
          const text = `${unscaled < 0n ? '-' : ''}${whole}.${digits.slice(digits.length - scale)}`;
          expect(parseDecimal(text, 38, scale)).toBe(unscaled);
          expect(parseDecimal(text, 38, scale + 3)).toBe(unscaled * 1000n);
        },
      ),
    );
  });
});
