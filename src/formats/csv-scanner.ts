const LF = 10;
const CR = 13;
const DELIMITER = 1;
const NEWLINE = 2;
const QUOTE = 4;

/** A record longer than this is an unclosed quote or the wrong delimiter. */
const MAX_RECORD_BYTES = 16 << 20;

/** What is wrong with the structure of a CSV file. */
export type CsvFaultCode = 'ragged' | 'stray_quote' | 'text_after_quote' | 'quote_not_closed' | 'too_long';

/** A place where a file is no CSV; who scans names the file. */
export class CsvFault extends Error {
  readonly code: CsvFaultCode;
  /** From 1. */
  readonly line: number;

  constructor(code: CsvFaultCode, line: number, message: string) {
    super(message);
    this.code = code;
    this.line = line;
  }
}

/**
 * Finds the cells of CSV text (RFC 4180 with the given delimiter and quote; line ends may be mixed; blank lines are no records) as places in its
 * bytes, without making a string of any. Text comes in pieces: what is left of a record at the end of one is to be given again, with more behind it.
 */
export class CsvScanner {
  /** Cells of a record: those of the first; 0 before it. */
  width = 0;
  /** Where the cells of the last piece's whole records start and end, record by record. */
  starts = new Uint32Array(1024);
  ends = new Uint32Array(1024);
  cells = 0;
  /** Line on which each of these records starts, from 1. */
  lines: number[] = [];
  private readonly kinds = new Uint8Array(256);
  private readonly delimiter: Uint8Array;
  private readonly quote: Uint8Array;
  private line = 1;
  /** Cells of the record at hand that have doubled quotes in them. */
  private doubled: number[] = [];

  /** @param quote empty where cells are never quoted */
  constructor(delimiter: string, quote: string) {
    this.delimiter = Buffer.from(delimiter);
    this.quote = Buffer.from(quote);
    this.kinds[LF] = NEWLINE;
    this.kinds[CR] = NEWLINE;
    this.kinds[this.delimiter[0]!]! |= DELIMITER;
    if (this.quote.length > 0) this.kinds[this.quote[0]!]! |= QUOTE;
  }

  /**
   * Scans a piece that begins with a record. Doubled quotes become single ones in place: the bytes have to be the caller's own.
   * @param last whether nothing comes after it
   * @returns how many of its bytes are whole records
   * @throws CsvFault
   */
  scan(data: Uint8Array, last: boolean): number {
    this.starts = new Uint32Array(this.starts.length);
    this.ends = new Uint32Array(this.ends.length);
    this.cells = 0;
    this.lines = [];
    let at = 0;
    while (at < data.length) {
      const newline = this.newline(data, at, last);
      if (newline < 0) break;
      if (newline > 0) {
        at += newline;
        this.line++;
        continue;
      }
      const line = this.line;
      const first = this.cells;
      const end = this.record(data, at, last);
      if (end < 0) {
        if (data.length - at > MAX_RECORD_BYTES) throw tooLong(line);
        this.cells = first;
        this.line = line;
        break;
      }
      if (end - at > MAX_RECORD_BYTES) throw tooLong(line);
      const found = this.cells - first;
      if (this.width === 0) this.width = found;
      if (found !== this.width) throw new CsvFault('ragged', line, `expected ${this.width} cells, found ${found}`);
      for (const cell of this.doubled) this.undouble(data, cell);
      this.lines.push(line);
      at = end;
    }
    return at;
  }

