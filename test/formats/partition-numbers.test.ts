import fc from 'fast-check';
import { LakegateError } from '../../src/errors.ts';
import { PartitionNumbers } from '../../src/formats/partition-numbers.ts';
import type { RowValue } from '../../src/formats/row-batch.ts';
import { RowBlock } from '../../src/formats/row-block.ts';
import type { IcebergType, PartitionSpec, PrimitiveType, Schema, Transform, Value } from '../../src/iceberg/model.ts';
import { applyTransform, sameValue } from '../../src/iceberg/transforms.ts';

function schemaOf(...types: IcebergType[]): Schema {
  const fields = types.map((type, i) => ({ id: 100 + i, name: `c${i}`, type, required: false }));
  return { type: 'struct', schemaId: 0, fields };
}

/** Each row's partition values, with rows let go of in between as `rewrite` does. */
function partitionsOf(schema: Schema, spec: PartitionSpec, batches: RowValue[][][]): (Value | undefined)[][] {
  const block = new RowBlock(schema);
  const numbering = new PartitionNumbers(spec, schema);
  const found: (Value | undefined)[][] = [];
  for (const columns of batches) {
    const from = block.rows;
    block.append({ firstRow: 0, rows: columns[0]!.length, columns });
    const numbers = new Uint32Array(block.rows);
    numbering.assign(block, from, numbers, 1_000_000, () => new Error('too many'));
    for (let row = from; row < block.rows; row++) found.push(numbering.values[numbers[row]!]!);
    block.keep(Uint32Array.from({ length: block.rows >> 1 }, (_, i) => 2 * i));
  }
  return found;
}

/** What `work` gives, or `refused` when it throws an error of kind `invalid`. */
function orRefused<T>(work: () => T): T | 'refused' {
  try {
    return work();
  } catch (error) {
    if (error instanceof LakegateError && error.kind === 'invalid') return 'refused';
    throw error;
  }
}

const bits64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
);
const cases: [PrimitiveType, Transform[], fc.Arbitrary<Value>][] = [
  ['int', ['identity', 'bucket[16]', 'truncate[7]', 'void'], fc.integer()],
  ['long', ['identity', 'bucket[16]', 'truncate[10]'], bits64],
  ['date', ['identity', 'year', 'month', 'day', 'bucket[5]'], fc.integer({ min: -100_000, max: 100_000 })],
  ['timestamp', ['year', 'month', 'day', 'hour', 'identity', 'bucket[5]'], bits64],
  ['timestamptz', ['hour', 'day'], fc.bigInt({ min: -7_200_000_001n, max: 7_200_000_001n })],
  ['time', ['identity', 'bucket[5]'], fc.bigInt({ min: 0n, max: 86_399_999_999n })],
  ['string', ['identity', 'bucket[16]', 'truncate[2]'], fc.string({ unit: 'grapheme', maxLength: 4 })],
  ['binary', ['identity', 'bucket[16]', 'truncate[2]'], fc.uint8Array({ maxLength: 3 })],
  ['boolean', ['identity'], fc.boolean()],
  ['double', ['identity'], fc.double()],
  ['decimal(9, 2)', ['identity', 'bucket[16]', 'truncate[50]'], fc.bigInt({ min: -1000n, max: 10n ** 8n })],
  ['decimal(18, 2)', ['identity', 'bucket[16]'], fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n })],
  ['decimal(38, 2)', ['identity', 'bucket[16]'], fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n })],
];

describe('PartitionNumbers', () => {
  test.each(
    cases.flatMap(([type, transforms, value]) => transforms.map((transform) => [type, transform, value] as const)),
  )('each %s is in the partition of its %s', (type, transform, value) => {
    const schema = schemaOf(type);
    const spec = { specId: 0, fields: [{ sourceId: 100, fieldId: 1000, name: 'p', transform }] };
    const column = fc.array(fc.option(value, { nil: undefined }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(column, { maxLength: 4 }), (batches) => {
        const columns = batches.map((values) => [values]);
        // The least values of a type may have no whole multiple of the width above the least: refused, not wrapped around.
        const expected = orRefused(() => batches.flat().map((each) => applyTransform(transform, type, each)));
        if (expected === 'refused') return expect(orRefused(() => partitionsOf(schema, spec, columns))).toBe('refused');
        const found = partitionsOf(schema, spec, columns);
        expect(found.length).toBe(expected.length);
        expect(found.findIndex(([each], i) => !sameValue(each, expected[i]))).toBe(-1);
      }),
      {
        numRuns: 60,
        examples: type === 'long' ? [[[[1n, -9223372036854775801n]]]] : [],
      },
    );
  });

  test('several fields, one of them in a struct, are told apart', () => {
    const struct: IcebergType = { type: 'struct', fields: [{ id: 200, name: 'n', type: 'int', required: false }] };
    const schema = schemaOf('string', struct, 'boolean');
    const spec: PartitionSpec = {
      specId: 0,
      fields: [100, 200, 102].map((sourceId, i) => ({
        sourceId,
        fieldId: 1000 + i,
        name: `p${i}`,
        transform: 'identity',
      })),
    };
    const row = fc.tuple(
      fc.option(fc.constantFrom('', 'a', 'b'), { nil: undefined }),
      fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      fc.option(fc.boolean(), { nil: undefined }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 4 }), (batches) => {
        const columns = batches.map((rows) => [
          rows.map(([text]) => text),
          rows.map(([, n]) => (n === undefined ? undefined : { n })),
          rows.map(([, , flag]) => flag),
        ]);
        expect(partitionsOf(schema, spec, columns)).toEqual(batches.flat());
      }),
    );
  });
});
