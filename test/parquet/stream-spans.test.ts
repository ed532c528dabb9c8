import { streamSpans, type Transfer } from '../../src/parquet/stream-spans.ts';
import type { ObjectWriter, RangeReader } from '../../src/storage/store.ts';

const SIZE = 1000;
const options = { windowBytes: 10, gapBytes: 0, windows: 4 };

/** A source whose byte n is n modulo 251, and whose reads end in the order that `wait` makes. */
function sourceOf(wait: (start: number) => Promise<void>): RangeReader {
  return {
    url: 'memory:/source',
    byteLength: SIZE,
    cheapSeeks: true,
    async read(start, end, room = new Uint8Array(end - start)) {
      await wait(start);
      for (let at = start; at < end; at += 1) room[at - start] = at % 251;
      return room.subarray(0, end - start);
    },
    close: async () => undefined,
  };
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
};

/** Keeps what it is given, and how many writes were under way at once. */
function keeping(act: () => Promise<void> = () => turns(3)) {
  const kept: number[] = [];
  const state = { busy: 0, most: 0 };
  const writer: ObjectWriter = {
    async write(bytes) {
      state.busy += 1;
      state.most = Math.max(state.most, state.busy);
      await act();
      kept.push(...bytes);
      state.busy -= 1;
    },
    finish: async () => ({ size: kept.length }),
    abort: async () => undefined,
  };
  return { writer, kept, state };
}

const bytesOf = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, index) => (start + index) % 251);

test('a writer gets its pieces one after the other in their order, however reads end', async () => {
  const one = keeping();
  const other = keeping();
  // Of four that are under way, the last begun ends first.
  const reader = sourceOf((start) => turns(40 - (start % 40)));
  const transfers: Transfer[] = [
    { source: { start: 0, end: 205 }, to: [one.writer] },
    { source: { start: 205, end: 230 }, to: [one.writer, other.writer] },
    { source: { start: 300, end: 399 }, to: [other.writer] },
  ];
  await streamSpans(reader, transfers, options);
  expect(one.kept).toEqual(bytesOf(0, 230));
  expect(other.kept).toEqual([...bytesOf(205, 230), ...bytesOf(300, 399)]);
  expect([one.state.most, other.state.most]).toEqual([1, 1]);
});

test('a writer does not wait for another', async () => {
  const other = keeping();
  let release = () => {};
  const slow = keeping(() => new Promise((resolve) => (release = resolve)));
  const done = streamSpans(
    sourceOf(async () => undefined),
    [
      { source: { start: 0, end: 10 }, to: [slow.writer] },
      { source: { start: 10, end: 200 }, to: [other.writer] },
    ],
    options,
  );
  await turns(1000);
  expect(other.kept).toEqual(bytesOf(10, 200));
  release();
  await done;
  expect(slow.kept).toEqual(bytesOf(0, 10));
});

test('after a fault nothing more is begun, and nothing is under way when it is told', async () => {
  const begun: number[] = [];
  const reader = sourceOf(async (start) => {
    begun.push(start);
    await turns(5);
    if (start === 20) throw new Error('the disk is gone');
  });
  const sink = keeping(() => turns(20));
  const transfers = [{ source: { start: 0, end: SIZE }, to: [sink.writer] }];
  await expect(streamSpans(reader, transfers, options)).rejects.toThrow('the disk is gone');
  expect(sink.state.busy).toBe(0);
  expect(begun.length).toBeLessThan(10);
  const told = begun.length;
  await turns(100);
  expect(begun).toHaveLength(told);
  expect(sink.kept).toEqual(bytesOf(0, 20));
});

test('memory is that of the windows, and is used again by the next call', async () => {
  const rooms: Uint8Array[] = [];
  const reader = sourceOf(async () => undefined);
  const transfers = [{ source: { start: 0, end: SIZE }, to: [keeping().writer] }];
  await streamSpans(reader, transfers, options, rooms);
  const first = [...rooms];
  expect(rooms.map(({ length }) => length)).toEqual([10, 10, 10, 10]);
  await streamSpans(reader, transfers, options, rooms);
  expect(rooms.every((room, slot) => room === first[slot])).toBe(true);
});
