import fc from 'fast-check';
import {
  compareValues,
  deserializeValue,
  serializeValue,
  truncateLower,
  truncateUpper,
} from '../../src/iceberg/bounds.ts';
import { formatDay } from '../../src/iceberg/calendar.ts';
import type { PrimitiveType, Schema, Transform, Value } from '../../src/iceberg/model.ts';
import { murmur3 } from '../../src/iceberg/murmur3.ts';
import { buildSpec, type ColumnBounds, partitionOfFile } from '../../src/iceberg/partition.ts';
import { partitionColumns } from '../../src/iceberg/partition-type.ts';
import { applyTransform, parseTransform, partitionToPath, transformResultType } from '../../src/iceberg/transforms.ts';

const hash = (type: PrimitiveType, value: Value): Value | undefined =>
  applyTransform('bucket[2147483647]', type, value);
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

describe('bucket', () => {
  // Spec, Appendix B; the hashes as given there, without the sign bit as the bucket function drops it.
  test.each<[PrimitiveType, Value, number]>([
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    ['decimal(9, 2)', 1420n, -500754589],
    ['date', 17486, -653330422],
    ['time', 81_068_000_000n, -662762989],
    ['timestamp', 1_510_871_468_000_000n, -2047944441],
    ['timestamp', 1_510_871_468_000_001n, -1207196810],
    ['timestamptz', 1_510_871_468_000_000n, -2047944441],
    ['string', 'iceberg', 1210000089],
    ['uuid', bytes('f79c3e09677c4bbda4793f349cb785e7'), 1488055340],
    ['fixed[4]', bytes('00010203'), -188683207],
    ['binary', bytes('00010203'), -188683207],
  ])('%s %s hashes as the spec says', (type, value, expected) => {
    expect(hash(type, value)).toBe((expected & 0x7fffffff) % 2147483647);
  });

  test('murmur3 reads every length of tail', () => {
    expect(['', 'a', 'ab', 'abc', 'abcd', 'abcde'].map((s) => murmur3(Buffer.from(s)))).toEqual([
      0, 1009084850, -1681926305, -1277324294, 1139631978, -392455434,
    ]);
  });
});

describe('other transforms', () => {
  test.each<[Transform, PrimitiveType, Value, Value]>([
    ['truncate[10]', 'int', -1, -10],
    ['truncate[10]', 'long', 9n, 0n],
    ['truncate[50]', 'decimal(9, 2)', 1065n, 1050n],
    ['truncate[50]', 'decimal(9, 2)', -1n, -50n],
    ['truncate[2]', 'string', '😀😀😀', '😀😀'],
    ['truncate[2]', 'binary', bytes('010203'), bytes('0102')],
    ['year', 'date', -1, -1],
    ['month', 'date', -1, -1],
    ['month', 'date', 17501, 575],
    ['day', 'timestamp', -1n, -1],
    ['hour', 'timestamptz', -1n, -1],
    ['hour', 'timestamp', 1_512_151_975_038_194n, 420042],
    ['year', 'timestamptz', 1_512_151_975_038_194n, 47],
    ['identity', 'string', 'x', 'x'],
  ])('%s of %s %s', (transform, type, value, expected) => {
    expect(applyTransform(transform, type, value)).toEqual(expected);
  });

  test.each<[Transform, PrimitiveType, Value, Value]>([
    ['truncate[10]', 'int', -(2 ** 31), -(2 ** 31) + 8],
    ['truncate[10]', 'long', -(2n ** 63n), -(2n ** 63n) + 8n],
    ['truncate[1000]', 'decimal(2, 0)', -99n, 0n],
  ])('%s of a %s that falls below the least one is refused', (transform, type, value, fits) => {
    expect(() => applyTransform(transform, type, value)).toThrow(`${transform} of the ${type} ${value} is below`);
    expect(applyTransform(transform, type, fits)).toEqual(fits);
  });

  test('null stays null, void makes null', () => {
    expect(applyTransform('bucket[4]', 'int', undefined)).toBeUndefined();
    expect(applyTransform('void', 'int', 3)).toBeUndefined();
  });

  test('days are those of the calendar', () => {
    const day = fc.integer({ min: -719_528, max: 2_932_896 });
    const calendar = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10);
    fc.assert(fc.property(day, (days) => formatDay(days) === calendar(days)));
  });

  test('text is read, and slips are answered with the right word', () => {
    expect(parseTransform(' Bucket[16] ')).toBe('bucket[16]');
    expect(() => parseTransform('days')).toThrow('did you mean "day"');
    expect(() => parseTransform('bucket(16)')).toThrow('did you mean "bucket[16]"');
    expect(() => parseTransform('bucket[0]')).toThrow('at least 1');
    expect(() => transformResultType('hour', 'date')).toThrow('takes timestamp or timestamptz');
    expect(transformResultType('day', 'timestamp')).toBe('date');
  });
});

