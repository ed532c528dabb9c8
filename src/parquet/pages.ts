import type { RangeReader } from '../storage/store.ts';
import { type Compressed, decompressedPrefix, likelyInput } from './compression.ts';
import { corrupt, readingOf } from './fault.ts';
import type { ColumnChunk, Leaf, ParquetFooter } from './model.ts';
import { type PageHeader, readPageHeader } from './page.ts';
import { TruncatedThrift } from './thrift.ts';

/** A page of a column chunk: its header, and the place of its body in the file. */
export interface Page extends PageHeader {
  bodyOffset: number;
}

/** Memory that pages are read or decompressed into, one after the other. */
export class PageRoom {
  /** Whose bytes lie there, where several use it. */
  holder: ChunkPages | undefined;
  private room = new Uint8Array(0);

  bytes(length: number): Uint8Array {
    // Pages of a column differ by little: with some more room, the next one fits as well.
    if (this.room.length < length) this.room = new Uint8Array(Math.ceil((length * 1.125) / 4096) * 4096);
    return this.room;
  }
}

const SMALLEST_LOCAL_WINDOW = 1024;
const LOCAL_WINDOW = 8 * 1024;
const LOCAL_BODY_WINDOW = 64 * 1024;
/** Read behind a whole body: the next page's header, so that each large page is one read of little more than itself. */
const NEXT_HEADER = 1024;
/** Remote windows are long because each is a round trip; four chunks at a time keep 8 MB in flight. */
const REMOTE_WINDOW = 2 * 1024 * 1024;
/** What old writers may have left out of total_compressed_size. */
const DICTIONARY_HEADER = 128;
const LONGEST_HEADER = 16 * 1024 * 1024;

/**
 * Walks the pages of one column chunk, holding one window of the file at a time. Where seeks are cheap the window is just a header and what was
 * used of the last page, and bodies are jumped over; where each read is a round trip it is 2 MB, and only what lies between windows is skipped.
 */
export class ChunkPages {
  /** The chunk, for messages: file, column and row group. */
  readonly where: string;
  readonly leaf: Leaf;
  readonly chunk: ColumnChunk;
  private readonly footer: ParquetFooter;
  private readonly reader: RangeReader;
  private readonly room: PageRoom | undefined;
  private readonly wholeBodies: boolean;
  private readonly smallest: number;
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;
  private windowSize: number;
  private next: number;
  private headerStart: number;
  private readonly chunkEnd: number;
  private used = 0;
  private valuesSeen = 0;

  /**
   * @param wholeBodies whether bodies will be read in full, which makes longer windows worth it
   * @param room to read into, shared with others: bytes that were read are good until any of them reads
   */
  constructor(
    footer: ParquetFooter,
    reader: RangeReader,
    rowGroup: number,
    leaf: Leaf,
    wholeBodies: boolean,
    room?: PageRoom,
  ) {
    const chunk = footer.rowGroups[rowGroup]!.columns[leaf.index]!;
    this.where = `column \`${leaf.path.join('.')}\` in row group ${rowGroup}`;
    this.leaf = leaf;
    this.chunk = chunk;
    this.footer = footer;
    this.reader = reader;
    this.room = room;
    this.wholeBodies = wholeBodies;
    const smallest = wholeBodies ? LOCAL_BODY_WINDOW : SMALLEST_LOCAL_WINDOW;
    this.smallest = reader.cheapSeeks ? smallest : REMOTE_WINDOW;
    this.windowSize = reader.cheapSeeks && !wholeBodies ? LOCAL_WINDOW : this.smallest;
    this.next = chunk.dictionaryPageOffset ?? chunk.dataPageOffset;
    this.headerStart = this.next;
    this.chunkEnd = this.next + chunk.totalCompressedSize + DICTIONARY_HEADER;
  }

