import fc from 'fast-check';
import {
  type CellReader,
  dateDays,
  fraction,
  localMicros,
  truth,
  wholeNumber,
  zonedMicros,
} from '../../src/formats/cell-bytes.ts';
import { textConverter } from '../../src/formats/convert.ts';
import { classifyCell, classifyText } from '../../src/formats/value-kind.ts';
import type { PrimitiveType } from '../../src/iceberg/model.ts';

/** Text that is a value, nearly one, or none. */
const numbers = fc
  .array(fc.constantFrom('0', '1', '9', '12', '007', '.', '-', 'e', '+', '5', '9007199254740993', ' '), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''));
const dates = fc
  .tuple(
    fc.constantFrom('2024', '1969', '0000', '9999', '2023', '24', 'x024'),
    fc.constantFrom('-02-29', '-12-31', '-13-01', '-1-1', '-00-10', '-06-31'),
    fc.constantFrom('', 'T', ' ', 't'),
    fc.constantFrom(
      '',
      '00:00',
      '23:59:59',
      '24:00:00',
      '10:61:00',
      '01:02:03.5',
      '01:02:03.123456',
      '01:02:03.1234560',
      '01:02:03.',
    ),
    fc.constantFrom('', 'Z', 'z', '+02:00', 'X'),
  )
  .map((parts) => parts.join(''));
const words = fc.constantFrom('true', 'false', 'True', 'FALSE', 'tru', 'NaN', 'inf', '-inf', '', 'é');
const doubles = fc.double({ noNaN: true, noDefaultInfinity: true }).map(String);
const decimals = fc.tuple(fc.integer(), fc.nat({ max: 999_999 })).map(([whole, part]) => `${whole}.${part}`);
const texts = fc.oneof(
  numbers,
  dates,
  words,
  doubles,
  decimals,
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
);

/** The cell between others, so that reading beyond it shows. */
function within(text: string): [Uint8Array, number, number] {
  const bytes = Buffer.from(text);
  return [Buffer.concat([Buffer.from('7-'), bytes, Buffer.from('-9')]), 2, 2 + bytes.length];
}

describe('reading a cell by its bytes', () => {
  const readers: [PrimitiveType, CellReader][] = [
    ['long', wholeNumber],
    ['double', fraction],
    ['date', dateDays],
    ['timestamp', localMicros],
    ['timestamptz', zonedMicros],
    ['boolean', truth],
  ];
  test.each(readers)('%s: what is read is what the text says', (type, read) => {
    const convert = textConverter(type);
    fc.assert(
      fc.property(texts, (text) => {
        const found = read(...within(text));
        if (Number.isNaN(found)) return;
        const expected = convert(text);
        expect(Object.is(found, typeof expected === 'number' ? expected : Number(expected ?? Number.NaN))).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test('its kind is the kind of its text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const found = classifyCell(...within(text));
        if (found !== 0) expect([text, found]).toEqual([text, classifyText(text)]);
      }),
      { numRuns: 5000 },
    );
  });

  test('the common spellings are known', () => {
    const known: [CellReader, string, number][] = [
      [wholeNumber, '-12', -12],
      [wholeNumber, '-0', 0],
      [fraction, '0.6877152325665686', 0.6877152325665686],
      [fraction, '-0.0', -0],
      [dateDays, '1969-12-31', -1],
      [localMicros, '1969-12-31 23:59:59.999999', -1],
      [zonedMicros, '1970-01-01T00:00:01Z', 1_000_000],
      [truth, 'true', 1],
      [truth, 'false', 0],
    ];
    for (const [read, text, expected] of known) expect(read(...within(text))).toBe(expected);
  });
});