describe('bounds', () => {
  const values: [PrimitiveType, fc.Arbitrary<Value>][] = [
    ['boolean', fc.boolean()],
    ['int', fc.integer()],
    ['date', fc.integer()],
    ['long', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['timestamp', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['float', fc.float({ noNaN: true })],
    ['double', fc.double({ noNaN: true })],
    ['string', fc.string({ unit: 'binary' })],
    ['binary', fc.uint8Array()],
    ['uuid', fc.uint8Array({ minLength: 16, maxLength: 16 })],
    ['decimal(38, 4)', fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n })],
  ];
  test.each(values)('%s goes through bytes and back', (type, value) => {
    fc.assert(fc.property(value, (v) => expect(deserializeValue(type, serializeValue(type, v))).toEqual(v)));
  });

  test.each([
    [0n, '00'],
    [-1n, 'ff'],
    [127n, '7f'],
    [128n, '0080'],
    [-128n, '80'],
    [-129n, 'ff7f'],
    [1420n, '058c'],
  ])('decimal %s is as short as it can be', (value, hex) => {
    expect(serializeValue('decimal(9, 2)', value)).toEqual(bytes(hex));
  });

  test('shortened bounds enclose the value and are no longer than asked', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 20 }), (value, length) => {
        const upper = truncateUpper(value, length);
        expect(compareValues('string', truncateLower(value, length), value)).toBeLessThanOrEqual(0);
        if (upper === undefined) return;
        expect(compareValues('string', upper, value)).toBeGreaterThanOrEqual(0);
        expect([...(upper as string)].length).toBeLessThanOrEqual(length);
        expect((upper as string).isWellFormed()).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (value, length) => {
        const upper = truncateUpper(value, length);
        if (upper !== undefined) expect(compareValues('binary', upper, value)).toBeGreaterThanOrEqual(0);
        else expect([...value.subarray(0, length)].every((b) => b === 255)).toBe(true);
      }),
    );
  });

  test('the increment skips surrogates and gives up on the last code point', () => {
    expect(truncateUpper('\ud7ffx', 1)).toBe('\ue000');
    expect(truncateUpper('\u{10ffff}x', 1)).toBeUndefined();
    expect(truncateUpper('a\u{10ffff}x', 2)).toBe('b');
  });

  test('text compares by code point, not by UTF-16 unit', () => {
    expect(compareValues('string', '\uffff', '\u{10000}')).toBeLessThan(0);
    expect(compareValues('double', -0, 0)).toBeLessThan(0);
  });

  test('promoted columns read their old bounds; other lengths are corrupt', () => {
    expect(deserializeValue('long', bytes('ffffffff'))).toBe(-1n);
    expect(() => deserializeValue('int', bytes('ff'))).toThrow('1 bytes');
    expect(() => deserializeValue('string', bytes('ff'))).toThrow('UTF-8');
    expect(() => serializeValue('int', 2 ** 31)).toThrow('no value of type int');
  });
});

