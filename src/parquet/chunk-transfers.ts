import type { ObjectWriter, RangeReader } from '../storage/store.ts';
import type { Span } from './placed-chunk.ts';
import type { Move, RowGroupLayout } from './row-group-layout.ts';
import { streamSpans, type Transfer } from './stream-spans.ts';

/** What several copies take of a source, in its order, each span once; runs that a writer can copy inside its store stand apart. */
export function transfers(
  reader: RangeReader,
  placed: readonly { copy: { writer: ObjectWriter }; layout: RowGroupLayout }[],
  movesOf: (layout: RowGroupLayout) => readonly Move[],
): Transfer[] {
  const byLeaf = new Map<number, { source: Span; to: ObjectWriter[] }>();
  const inside: Transfer[] = [];
  for (const { copy, layout } of placed) {
    const moves = movesOf(layout);
    const runs = runsInside(reader, copy.writer, moves);
    inside.push(...runs.map((source) => ({ source, to: [copy.writer], inside: true })));
    for (const { leaf, source } of moves) {
      if (runs.some((run) => run.start <= source.start && source.end <= run.end)) continue;
      const known = byLeaf.get(leaf);
      if (known === undefined) byLeaf.set(leaf, { source, to: [copy.writer] });
      else known.to.push(copy.writer);
    }
  }
  return [...byLeaf.values(), ...inside].sort((a, b) => a.source.start - b.source.start);
}

/** Runs of neighbours that a writer copies inside its store. @param moves in the source's order */
function runsInside(reader: RangeReader, { ranges }: ObjectWriter, moves: readonly Move[]): Span[] {
  if (!ranges?.takes(reader)) return [];
  const runs: Span[] = [];
  for (const { source } of moves) {
    const last = runs.at(-1);
    if (last?.end === source.start) last.end = source.end;
    else runs.push({ ...source });
  }
  return runs.filter(({ start, end }) => end - start >= ranges.worthwhile);
}

/** Spans of a source in memory, by leaf: for what is small, such as indexes. */
export async function readSpans(
  reader: RangeReader,
  spans: readonly { leaf: number; source: Span }[],
): Promise<Map<number, Uint8Array>> {
  const found = new Map<number, Uint8Array>();
  const unique = [...new Map(spans.map((each) => [each.leaf, each])).values()];
  await streamSpans(
    reader,
    unique
      .toSorted((a, b) => a.source.start - b.source.start)
      .map(({ leaf, source }) => {
        const bytes = new Uint8Array(source.end - source.start);
        let filled = 0;
        found.set(leaf, bytes);
        const keep: ObjectWriter = {
          write: async (piece) => {
            bytes.set(piece, filled);
            filled += piece.length;
          },
          finish: async () => ({ size: filled }),
          abort: async () => undefined,
        };
        return { source, to: [keep] };
      }),
  );
  return found;
}
