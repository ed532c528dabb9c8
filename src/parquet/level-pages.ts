import { bitPackedLength, countLevels, expandBitPacked, expandLevels } from './levels.ts';
import type { ChunkPages, Page } from './pages.ts';

/** The levels of a data page; repetition levels are there only where the column repeats. */
export interface PageLevels {
  definition: Uint8Array;
  repetition?: Uint8Array;
  /** Where the values begin: in the decoded body of a format 1 page, in the stored body of a format 2 page. */
  valuesStart: number;
}

/** Adds a data page's definition levels to `histogram` (one bucket per level), reading no more of the page than them. */
export async function countPageLevels(pages: ChunkPages, page: Page, histogram: number[]): Promise<void> {
  const { maxDefinitionLevel: max, maxRepetitionLevel } = pages.leaf;
  if (page.numValues === 0) return;
  if (page.v2 !== undefined && max === 1 && maxRepetitionLevel === 0) {
    histogram[0]! += page.v2.nulls;
    histogram[1]! += page.numValues - page.v2.nulls;
    return;
  }
  const { definition } = await storedLevels(pages, page);
  pages.decoding(() => {
    if (page.definitionEncoding !== 'BIT_PACKED') return countLevels(definition, page.numValues, max, histogram);
    for (const level of expandBitPacked(definition, page.numValues, max)) histogram[level]! += 1;
  });
}

/** A data page's levels, one byte each, reading no more of the page than them. */
export async function readPageLevels(pages: ChunkPages, page: Page): Promise<PageLevels> {
  const { maxDefinitionLevel, maxRepetitionLevel } = pages.leaf;
  const stored = await storedLevels(pages, page);
  return pages.decoding(() => {
    const levels: PageLevels = {
      definition: expanded(stored.definition, page.definitionEncoding, page.numValues, maxDefinitionLevel),
      valuesStart: stored.valuesStart,
    };
    if (maxRepetitionLevel > 0) {
      levels.repetition = expanded(stored.repetition, page.repetitionEncoding, page.numValues, maxRepetitionLevel);
    }
    return levels;
  });
}

function expanded(bytes: Uint8Array, encoding: string, count: number, max: number): Uint8Array {
  if (max === 0) return new Uint8Array(count);
  return encoding === 'BIT_PACKED' ? expandBitPacked(bytes, count, max) : expandLevels(bytes, count, max);
}

interface StoredLevels {
  definition: Uint8Array;
  repetition: Uint8Array;
  valuesStart: number;
}

async function storedLevels(pages: ChunkPages, page: Page): Promise<StoredLevels> {
  if (page.v2 !== undefined) {
    const { repetitionBytes, definitionBytes } = page.v2;
    const body = await pages.body(page, repetitionBytes + definitionBytes);
    const valuesStart = repetitionBytes + definitionBytes;
    return {
      repetition: body.subarray(0, repetitionBytes),
      definition: body.subarray(repetitionBytes, valuesStart),
      valuesStart,
    };
  }
  // Format 1: repetition levels, then definition levels, each with its length before it; what the column cannot have is left out.
  let decoded: Uint8Array = new Uint8Array(0);
  const upTo = async (wanted: number): Promise<void> => {
    if (decoded.length < wanted) decoded = await pages.decodedPrefix(page, wanted);
  };
  let offset = 0;
  const next = async (encoding: string, max: number): Promise<{ start: number; end: number }> => {
    if (max === 0) return { start: offset, end: offset };
    const start = encoding === 'BIT_PACKED' ? offset : offset + 4;
    let length = bitPackedLength(page.numValues, max);
    if (encoding !== 'BIT_PACKED') {
      // Short levels are the common case: their first bytes usually come with their length.
      await upTo(Math.min(start + 12, page.uncompressedSize));
      if (decoded.length < start) throw pages.fault('a page ends inside its levels');
      length = new DataView(decoded.buffer, decoded.byteOffset + offset, 4).getUint32(0, true);
    }
    await upTo(start + length);
    offset = start + length;
    return { start, end: offset };
  };
  const repetition = await next(page.repetitionEncoding, pages.leaf.maxRepetitionLevel);
  const definition = await next(page.definitionEncoding, pages.leaf.maxDefinitionLevel);
  return {
    repetition: decoded.subarray(repetition.start, repetition.end),
    definition: decoded.subarray(definition.start, definition.end),
    valuesStart: offset,
  };
}
