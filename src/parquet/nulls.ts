import type { RangeReader } from '../storage/store.ts';
import { provenNulls } from './evidence.ts';
import { countPageLevels } from './level-pages.ts';
import { depthFirst, leavesUnder } from './logical.ts';
import type { Leaf, LogicalField, NullCount, ParquetFooter } from './model.ts';
import { ChunkPages } from './pages.ts';

const LOCAL_PARALLEL = 8;
const REMOTE_PARALLEL = 4;

/** A column chunk whose levels are to be counted. */
interface Scan {
  rowGroup: number;
  leaf: Leaf;
  histogram: number[];
}

/**
 * Counts nulls without decoding values: by the footer where it proves them, else by the definition levels of the smallest column under the
 * field, in the row groups that the footer leaves open. Holds at most 8 MB of the file at a time.
 * @param openReader called once, and only when the footer is not enough; the reader is closed
 * @param fields '*' for every field, depth first
 * @returns one count per field, in their order; nulls of a nested field are those with its parent present
 * @throws LakegateError `corrupt`, and what the reader throws
 */
export async function countNulls(
  footer: ParquetFooter,
  openReader: () => Promise<RangeReader>,
  fields: readonly LogicalField[] | '*',
): Promise<NullCount[]> {
  const asked = fields === '*' ? depthFirst(footer.fields) : fields;
  const scans = new Map<string, Scan>();
  const counts = new Map<LogicalField, { proven: number; levels: Scan[] }>();
  // Children before their parents: a parent then finds the column already being read for a child.
  for (const field of [...asked].reverse()) {
    const count = { proven: 0, levels: [] as Scan[] };
    footer.rowGroups.forEach((group, rowGroup) => {
      const proven = provenNulls(group, field);
      if (proven === undefined) count.levels.push(scanOf(scans, footer, rowGroup, field));
      else count.proven += proven;
    });
    counts.set(field, count);
  }
  if (scans.size > 0) await runScans(footer, openReader, [...scans.values()]);
  return asked.map((field) => {
    const { proven, levels } = counts.get(field)!;
    const counted = levels.reduce((sum, scan) => sum + scan.histogram[field.definitionLevel - 1]!, 0);
    return { name: field.path, nulls: proven + counted, from: levels.length > 0 ? 'levels' : 'statistics' };
  });
}

/** The scan that will tell the field's nulls in the row group: one already planned, else of the smallest column. */
function scanOf(scans: Map<string, Scan>, footer: ParquetFooter, rowGroup: number, field: LogicalField): Scan {
  const leaves = leavesUnder(field).map((each) => each.leaf!);
  const key = (leaf: Leaf): string => `${rowGroup}:${leaf.index}`;
  const planned = leaves.find((leaf) => scans.has(key(leaf)));
  if (planned !== undefined) return scans.get(key(planned))!;
  const leaf = cheapestLeaf(footer, rowGroup, leaves);
  const scan = { rowGroup, leaf, histogram: new Array<number>(leaf.maxDefinitionLevel + 1).fill(0) };
  scans.set(key(leaf), scan);
  return scan;
}

/** The leaf of these with the fewest stored bytes in a row group. */
export function cheapestLeaf(footer: ParquetFooter, rowGroup: number, leaves: readonly Leaf[]): Leaf {
  const size = (leaf: Leaf): number => footer.rowGroups[rowGroup]!.columns[leaf.index]!.totalCompressedSize;
  return leaves.reduce((best, leaf) => (size(leaf) < size(best) ? leaf : best));
}

async function runScans(footer: ParquetFooter, openReader: () => Promise<RangeReader>, scans: Scan[]): Promise<void> {
  const reader = await openReader();
  try {
    const waiting = scans.sort((a, b) => b.rowGroup - a.rowGroup || b.leaf.index - a.leaf.index);
    const worker = async (): Promise<void> => {
      try {
        for (let scan = waiting.pop(); scan !== undefined; scan = waiting.pop()) await count(footer, reader, scan);
      } catch (error) {
        // The verdict is known: the other workers finish what they have and take nothing more.
        waiting.length = 0;
        throw error;
      }
    };
    const parallel = reader.cheapSeeks ? LOCAL_PARALLEL : REMOTE_PARALLEL;
    const outcomes = await Promise.allSettled(Array.from({ length: parallel }, worker));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  } finally {
    await reader.close();
  }
}

async function count(footer: ParquetFooter, reader: RangeReader, { rowGroup, leaf, histogram }: Scan): Promise<void> {
  const pages = new ChunkPages(footer, reader, rowGroup, leaf, false);
  for (let page = await pages.nextPage(); page !== undefined; page = await pages.nextPage()) {
    if (page.kind === 'data' || page.kind === 'dataV2') await countPageLevels(pages, page, histogram);
  }
}
