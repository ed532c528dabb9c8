import { createHash } from 'node:crypto';
import type { OutputPlan, Part, Slice, SourceFile, SplitPlan, SplitTable, TablePlan } from './model.ts';
import type { Refusal } from './sources.ts';

export interface PlanOptions {
  /** `YYYY-MM-DD`. */
  snapshot: string;
  /** URL ending in `/`: tables are folders in it. */
  target: string;
  /** Bytes of an output at most, where row groups allow it. */
  targetBytes: number;
  /** Tables written side by side, each of which holds a writer's buffers. */
  tablesAtOnce: number;
}

/** Changes whenever the same plan would make other files. */
const FORMAT = 1;

/** Unfinished outputs lie here, where engines do not look. */
const STAGING = '_staging';

/**
 * Plans a split: which row groups of which files go into which output of which table. Pure; the same input gives the same plan, names included,
 * so that a run that was broken off finds what it has done. A table takes a power of two of outputs, the first that keeps them within the target
 * size: tables of like size then cut their sources alike, and share one reading of them.
 */
export function planSplit(
  files: readonly SourceFile[],
  refused: readonly Refusal[],
  tables: readonly SplitTable[],
  options: PlanOptions,
): SplitPlan {
  const left: { table: string; reason: string }[] = [];
  const slicesFor = sliceCutter(files);
  const planned = tables.flatMap((table): TablePlan[] => {
    const reason = refusedFor(table, files, refused);
    if (reason !== undefined) {
      left.push({ table: table.name, reason });
      return [];
    }
    const sizes = sizesOf(table);
    const total = files.reduce((sum, file) => sum + bytesOf(file, file.rowGroups.keys(), sizes), 0);
    const slices = slicesFor(2 ** Math.ceil(Math.log2(Math.max(1, total / options.targetBytes))));
    return [tablePlan(table, slices, sizes, options)];
  });
  return {
    snapshot: options.snapshot,
    target: options.target,
    tables: planned,
    parts: partsOf(planned, options.tablesAtOnce),
    left,
  };
}

/** Why a table cannot be copied from these files; undefined when it can. */
function refusedFor(table: SplitTable, files: readonly SourceFile[], refused: readonly Refusal[]): string | undefined {
  const [unreadable] = refused;
  if (unreadable !== undefined) return `${unreadable.url}: ${unreadable.reason}`;
  const [first] = files;
  if (first === undefined) return 'there are no source files';
  for (const { source } of table.columns) {
    const expected = first.columns.find(({ name }) => name === source)?.type;
    for (const file of files) {
      const found = file.columns.find(({ name }) => name === source)?.type;
      if (found === undefined) return `${file.url} has no column \`${source}\``;
      if (found !== expected) {
        return `column \`${source}\` needs a cast: it has one type in ${first.url} and another in ${file.url}`;
      }
    }
  }
  return undefined;
}

type Sizes = (file: SourceFile) => readonly number[];

/** Where a table's columns are in each file. */
function sizesOf(table: SplitTable): Sizes {
  const wanted = new Set(table.columns.map(({ source }) => source));
  const known = new Map<string, number[]>();
  return (file) => {
    let indexes = known.get(file.kind);
    if (indexes === undefined) {
      indexes = file.columns.flatMap(({ name }, index) => (wanted.has(name) ? [index] : []));
      known.set(file.kind, indexes);
    }
    return indexes;
  };
}

function bytesOf(file: SourceFile, groups: Iterable<number>, sizes: Sizes): number {
  const indexes = sizes(file);
  let sum = 0;
  for (const group of groups) {
    const { columnBytes } = file.rowGroups[group]!;
    for (const index of indexes) sum += columnBytes[index]!;
  }
  return sum;
}

/**
 * Cuts all row groups into as many slices as asked for, alike in bytes. Cuts for 2n include those for n. Row groups of files that cannot stand under
 * one footer do not meet in a slice.
 */
function sliceCutter(files: readonly SourceFile[]): (slices: number) => Slice[] {
  const kinds = [...new Set(files.map(({ kind }) => kind))];
  const ordered = kinds.flatMap((kind) => files.filter((file) => file.kind === kind));
  const atoms: { file: SourceFile; group: number; middle: number }[] = [];
  let total = 0;
  for (const file of ordered) {
    for (const [group, { columnBytes }] of file.rowGroups.entries()) {
      const bytes = columnBytes.reduce((sum, each) => sum + each, 0);
      atoms.push({ file, group, middle: total + bytes / 2 });
      total += bytes;
    }
  }
  const cut = (slices: number): Slice[] => {
    const found = new Map<string, { file: SourceFile; groups: number[] }[]>();
    for (const { file, group, middle } of atoms) {
      const number = total === 0 ? 0 : Math.min(slices - 1, Math.floor((middle / total) * slices));
      const name = `${kinds.indexOf(file.kind)}/${number}`;
      const slice = found.get(name) ?? [];
      found.set(name, slice);
      const last = slice.at(-1);
      if (last?.file === file) last.groups.push(group);
      else slice.push({ file, groups: [group] });
    }
    // A snapshot without rows is a table without rows, not no table.
    const [first] = ordered;
    if (found.size === 0 && first !== undefined) return [[{ file: first, groups: [] }]];
    return [...found.values()];
  };
  const known = new Map<number, Slice[]>();
  return (slices) => {
    const made = known.get(slices) ?? cut(slices);
    known.set(slices, made);
    return made;
  };
}

function tablePlan(table: SplitTable, slices: readonly Slice[], sizes: Sizes, options: PlanOptions): TablePlan {
  const partition = `${table.name}/snapshot_dt=${options.snapshot}/`;
  const id = planId(table, slices);
  return {
    table,
    folder: `${options.target}${partition}`,
    staging: `${options.target}${STAGING}/${partition}`,
    outputs: slices.map((slice, index): OutputPlan => {
      const name = `part-${String(index).padStart(5, '0')}-${id}.parquet`;
      const rows = slice.reduce((sum, { file, groups }) => {
        return groups.reduce((all, group) => all + file.rowGroups[group]!.rows, sum);
      }, 0);
      return {
        name,
        slice,
        rows,
        bytes: slice.reduce((sum, { file, groups }) => sum + bytesOf(file, groups, sizes), 0),
      };
    }),
  };
}

/** Tells one plan of a table from every other: by the versions of the files it is made of, the columns and the cuts. */
function planId(table: SplitTable, slices: readonly Slice[]): string {
  const made = slices.map((slice) =>
    slice.map(({ file, groups }) => [file.url, file.size, file.etag, file.version ?? '', groups]),
  );
  const text = JSON.stringify([FORMAT, table.name, table.columns.map(({ source, name }) => [source, name]), made]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Outputs of the same slice, a few tables at a time. */
function partsOf(tables: readonly TablePlan[], tablesAtOnce: number): Part[] {
  const bySlice = new Map<Slice, { table: TablePlan; output: OutputPlan }[]>();
  for (const table of tables) {
    for (const output of table.outputs) {
      const outputs = bySlice.get(output.slice) ?? [];
      bySlice.set(output.slice, outputs);
      outputs.push({ table, output });
    }
  }
  return [...bySlice].flatMap(([slice, outputs]) =>
    Array.from({ length: Math.ceil(outputs.length / tablesAtOnce) }, (_, index) => ({
      slice,
      outputs: outputs.slice(index * tablesAtOnce, (index + 1) * tablesAtOnce),
    })),
  );
}
