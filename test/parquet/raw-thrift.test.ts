import fc from 'fast-check';
import {
  changed,
  encodeInteger,
  encodeList,
  encodeStruct,
  encodeText,
  integerOf,
  rawList,
  rawStruct,
  textOf,
} from '../../src/parquet/raw-thrift.ts';
import { readStruct } from '../../src/parquet/thrift.ts';

test('whole numbers and texts come back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }), fc.string({ unit: 'grapheme' }), (number, text) => {
      expect(integerOf(encodeInteger(number))).toBe(number);
      expect(textOf(encodeText(text))).toBe(text);
    }),
  );
});

const value = fc.oneof(
  fc.record({ type: fc.constantFrom(4, 5, 6), value: fc.integer().map((number) => encodeInteger(number)) }),
  fc.record({ type: fc.constant(8), value: fc.string().map((text) => new Uint8Array(encodeText(text))) }),
  fc.record({ type: fc.constantFrom(1, 2), value: fc.constant(new Uint8Array(0)) }),
  fc.record({
    type: fc.constant(9),
    value: fc
      .array(fc.integer(), { maxLength: 40 })
      .map((items) => new Uint8Array(encodeList(5, items.map(encodeInteger)))),
  }),
);
const fields = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 400 }), value), { selector: ([id]) => id, maxLength: 30 })
  .map((pairs) => pairs.map(([id, rest]) => ({ id, ...rest })));

test('a struct peeled and put together again is the same bytes, whatever is in it', () => {
  fc.assert(
    fc.property(fields, (given) => {
      const bytes = encodeStruct(given);
      const peeled = rawStruct(bytes);
      expect(peeled.end).toBe(bytes.length);
      expect(encodeStruct(peeled.fields)).toEqual(bytes);
      expect(Object.keys(readStruct({ bytes, offset: 0 })).map(Number)).toEqual(
        given.map(({ id }) => id).sort((a, b) => a - b),
      );
    }),
  );
});

test('a struct cut short is refused, never read beyond its end', () => {
  fc.assert(
    fc.property(fields, fc.nat(), (given, cut) => {
      const bytes = encodeStruct(given);
      const short = bytes.subarray(0, cut % bytes.length);
      expect(() => rawStruct(short)).toThrow(/ends early/);
    }),
  );
});

test('any bytes at all end in a struct or an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const read of [() => rawStruct(bytes), () => rawList(bytes)]) {
        try {
          read();
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(RangeError);
        }
      }
    }),
  );
});

test('a change of a field that is not there changes nothing; undefined takes a field out', () => {
  const given = [
    { id: 1, type: 5, value: encodeInteger(7) },
    { id: 9, type: 5, value: encodeInteger(8) },
  ];
  expect(changed(given, new Map([[2, encodeInteger(1)]]))).toEqual(given);
  expect(changed(given, new Map([[1, undefined]]))).toEqual(given.slice(1));
});
