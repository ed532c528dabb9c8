import { LakegateError } from '../errors.ts';

/** A set of 128-bit keys in one typed array. */
export interface KeySet {
  /** Adds the key; false when it was there already. @throws LakegateError `internal` when more keys come than were planned for */
  add(lanes: Uint32Array): boolean;
}

/**
 * An open-addressing set with room for `keys` keys of four well-mixed 32-bit lanes. It is sized once: the number of rows is known beforehand, and
 * growing would hold two copies.
 */
export function createKeySet(keys: number): KeySet {
  const capacity = Math.ceil(keys / 0.75) + 16;
  const slots = new Uint32Array(capacity * 4);
  let size = 0;
  return {
    add(lanes) {
      const [a, b, c] = [lanes[0]!, lanes[1]!, lanes[2]!];
      // All zero marks a free slot; the one key in 2^128 that is all zero shares the hash of its neighbour.
      const d = (a | b | c | lanes[3]!) === 0 ? 1 : lanes[3]!;
      let slot = Math.floor((a / 2 ** 32) * capacity);
      for (;;) {
        const at = slot * 4;
        const [w, x, y, z] = [slots[at]!, slots[at + 1]!, slots[at + 2]!, slots[at + 3]!];
        if (w === a && x === b && y === c && z === d) return false;
        if ((w | x | y | z) === 0) break;
        slot = slot + 1 === capacity ? 0 : slot + 1;
      }
      if (size >= capacity - 1)
        throw new LakegateError('internal', `a key set planned for ${keys} keys was given more`);
      size += 1;
      slots[slot * 4] = a;
      slots[slot * 4 + 1] = b;
      slots[slot * 4 + 2] = c;
      slots[slot * 4 + 3] = d;
      return true;
    },
  };
}
