import { LakegateError } from '../errors.ts';
import type { ObjectWriter, RangeReader } from '../storage/store.ts';
import type { Span } from './placed-chunk.ts';

/** Bytes of a source and the writers they go to, each of which takes its spans in the order of the list. */
export interface Transfer {
  source: Span;
  to: readonly ObjectWriter[];
  /** The writers copy it inside their store: nothing of it is read here. */
  inside?: boolean;
}

export interface StreamOptions {
  /** Bytes of a read at most. */
  windowBytes: number;
  /** Bytes that nobody wants and that are read all the same, where that saves a request. */
  gapBytes: number;
  /** Reads under way or in memory at once. */
  windows: number;
}

/** Reads of a local file are cheap and quick, those of what fits into a processor's cache the quickest; those of a server each cost a round trip, and several at once go faster. */
export function streamOptions(reader: RangeReader): StreamOptions {
  return reader.cheapSeeks
    ? { windowBytes: 256 * 1024, gapBytes: 0, windows: 1 }
    : { windowBytes: 8 * 1024 * 1024, gapBytes: 64 * 1024, windows: 4 };
}

/** A read, and what becomes of its bytes; or copies inside a store that go side by side. */
interface Window extends Span {
  pieces: Transfer[];
  inside: boolean;
}

/**
 * Streams spans of a source to writers: neighbours are one read, and a span that several writers want is read once. Memory: `windows` ×
 * `windowBytes`, however large the spans are.
 * @param transfers in the order of their starts
 * @throws LakegateError `corrupt` when the source has fewer bytes than it should, and what reader and writers throw
 */
export async function streamSpans(
  reader: RangeReader,
  transfers: readonly Transfer[],
  options: StreamOptions = streamOptions(reader),
): Promise<void> {
  const windows = windowsOf(transfers, options);
  const rooms = Array.from({ length: options.windows }, () => new Uint8Array(0));
  const begun: Promise<Uint8Array>[] = [];
  const begin = (index: number) => {
    const window = windows[index];
    if (window === undefined || window.inside) return;
    const size = window.end - window.start;
    const slot = index % options.windows;
    if (rooms[slot]!.length < size) rooms[slot] = new Uint8Array(size);
    const read = reader.read(window.start, window.end, rooms[slot]);
    // Whoever waits for it hears of its fault; that nobody waits yet is no reason to end the process.
    read.catch(() => undefined);
    begun[index] = read;
  };
  try {
    for (let index = 0; index < options.windows; index += 1) begin(index);
    for (const [index, window] of windows.entries()) {
      if (window.inside) await copyInside(reader, window);
      else {
        const bytes = await begun[index]!;
        delete begun[index];
        if (bytes.length !== window.end - window.start) throw shortRead(reader, window, bytes.length);
        await hand(bytes, window);
      }
      begin(index + options.windows);
    }
  } finally {
    // The caller may close the reader next.
    await Promise.allSettled(begun);
  }
}

/** Gives each writer its pieces of a window. */
function hand(bytes: Uint8Array, window: Window): Promise<void> {
  return eachWriter(window, async (writer, spans) => {
    for (const { start, end } of spans) await writer.write(bytes.subarray(start - window.start, end - window.start));
  });
}

function copyInside(reader: RangeReader, window: Window): Promise<void> {
  return eachWriter(window, async ({ ranges }, spans) => {
    for (const { start, end } of spans) await ranges!.copy(reader, start, end);
  });
}

/** What each writer does with its pieces of a window, front to back, neighbours as one; the writers work side by side. */
async function eachWriter(
  window: Window,
  act: (writer: ObjectWriter, spans: readonly Span[]) => Promise<void>,
): Promise<void> {
  const perWriter = new Map<ObjectWriter, Span[]>();
  for (const { source, to } of window.pieces) {
    for (const writer of to) {
      const spans = perWriter.get(writer);
      const last = spans?.at(-1);
      if (last !== undefined && last.end === source.start) last.end = source.end;
      else if (spans !== undefined) spans.push({ ...source });
      else perWriter.set(writer, [{ ...source }]);
    }
  }
  const written = await Promise.allSettled([...perWriter].map(([writer, spans]) => act(writer, spans)));
  const failed = written.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function windowsOf(transfers: readonly Transfer[], { windowBytes, gapBytes }: StreamOptions): Window[] {
  const windows: Window[] = [];
  for (const transfer of transfers) {
    const { source, to } = transfer;
    if (transfer.inside) {
      const last = windows.at(-1);
      if (last?.inside) last.pieces.push(transfer);
      else windows.push({ ...source, pieces: [transfer], inside: true });
      continue;
    }
    for (let start = source.start; start < source.end; ) {
      let last = windows.at(-1);
      if (
        last === undefined ||
        last.inside ||
        start > last.end + gapBytes ||
        start < last.end ||
        start - last.start >= windowBytes
      ) {
        last = { start, end: start, pieces: [], inside: false };
        windows.push(last);
      }
      const end = Math.min(source.end, last.start + windowBytes);
      last.pieces.push({ source: { start, end }, to });
      last.end = end;
      start = end;
    }
  }
  return windows;
}

function shortRead(reader: RangeReader, { start, end }: Span, found: number): LakegateError {
  return new LakegateError(
    'corrupt',
    `${reader.url} is shorter than it was: bytes ${start} to ${end} were asked for, and ${found} bytes came. Look at it again and run this again.`,
    { context: { url: reader.url, start, end } },
  );
}
