import fc from 'fast-check';
import { grownText } from '../../src/iceberg/grown-text.ts';

interface Item {
  name: string;
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

const item = fc.record({ name: fc.string({ maxLength: 5 }) });

describe('grownText', () => {
  test('gives what joining all texts gives, whatever lists came before', () => {
    // Lists drawn from one pool share items by identity, at the front, in the middle, twice or not at all.
    const lists = fc
      .array(item, { minLength: 1, maxLength: 8 })
      .chain((pool) =>
        fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.array(fc.constantFrom(...pool))), { maxLength: 12 }),
      );
    fc.assert(
      fc.property(lists, (calls) => {
        const write = grownText((one: Item) => JSON.stringify(one));
        for (const [owner, items] of calls) {
          expect(text(write(owner, items))).toBe(items.map((one) => JSON.stringify(one)).join(','));
        }
      }),
    );
  });

  test('asks for the text of a list only where it grew', () => {
    const asked: string[] = [];
    const write = grownText((one: Item) => {
      asked.push(one.name);
      return one.name;
    });
    const items = ['a', 'b', 'c'].map((name) => ({ name }));
    expect(text(write('table', items.slice(0, 2)))).toBe('a,b');
    expect(text(write('table', items))).toBe('a,b,c');
    expect(text(write('table', [items[0]!]))).toBe('a');
    expect(asked).toEqual(['a', 'b', 'c']);
  });
});
