import fc from 'fast-check';
import { comparePrefixes } from '../../src/partitions/known.ts';
import { knownPartitions, prefixesOf, textOf } from '../../src/partitions/known-partitions.ts';

const name = fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }).map((text) => text.replaceAll('/', '|'));
const prefix = fc.tuple(name, name).map(([a, b]) => `${a}/${b}/`);

test('folders come back from their text, in the order of a listing', () => {
  fc.assert(
    fc.property(fc.uniqueArray(prefix), (prefixes) => {
      const back = [...prefixesOf(textOf(prefixes))];
      expect(back).toEqual([...prefixes].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      expect(back).toEqual([...prefixes].sort(comparePrefixes));
    }),
  );
});

test('it behaves as a map does, whatever is asked and changed in which order', () => {
  const few = fc.constantFrom('a/b/', 'a/c/', 'b/a/', 'b/b/', 'c/a/', 'a/a/');
  const schema = fc.constantFrom('', 's1', 's2');
  const step = fc.oneof(
    fc.record({ do: fc.constant('set' as const), prefix: few, schema }),
    fc.record({ do: fc.constantFrom('delete' as const, 'get' as const), prefix: few }),
    fc.record({ do: fc.constantFrom('texts' as const, 'counts' as const, 'entries' as const) }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(few, schema)), fc.array(step), (given, steps) => {
      const model = new Map(given);
      const start = knownPartitions();
      for (const [own, of] of model) start.set(own, of);
      const known = knownPartitions(start.texts());
      for (const one of steps) {
        if (one.do === 'set') {
          known.set(one.prefix, one.schema);
          model.set(one.prefix, one.schema);
        } else if (one.do === 'delete') {
          known.delete(one.prefix);
          model.delete(one.prefix);
        } else if (one.do === 'get') expect(known.get(one.prefix)).toBe(model.get(one.prefix));
        else known[one.do]();
        expect(known.size).toBe(model.size);
      }
      expect(new Map(known.entries())).toEqual(model);
      expect([...known.prefixes()].sort()).toEqual([...model.keys()].sort());
      const bySchema = Map.groupBy(model, ([, of]) => of);
      expect(known.counts()).toEqual(new Map([...bySchema].map(([of, own]) => [of, own.length])));
      expect(known.texts()).toEqual(new Map([...bySchema].map(([of, own]) => [of, textOf(own.map(([each]) => each))])));
      // What was made of its texts before is another one.
      expect(new Map(start.entries())).toEqual(new Map(given));
    }),
  );
});

test('many new folders among many are taken apart once, and stay in order', () => {
  const folders = Array.from({ length: 50_000 }, (_, i) => `id=${String(2 * i).padStart(6, '0')}/`);
  const known = knownPartitions(new Map([['s', textOf(folders)]]));
  const more = Array.from({ length: 2_000 }, (_, i) => `id=${String(2 * i + 1).padStart(6, '0')}/`);
  for (const each of more) known.set(each, 's');
  expect(known.size).toBe(52_000);
  expect(known.texts().get('s')).toBe(textOf([...folders, ...more]));
});
