import { isPair, isScalar, Pair, Scalar } from 'yaml';

/**
 * A scalar as lake.yaml reads it. Besides YAML 1.2's own reading: `10_000_000` is a number; a whole number with leading zeros (`007`) or
 * beyond 2^53 keeps its digits as text, since reading it as a number would change it.
 */
export function plainValue(node: unknown): unknown {
  if (!isScalar(node)) return null;
  const { value, source, type } = node;
  if (type !== 'PLAIN' || source === undefined) return value;
  if (/^[-+]?[1-9]\d{0,2}(_\d{3})+$/.test(source)) return plainNumber(source.replaceAll('_', ''));
  if (typeof value === 'number' && /^[-+]?\d+$/.test(source)) return plainNumber(source);
  return value;
}

function plainNumber(digits: string): number | string {
  return /^[-+]?0\d/.test(digits) || !Number.isSafeInteger(Number(digits)) ? digits : Number(digits);
}

/**
 * In `[day(t), bucket(16, id)]` YAML ends a plain word at every comma. A comma inside parentheses is part of the word here, so the
 * halves are put together again: nothing else in lake.yaml has an open parenthesis at the end of a word.
 */
export function rejoinScalars(items: readonly unknown[]): unknown[] {
  const result: unknown[] = [];
  for (const item of items) {
    const last = result.at(-1);
    const joined = isOpen(last) ? join(last, item) : undefined;
    if (joined === undefined) result.push(item);
    else result[result.length - 1] = joined;
  }
  return result;
}

/** The same in `{ amount: decimal(10, 2), id: long }`, where YAML takes the second half for a key without value. */
export function rejoinPairs(items: readonly unknown[]): unknown[] {
  const result: unknown[] = [];
  for (const item of items) {
    const last = result.at(-1);
    const isHalf = isPair(item) && (item.value === null || (isScalar(item.value) && item.value.value === null));
    const joined = isPair(last) && isOpen(last.value) && isHalf ? join(last.value, item.key) : undefined;
    if (joined === undefined || !isPair(last)) result.push(item);
    else result[result.length - 1] = new Pair(last.key, joined);
  }
  return result;
}

function isOpen(node: unknown): node is Scalar<string> {
  if (!isScalar(node) || node.type !== 'PLAIN' || typeof node.value !== 'string') return false;
  return node.value.split('(').length > node.value.split(')').length;
}

function join(open: Scalar<string>, rest: unknown): Scalar<string> | undefined {
  if (!isScalar(rest) || rest.type !== 'PLAIN') return undefined;
  const joined = new Scalar(`${open.value}, ${rest.source ?? String(rest.value)}`);
  joined.type = 'PLAIN';
  joined.source = joined.value;
  joined.range = open.range;
  return joined;
}