describe('partition', () => {
  const schema: Schema = {
    type: 'struct',
    schemaId: 0,
    fields: [
      { id: 1, name: 'ts', required: false, type: 'timestamp' },
      { id: 2, name: 'kind', required: false, type: 'string' },
      { id: 3, name: 'f', required: false, type: 'double' },
      {
        id: 4,
        name: 'l',
        required: false,
        type: { type: 'list', elementId: 5, element: 'int', elementRequired: false },
      },
    ],
  };
  const partition = (transform: Transform, column: string, bounds?: ColumnBounds, nulls: number | undefined = 0) => {
    const spec = buildSpec(schema, [{ column, transform }]);
    const id = spec.fields[0]!.sourceId;
    const nullCounts = new Map(nulls === undefined ? [] : [[id, nulls]]);
    return partitionOfFile(spec, schema, new Map(bounds === undefined ? [] : [[id, bounds]]), nullCounts, 10);
  };

  test('specs get the usual names and refuse what cannot be', () => {
    const spec = buildSpec(schema, [
      { column: 'ts', transform: 'day' },
      { column: 'kind', transform: 'bucket[4]' },
      { column: 'kind', transform: 'truncate[2]' },
      { column: 'kind', transform: 'identity' },
    ]);
    expect(spec.fields.map((f) => [f.fieldId, f.name])).toEqual([
      [1000, 'ts_day'],
      [1001, 'kind_bucket'],
      [1002, 'kind_trunc'],
      [1003, 'kind'],
    ]);
    expect(() => buildSpec(schema, [{ column: 'knd', transform: 'identity' }])).toThrow('did you mean "kind"');
    expect(() => buildSpec(schema, [{ column: 'l.element', transform: 'identity' }])).toThrow('inside a list');
    expect(() => buildSpec(schema, [{ column: 'ts', transform: 'day', name: 'kind' }])).toThrow('name of a column');
  });

  test('one day is proven by both ends, two are mixed', () => {
    const hours = (h: number) => BigInt(h) * 3_600_000_000n;
    expect(partition('day', 'ts', { lower: hours(24), upper: hours(47), exact: true })).toEqual({
      kind: 'single',
      values: [1],
    });
    expect(partition('day', 'ts', { lower: hours(24), upper: hours(48), exact: true }).kind).toBe('mixed');
  });

  test('nulls: some are mixed, all are the null partition, uncounted are unknown', () => {
    const bounds = { lower: 'a', upper: 'a', exact: true };
    expect(partition('identity', 'kind', bounds, 1).kind).toBe('mixed');
    expect(partition('identity', 'kind', undefined, 10)).toEqual({ kind: 'single', values: [undefined] });
    const spec = buildSpec(schema, [{ column: 'kind', transform: 'identity' }]);
    expect(partitionOfFile(spec, schema, new Map([[2, bounds]]), new Map(), 10).kind).toBe('unknown');
  });

  test('a void field needs no source: the column may have been dropped', () => {
    const fields = [
      { sourceId: 99, fieldId: 1000, name: 'gone', transform: 'void' as const },
      { sourceId: 1, fieldId: 1001, name: 'day', transform: 'day' as const },
    ];
    const at: Schema = { type: 'struct', schemaId: 0, fields: [{ id: 1, name: 'at', required: false, type: 'date' }] };
    const spec = { specId: 0, fields };
    const bounds = new Map<number, ColumnBounds>([[1, { lower: 1, upper: 1, exact: true }]]);
    expect(partitionOfFile(spec, at, bounds, new Map([[1, 0]]), 5)).toEqual({ kind: 'single', values: [undefined, 1] });
    expect(partitionToPath(spec, at, [undefined, 1])).toBe('gone=null/day=1970-01-02');
    expect(partitionColumns(spec, at).map(({ fieldId }) => fieldId)).toEqual([1000, 1001]);
  });

  test('shortened bounds prove a prefix, but neither a value nor a bucket', () => {
    const cut = { lower: 'aaaa', upper: 'aaaa', exact: false };
    expect(partition('truncate[2]', 'kind', cut)).toEqual({ kind: 'single', values: ['aa'] });
    expect(partition('identity', 'kind', cut).kind).toBe('unknown');
    expect(partition('bucket[1]', 'kind', cut).kind).toBe('unknown');
    expect(partition('truncate[4]', 'kind', { lower: 'aaaa', upper: 'aaab', exact: false }).kind).toBe('unknown');
  });

  test('equal buckets of different values prove nothing; NaN hides from bounds', () => {
    expect(partition('bucket[1]', 'kind', { lower: 'a', upper: 'b', exact: true }).kind).toBe('unknown');
    expect(partition('bucket[4]', 'kind', { lower: 'a', upper: 'a', exact: true }).kind).toBe('single');
    expect(partition('identity', 'f', { lower: 1, upper: 1, exact: true }).kind).toBe('unknown');
  });

  test('paths are readable, encoded and stay one segment a field', () => {
    const spec = buildSpec(schema, [
      { column: 'ts', transform: 'month' },
      { column: 'ts', transform: 'hour' },
      { column: 'kind', transform: 'identity' },
    ]);
    expect(partitionToPath(spec, schema, [-1, 420042, '../a b=ü*'])).toBe(
      'ts_month=1969-12/ts_hour=2017-12-01-18/kind=..%2Fa+b%3D%C3%BC%2A',
    );
    expect(partitionToPath(spec, schema, [undefined, undefined, undefined])).toBe(
      'ts_month=null/ts_hour=null/kind=null',
    );
  });
});
