import fc from 'fast-check';
import { checkIdentifier, formatIdentifier, parseIdentifier } from '../../src/catalogs/identifier.ts';

describe('table identifiers', () => {
  test('are namespace levels and a name', () => {
    expect(parseIdentifier('a.b.t')).toEqual({ namespace: ['a', 'b'], name: 't' });
    expect(parseIdentifier('default.taxi trips')).toEqual({ namespace: ['default'], name: 'taxi trips' });
  });

  test.each([
    't',
    '',
    '.t',
    'a.',
    'a..t',
    'a.b/c',
    'a.\\c',
    'a/../b.t',
    'a.t\n',
    'a.t\0',
    ' a.t',
    'a. t',
    'a.t#x',
    'a.t?x',
    '\u007f.t',
  ])('%j is refused', (text) => {
    expect(() => parseIdentifier(text)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  test('what is accepted is given back as written, and leads nowhere else as a path', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        (a, b) => {
          let table: ReturnType<typeof parseIdentifier>;
          try {
            table = parseIdentifier(`${a}.${b}`);
          } catch {
            return;
          }
          expect(formatIdentifier(table)).toBe(`${a}.${b}`);
          for (const part of [...table.namespace, table.name]) {
            expect(new URL(`x/${encodeURIComponent(part)}`, 'file:///w/').pathname.split('/')).toHaveLength(4);
          }
        },
      ),
    );
  });

  test('a dot within a part is refused: it would be read back as another name', () => {
    expect(() => checkIdentifier({ namespace: ['a'], name: 'b.c' })).toThrow('holds a dot');
  });
});
