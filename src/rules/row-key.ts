import { equalityKey } from './compare.ts';
import type { AuditValue } from './rule.ts';

/** Hashes the values of one row to 128 bits. */
export interface RowHasher {
  /** The last key's hash, four 32-bit lanes; overwritten by the next `hash`. */
  readonly lanes: Uint32Array;
  hash(values: readonly AuditValue[]): void;
}

/** First word of each encoded value, so that values of different kinds never share an encoding. */
const TAG = { boolean: 1, integer: 2, double: 3, bigint: 4, string: 5 } as const;
const TWO_32 = 2 ** 32;

/**
 * Equal rows (by `equalityKey`, component by component) always have equal hashes. Different rows share one with a chance of n²/2^129: for 8 million
 * rows 2^-83, below that of a memory error. MurmurHash3 x86 128, over 32-bit words of an encoding that no two different rows share.
 */
export function createRowHasher(): RowHasher {
  const lanes = new Uint32Array(4);
  const scratch = new BigInt64Array(1);
  const scratchWords = new Uint32Array(scratch.buffer);
  const scratchDouble = new Float64Array(scratch.buffer);
  let words = new Uint32Array(256);
  let length = 0;

  function put(word: number): void {
    words[length++] = word;
  }

  function reserve(more: number): void {
    if (length + more <= words.length) return;
    const larger = new Uint32Array(Math.max(length + more, words.length * 2));
    larger.set(words);
    words = larger;
  }

  function encode(key: number | bigint | string | boolean): void {
    reserve(4);
    if (typeof key === 'string') encodeString(key);
    else if (typeof key === 'boolean') {
      put(TAG.boolean);
      put(Number(key));
    } else if (typeof key === 'number' && Number.isSafeInteger(key)) {
      put(TAG.integer);
      put(key);
      put(Math.floor(key / TWO_32));
    } else {
      put(typeof key === 'number' ? TAG.double : TAG.bigint);
      if (typeof key !== 'number') scratch[0] = key;
      // NaNs differ in bits that nobody sees.
      else if (Number.isNaN(key)) scratch[0] = -1n;
      else scratchDouble[0] = key;
      put(scratchWords[0]!);
      put(scratchWords[1]!);
    }
  }

  function encodeString(text: string): void {
    reserve(2 + (text.length >> 1) + 1);
    put(TAG.string);
    put(text.length);
    let i = 0;
    for (; i + 1 < text.length; i += 2) put(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    if (i < text.length) put(text.charCodeAt(i));
  }

  return {
    lanes,
    hash(values) {
      length = 0;
      for (const value of values) encode(equalityKey(value));
      murmur3(words, length, lanes);
    },
  };
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** MurmurHash3_x86_128, seed 0, over whole words; a last block that is not full is filled with zeros (the length is hashed too). */
function murmur3(words: Uint32Array, length: number, out: Uint32Array): void {
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  for (let i = 0; i < length; i += 4) {
    h1 ^= scramble(words[i]!, C1, 15, C2);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(i + 1 < length ? words[i + 1]! : 0, C2, 16, C3);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(i + 2 < length ? words[i + 2]! : 0, C3, 17, C4);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(i + 3 < length ? words[i + 3]! : 0, C4, 18, C1);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= length * 4;
  h2 ^= length * 4;
  h3 ^= length * 4;
  h4 ^= length * 4;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = avalanche(h1);
  h2 = avalanche(h2);
  h3 = avalanche(h3);
  h4 = avalanche(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  out[0] = h1;
  out[1] = h2 + h1;
  out[2] = h3 + h1;
  out[3] = h4 + h1;
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function avalanche(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
