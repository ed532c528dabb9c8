const ADJECTIVES = [
  'amber',
  'bold',
  'brisk',
  'calm',
  'clever',
  'crisp',
  'eager',
  'fair',
  'fresh',
  'gentle',
  'glad',
  'golden',
  'happy',
  'honest',
  'jolly',
  'keen',
  'kind',
  'lively',
  'lucky',
  'mellow',
  'merry',
  'modest',
  'neat',
  'noble',
  'proud',
  'quick',
  'quiet',
  'shiny',
  'sunny',
  'tidy',
  'warm',
  'wise',
];

const NOUNS = [
  'acorn',
  'badger',
  'beacon',
  'birch',
  'brook',
  'cedar',
  'comet',
  'cove',
  'delta',
  'dune',
  'ember',
  'falcon',
  'fern',
  'fjord',
  'grove',
  'harbor',
  'heron',
  'island',
  'lagoon',
  'lantern',
  'maple',
  'meadow',
  'otter',
  'pebble',
  'pine',
  'prairie',
  'raven',
  'reef',
  'river',
  'sparrow',
  'summit',
  'willow',
];

/** Three words that nobody minds reading: `calm-golden-otter`. */
export function friendlyWords(random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)]!;
  return `${pick(ADJECTIVES)}-${pick(ADJECTIVES)}-${pick(NOUNS)}`;
}

/** A small deterministic generator (mulberry32): uniform in [0, 1), the same numbers for the same seed on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
