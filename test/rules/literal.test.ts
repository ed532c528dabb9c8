import { literalValue } from '../../src/rules/literal.ts';

const day = 86_400_000_000n;

test.each([
  ['int', 5, 5],
  ['int', 0.5, 0.5],
  ['long', '9223372036854775807', 9223372036854775807n],
  ['decimal(10, 2)', 0.1, { decimal: '0.1' }],
  ['decimal(38, 2)', '12345678901234567890.12', { decimal: '12345678901234567890.12' }],
  ['double', '1.5', 1.5],
  ['float', 0.1, Math.fround(0.1)],
  ['boolean', true, true],
  ['string', 'x', 'x'],
  ['uuid', 'F79C3E09-677C-4BBD-A479-3F349CB785E7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
  ['date', '1970-01-02', { micros: day }],
  ['timestamp', '1969-12-31 23:59:59.999999', { micros: -1n }],
  ['timestamptz', '1970-01-01T02:00:00+02:00', { micros: 0n }],
  ['timestamptz', '1970-01-01T00:00-01', { micros: 3_600_000_000n }],
  ['time', '00:00:01.5', { micros: 1_500_000n }],
] as const)('a %s column takes %j', (type, literal, value) => {
  expect(literalValue(type, literal)).toEqual({ value });
});

test.each([
  ['int', 'abc'],
  ['int', true],
  ['long', 2 ** 60],
  ['double', Number.NaN],
  ['decimal(10, 2)', 'x'],
  ['boolean', 'true'],
  ['string', 5],
  ['uuid', 'x'],
  ['date', 20240131],
  ['date', '2023-02-29'],
  ['date', '31.01.2024'],
  ['timestamp', '2024-01-01T25:00:00'],
  ['timestamp', '2024-01-01T00:00:00.0000001'],
  ['time', '24:00'],
  ['binary', 'x'],
  ['struct<a: int>', 'x'],
] as const)('a %s column cannot be compared with %j', (type, literal) => {
  expect(literalValue(type, literal)).toEqual({
    problem: expect.stringContaining(`cannot be compared with a column of type ${type}`),
  });
});