  /**
   * The next page, or undefined behind the one with the chunk's last value. (The values decide, not total_compressed_size: old writers left the
   * dictionary's header out of it.)
   * @throws LakegateError `corrupt` when there is no page header where one must be
   */
  async nextPage(): Promise<Page | undefined> {
    if (this.valuesSeen >= this.chunk.numValues) return undefined;
    // Between the last page's needs and this one's there is no great difference: read that much again, and some more.
    if (this.used > 0 && this.reader.cheapSeeks) {
      const likely = Math.ceil((this.used * 1.25) / 1024) * 1024;
      this.windowSize = this.wholeBodies
        ? Math.min(likely, LOCAL_BODY_WINDOW)
        : Math.min(Math.max(this.smallest, likely), REMOTE_WINDOW);
    }
    this.headerStart = this.next;
    const { header, length } = await this.header();
    const page: Page = { ...header, bodyOffset: this.headerStart + length };
    this.next = page.bodyOffset + page.compressedSize;
    this.used = length;
    if (this.next > this.footer.footerStart) throw this.fault(`a page at byte ${this.headerStart} runs past the data`);
    if (page.kind === 'data' || page.kind === 'dataV2') {
      this.valuesSeen += page.numValues;
      if (this.valuesSeen > this.chunk.numValues) {
        throw this.fault(`its pages have more than the ${this.chunk.numValues} values that the footer says`);
      }
    }
    return page;
  }

  /** At least the first `wanted` bytes of the page's body as stored, or all of it. */
  async body(page: Page, wanted: number): Promise<Uint8Array> {
    const length = Math.min(wanted, page.compressedSize);
    const bytes = await this.bytes(page.bodyOffset, length);
    if (bytes.length < length) throw this.fault(`the file ends inside the page at byte ${page.bodyOffset}`);
    this.used = Math.max(this.used, page.bodyOffset + length - this.headerStart);
    return bytes.length > page.compressedSize ? bytes.subarray(0, page.compressedSize) : bytes;
  }

  /** At least the first `wanted` bytes that a format 1 page's body decodes to, decoding little more than those. */
  async decodedPrefix(page: Page, wanted: number): Promise<Uint8Array> {
    if (wanted > page.uncompressedSize) throw this.fault(`a page of ${page.uncompressedSize} bytes has longer levels`);
    let length = likelyInput(this.chunk.codec, wanted, page.compressedSize);
    while (true) {
      const body = await this.body(page, length);
      const input = body.length > length ? body.subarray(0, length) : body;
      const decoded = this.decoding(() => decompressedPrefix(this.compressed(page, input), wanted));
      if (decoded.length >= wanted) return decoded;
      if (length >= page.compressedSize) throw this.fault(`a page decodes to only ${decoded.length} bytes`);
      length = Math.min(length * 4, page.compressedSize);
    }
  }

  /** What a page body (or its beginning) needs to be known by to be decompressed. */
  compressed(page: Page, input: Uint8Array): Compressed {
    return {
      codec: this.chunk.codec,
      input,
      compressedSize: page.compressedSize,
      uncompressedSize: page.uncompressedSize,
    };
  }

  /** Runs `decode`; what it throws becomes a `corrupt` error that names this chunk. */
  decoding<T>(decode: () => T): T {
    return readingOf(this.footer.url, this.where, decode);
  }

  fault(fault: string): Error {
    return corrupt(this.footer.url, `${this.where}: ${fault}`);
  }

  private async header(): Promise<{ header: PageHeader; length: number }> {
    let wanted = 64;
    while (true) {
      const limit = Math.min(wanted, this.footer.footerStart - this.headerStart);
      if (limit <= 0) throw this.fault(`its pages hold ${this.valuesSeen} of its ${this.chunk.numValues} values`);
      const bytes = await this.bytes(this.headerStart, limit);
      const cursor = { bytes, offset: 0 };
      try {
        const header = readPageHeader(cursor);
        return { header, length: cursor.offset };
      } catch (error) {
        const whole = bytes.length >= this.footer.footerStart - this.headerStart || bytes.length >= LONGEST_HEADER;
        if (whole || bytes.length < limit || !(error instanceof TruncatedThrift)) {
          throw corrupt(this.footer.url, `${this.where}: no page header at byte ${this.headerStart}`, { cause: error });
        }
        wanted = Math.max(bytes.length, wanted) * 4;
      }
    }
  }

  /** The window from `start` on: at least `length` bytes of it, unless the file ends before. */
  private async bytes(start: number, length: number): Promise<Uint8Array> {
    const windowEnd = this.windowStart + this.window.length;
    const lost = this.room !== undefined && this.room.holder !== this;
    if (lost || start < this.windowStart || start + length > windowEnd) {
      const behind = this.wholeBodies ? NEXT_HEADER : 0;
      const until = Math.max(start + length + behind, Math.min(start + this.windowSize, this.chunkEnd));
      const end = Math.min(until, this.footer.footerStart);
      if (this.room !== undefined) this.room.holder = this;
      this.window = await this.reader.read(start, end, this.room?.bytes(end - start));
      this.windowStart = start;
    }
    return this.window.subarray(start - this.windowStart);
  }
}
