import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { CsvFault, CsvScanner } from '../../src/formats/csv-scanner.ts';

/** A scan's records, or what is wrong with the text. */
type Outcome = { records: { cells: string[]; line: number }[] } | { code: string; line: number };

function scanned(text: string, delimiter: string, quote: string, cuts: readonly number[]): Outcome {
  const bytes = Buffer.from(text);
  const scanner = new CsvScanner(delimiter, quote);
  const records: { cells: string[]; line: number }[] = [];
  const betweenCharacters = (cut: number): number =>
    ((bytes[cut] ?? 0) & 0xc0) === 0x80 ? betweenCharacters(cut + 1) : cut;
  const ends = [...new Set(cuts.map((cut) => betweenCharacters(cut % (bytes.length + 1))))].sort((a, b) => a - b);
  let from = 0;
  try {
    for (const [index, end] of [...ends, bytes.length].entries()) {
      const last = index === ends.length;
      const piece = Buffer.from(bytes.subarray(from, end));
      from += scanner.scan(piece, last);
      for (const [row, line] of scanner.lines.entries()) {
        const cells = Array.from({ length: scanner.width }, (_, cell) => {
          const at = row * scanner.width + cell;
          return piece.toString('utf8', scanner.starts[at], scanner.ends[at]);
        });
        records.push({ cells, line });
      }
    }
  } catch (error) {
    if (error instanceof CsvFault) return { code: error.code, line: error.line };
    throw error;
  }
  return { records };
}

const CODES: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: 'ragged',
  INVALID_OPENING_QUOTE: 'stray_quote',
  CSV_INVALID_CLOSING_QUOTE: 'text_after_quote',
  CSV_QUOTE_NOT_CLOSED: 'quote_not_closed',
};

/** What csv-parse makes of the text: the oracle. */
function oracle(text: string, delimiter: string, quote: string): string[][] | { code: string } {
  try {
    return parse(text, {
      delimiter,
      quote: quote === '' ? null : quote,
      escape: quote === '' ? null : quote,
      record_delimiter: ['\r\n', '\n', '\r'],
      skip_empty_lines: true,
    }) as string[][];
  } catch (error) {
    return { code: CODES[(error as { code: string }).code] ?? String(error) };
  }
}

const dialects = [
  [',', '"'],
  [';', "'"],
  ['\t', ''],
  ['¦', '«'],
] as const;

describe('CsvScanner', () => {
  test.each(dialects)('with %j and %j finds what csv-parse finds, however the text is cut', (delimiter, quote) => {
    const parts = ['a', 'bc', 'ü', '😀', ' ', ',', ';', '"', "'", '\n', '\n', '\r\n', '\r', '\t'];
    const own = Array.from({ length: 6 }, () => [delimiter, delimiter, `${quote}x${quote}`, quote, quote + quote]);
    const text = fc.array(fc.constantFrom(...parts, ...own.flat()), { maxLength: 30 }).map((list) => list.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 4 }), (written, cuts) => {
        const found = scanned(written, delimiter, quote, cuts);
        const expected = oracle(written, delimiter, quote);
        if (Array.isArray(expected))
          expect('records' in found && found.records.map(({ cells }) => cells)).toEqual(expected);
        else expect(found).toMatchObject(expected);
      }),
      { numRuns: 4000 },
    );
  });

  test('well-formed records come back, with the lines they start on', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'ü', '"', ',', '\n', '\r\n', '\r', ' '), maxLength: 6 });
    const record = fc.record({
      cells: fc.tuple(cell, cell),
      blank: fc.nat({ max: 2 }),
      end: fc.constantFrom('\n', '\r\n', '\r'),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 4 }), (records, cuts) => {
        let text = '';
        const expected = records.map(({ cells, blank, end }) => {
          text += '\n'.repeat(blank);
          const line = text.split(/\r\n|\n|\r/).length;
          text += `${cells.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')}${end}`;
          return { cells: [...cells], line };
        });
        // A lone \r before a \n would be one line end with it.
        fc.pre(
          !/\r\n/.test(
            records
              .map(({ end, blank }, i) => (end === '\r' && (records[i + 1]?.blank ?? blank) > 0 ? '\r\n' : ''))
              .join(''),
          ),
        );
        expect(scanned(text, ',', '"', cuts)).toEqual({ records: expected });
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['a,b\n1,2\n1,2,3\n', 'ragged', 3],
    ['a,b\n"1\n2",x\n1\n', 'ragged', 4],
    ['a,b\n\n1,"2\n3,4\n', 'quote_not_closed', 3],
    ['a,b\n1,x"y\n', 'stray_quote', 2],
    ['a,b\n"1\r\n2","x"y\n', 'text_after_quote', 3],
  ])('%j is %s on line %d', (text, code, line) => {
    expect(scanned(text, ',', '"', [])).toEqual({ code, line });
  });

  test('a record without an end is refused before it fills the memory', () => {
    const scanner = new CsvScanner(',', '"');
    expect(() => scanner.scan(Buffer.alloc((16 << 20) + 1, 'x'), false)).toThrow(/longer than/);
  });
});