  /** Scans one record. Returns where the next one starts, -1 where this one goes on behind the piece. */
  private record(data: Uint8Array, from: number, last: boolean): number {
    const { kinds, delimiter, quote } = this;
    let { starts, ends, cells } = this;
    const simple = delimiter.length === 1 ? delimiter[0]! : -1;
    const length = data.length;
    this.doubled.length = 0;
    let at = from;
    while (true) {
      let start = at;
      let end = at;
      if (at < length && (kinds[data[at]!]! & QUOTE) !== 0 && this.matches(data, at, quote)) {
        start = at + quote.length;
        end = this.closingQuote(data, start, last);
        if (end < 0) return -1;
        at = end + quote.length;
      } else {
        for (; at < length; at++) {
          const byte = data[at]!;
          if (kinds[byte] !== 0 && (byte === simple || !this.isPlain(data, at))) break;
        }
        end = at;
      }
      if (cells === starts.length) {
        this.grow();
        ({ starts, ends } = this);
      }
      starts[cells] = start;
      ends[cells] = end;
      this.cells = ++cells;
      if (at < length && data[at] === simple) {
        at++;
        continue;
      }
      if (at === length) return last ? at : -1;
      const newline = this.newline(data, at, last);
      if (newline !== 0) {
        this.line++;
        return newline < 0 ? -1 : at + newline;
      }
      if (!this.matches(data, at, delimiter)) {
        throw new CsvFault('text_after_quote', this.line, 'text follows a closing quote');
      }
      at += delimiter.length;
    }
  }

  /** Whether a byte that may begin something does not. @throws CsvFault for a quote, which no unquoted cell may hold */
  private isPlain(data: Uint8Array, at: number): boolean {
    const kind = this.kinds[data[at]!]!;
    if ((kind & NEWLINE) !== 0) return false;
    if ((kind & DELIMITER) !== 0 && this.matches(data, at, this.delimiter)) return false;
    if ((kind & QUOTE) !== 0 && this.matches(data, at, this.quote)) {
      throw new CsvFault('stray_quote', this.line, 'a quote stands inside a cell that does not begin with one');
    }
    return true;
  }

  /** Where the quote is that ends a quoted cell, or -1 where that is not known yet. */
  private closingQuote(data: Uint8Array, from: number, last: boolean): number {
    const { quote } = this;
    const opened = this.line;
    for (let at = from; at < data.length; at++) {
      const byte = data[at]!;
      if (byte === LF || (byte === CR && data[at + 1] !== LF)) this.line++;
      if (byte !== quote[0] || !this.matches(data, at, quote)) continue;
      const next = at + quote.length;
      if (next === data.length && !last) return -1;
      if (!this.matches(data, next, quote)) return at;
      if (this.doubled.at(-1) !== this.cells) this.doubled.push(this.cells);
      at = next + quote.length - 1;
    }
    if (last) throw new CsvFault('quote_not_closed', opened, 'a quote is opened and never closed');
    return -1;
  }

  /** Length of the line end that is there: 0 for none, -1 where the next byte decides. */
  private newline(data: Uint8Array, at: number, last: boolean): number {
    const byte = data[at];
    if (byte === LF) return 1;
    if (byte !== CR) return 0;
    if (at + 1 === data.length) return last ? 1 : -1;
    return data[at + 1] === LF ? 2 : 1;
  }

  private matches(data: Uint8Array, at: number, bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i++) if (data[at + i] !== bytes[i]) return false;
    return true;
  }

  private grow(): void {
    const { starts, ends } = this;
    this.starts = new Uint32Array(2 * starts.length);
    this.starts.set(starts);
    this.ends = new Uint32Array(2 * ends.length);
    this.ends.set(ends);
  }

  /** A doubled quote counts as the first of the two. */
  private undouble(data: Uint8Array, cell: number): void {
    const end = this.ends[cell]!;
    const { length } = this.quote;
    let to = this.starts[cell]!;
    for (let at = to; at < end; ) {
      const quoted = data[at] === this.quote[0] && this.matches(data, at, this.quote);
      for (let i = quoted ? length : 1; i > 0; i--) data[to++] = data[at++]!;
      if (quoted) at += length;
    }
    this.ends[cell] = to;
  }
}

function tooLong(line: number): CsvFault {
  return new CsvFault('too_long', line, `a record is longer than ${MAX_RECORD_BYTES} bytes`);
}
