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

const MB = 1024 * 1024;

/** A disk has a few of its reads and writes under way while others are parsed; a server's reads each cost a round trip, and go faster the larger they are. */
export function streamOptions(reader: RangeReader): StreamOptions {
  return reader.cheapSeeks
    ? { windowBytes: MB, gapBytes: 0, windows: 4 }
    : { windowBytes: 8 * MB, gapBytes: 64 * 1024, windows: 4 };
}

/** A read, and what becomes of its bytes; or copies inside a store that go side by side. */
interface Window extends Span {
  pieces: Transfer[];
  inside: boolean;
}

/**
 * Streams spans of a source to writers: neighbours are one read, and a span that several writers want is read once. Writers do not wait for each
 * other, and each is given one piece after the other. Memory: `windows` × `windowBytes`, however large the spans are.
 * @param transfers in the order of their starts
 * @param rooms memory of earlier calls, which is used again, and added to
 * @throws LakegateError `corrupt` when the source has fewer bytes than it should, and what reader and writers throw
 */
export async function streamSpans(
  reader: RangeReader,
  transfers: readonly Transfer[],
  options: StreamOptions = streamOptions(reader),
  rooms: Uint8Array[] = [],
): Promise<void> {
  const windows = windowsOf(transfers, options);
  const coming = windows.values();
  const queues: Queues = new Map();
  let failed = false;
  const lane = async (_: unknown, slot: number): Promise<void> => {
    // One iterator for all lanes: windows are begun in their order, by whichever lane has room.
    for (const window of coming) {
      const size = window.inside ? 0 : window.end - window.start;
      if ((rooms[slot]?.length ?? 0) < size) rooms[slot] = new Uint8Array(size);
      await pass(reader, window, rooms[slot], queues).catch((error) => {
        failed = true;
        throw error;
      });
      if (failed) return;
    }
  };
  // All have ended when this does: the caller may close the reader next.
  await allEnded(Array.from({ length: Math.min(options.windows, windows.length) }, lane));
}

/** What each writer is being given: what comes next for it waits for that. */
type Queues = Map<ObjectWriter, Promise<void>>;

/** Reads a window and gives each writer its pieces, front to back; or has writers copy them inside their store. */
function pass(reader: RangeReader, window: Window, room: Uint8Array | undefined, queues: Queues): Promise<void> {
  const read = window.inside ? undefined : readWindow(reader, window, room);
  const give = async (writer: ObjectWriter, spans: readonly Span[], before: Promise<void> | undefined) => {
    const [bytes] = await Promise.all([read, before]);
    for (const { start, end } of spans) {
      if (bytes === undefined) await writer.ranges!.copy(reader, start, end);
      else await writer.write(bytes.subarray(start - window.start, end - window.start));
    }
  };
  const given = [...spansByWriter(window)].map(([writer, spans]) => {
    const giving = give(writer, spans, queues.get(writer));
    queues.set(writer, giving);
    return giving;
  });
  return allEnded(given);
}

async function readWindow(reader: RangeReader, window: Window, room: Uint8Array | undefined): Promise<Uint8Array> {
  const bytes = await reader.read(window.start, window.end, room);
  if (bytes.length !== window.end - window.start) throw shortRead(reader, window, bytes.length);
  return bytes;
}

/** What each writer takes of a window, neighbours as one. */
function spansByWriter({ pieces }: Window): Map<ObjectWriter, Span[]> {
  const perWriter = new Map<ObjectWriter, Span[]>();
  for (const { source, to } of pieces) {
    for (const writer of to) {
      const spans = perWriter.get(writer);
      const last = spans?.at(-1);
      if (last !== undefined && last.end === source.start) last.end = source.end;
      else if (spans !== undefined) spans.push({ ...source });
      else perWriter.set(writer, [{ ...source }]);
    }
  }
  return perWriter;
}

/** Waits for all, then throws the first fault. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
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
