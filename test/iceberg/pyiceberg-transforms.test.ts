import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrimitiveType, Transform, Value } from '../../src/iceberg/model.ts';
import { applyTransform } from '../../src/iceberg/transforms.ts';

/** JSON has neither bytes nor 64-bit integers: `{hex}` and `{int}` stand for them. */
type Written = string | number | { hex: string } | { int: string };

const FILE = join(__dirname, '../fixtures/transforms/pyiceberg-0.12.json');
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as [Transform, PrimitiveType, Written, Written][];

function read(value: Written): Value {
  if (typeof value !== 'object') return value;
  return 'hex' in value ? new Uint8Array(Buffer.from(value.hex, 'hex')) : BigInt(value.int);
}

const kinds = Map.groupBy(vectors, ([transform, type]) => `${transform} of ${type}`);

// What PyIceberg 0.12 makes of extremes, moments before 1970, characters beyond the BMP and negative decimals.
test.each([...kinds])('%s is as PyIceberg has it', (_, rows) => {
  for (const [transform, type, value, expected] of rows) {
    expect({ value, result: applyTransform(transform, type, read(value)) }).toEqual({ value, result: read(expected) });
  }
});
