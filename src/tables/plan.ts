import { createHash } from 'node:crypto';
import type { Layout, PartCut, PlannedFile, Slice, SourceFile, SplitPlan, SplitTable, TablePlan } from './model.ts';
import { partsOf, tablePlan } from './place-outputs.ts';
import type { Refusal } from './sources.ts';

export interface PlanOptions extends PartCut {
  /** `YYYY-MM-DD`. */
  snapshot: string;
  /** URL ending in `/`: tables are folders in it. */
  target: string;
  layout: Layout;
  /** Bytes of an output at most, where row groups allow it. */
  targetBytes: number;
}

/** Changes whenever the same plan would make other files. */
const FORMAT = 1;

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
  const schemas = schemasOf(files);
  const planned = tables.flatMap((table): TablePlan[] => {
    const reason = refusedFor(table, schemas, refused);
    if (reason !== undefined) {
      left.push({ table: table.name, reason });
      return [];
    }
    const sizes = sizesOf(table);
    const total = files.reduce((sum, file) => sum + bytesOf(file, file.rowGroups.keys(), sizes), 0);
    const slices = slicesFor(2 ** Math.ceil(Math.log2(Math.max(1, total / options.targetBytes))));
    return [plannedTable(table, slices, sizes, options)];
  });
  const { snapshot, target, layout, tablesAtOnce, partBytes } = options;
  const cut = { tablesAtOnce, partBytes };
  return { snapshot, target, layout, tables: planned, parts: partsOf(planned, cut), cut, left };
}

/** Why a table cannot be copied from these files; undefined when it can. */
function refusedFor(table: SplitTable, schemas: readonly Schema[], refused: readonly Refusal[]): string | undefined {
  const [unreadable] = refused;
  if (unreadable !== undefined) return `${unreadable.url}: ${unreadable.reason}`;
  const [first] = schemas;
  if (first === undefined) return 'there are no source files';
  for (const { source } of table.columns) {
    for (const { url, types } of schemas) {
      const found = types.get(source);
      if (found === undefined) return `${url} has no column \`${source}\``;
      if (found !== first.types.get(source)) {
        return `column \`${source}\` needs a cast: it has one type in ${first.url} and another in ${url}`;
      }
    }
  }
  return undefined;
}

/** Types of columns by name, and the first of the files that have them. */
interface Schema {
  url: string;
  types: ReadonlyMap<string, string>;
}

/** Most snapshots have one: files of one kind have the same columns. */
function schemasOf(files: readonly SourceFile[]): Schema[] {
  const schemas = new Map<string, Schema>();
  for (const { kind, url, columns } of files) {
    if (schemas.has(kind)) continue;
    schemas.set(kind, { url, types: new Map(columns.map(({ name, type }) => [name, type])) });
  }
  return [...schemas.values()];
}

/** A slice, with what planning knows of its files and without: plans outlive the sizes of all columns of all row groups. */
interface SourceSlice {
  of: readonly { file: SourceFile; groups: readonly number[] }[];
  planned: Slice;
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
function sliceCutter(files: readonly SourceFile[]): (slices: number) => SourceSlice[] {
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
  const known = new Map<SourceFile, PlannedFile>();
  const plannedFile = (file: SourceFile): PlannedFile => {
    const { url, size, etag, version } = file;
    const made = known.get(file) ?? { url, size, etag, ...(version === undefined ? {} : { version }) };
    known.set(file, made);
    return made;
  };
  const sliceOf = (of: SourceSlice['of']): SourceSlice => ({
    of,
    planned: of.map(({ file, groups }) => ({ file: plannedFile(file), groups })),
  });
  const cut = (slices: number): SourceSlice[] => {
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
    if (found.size === 0 && first !== undefined) return [sliceOf([{ file: first, groups: [] }])];
    return [...found.values()].map(sliceOf);
  };
  const cuts = new Map<number, SourceSlice[]>();
  return (slices) => {
    const made = cuts.get(slices) ?? cut(slices);
    cuts.set(slices, made);
    return made;
  };
}

function plannedTable(
  table: SplitTable,
  slices: readonly SourceSlice[],
  sizes: Sizes,
  options: PlanOptions,
): TablePlan {
  const outputs = slices.map((slice) => ({
    slice: slice.planned,
    rows: slice.of.reduce(
      (sum, { file, groups }) => groups.reduce((all, group) => all + file.rowGroups[group]!.rows, sum),
      0,
    ),
    bytes: slice.of.reduce((sum, { file, groups }) => sum + bytesOf(file, groups, sizes), 0),
  }));
  return tablePlan(table, options, planId(table, slices), outputs);
}

/** Tells one plan of a table from every other: by the versions of the files it is made of, the columns and the cuts. */
function planId(table: SplitTable, slices: readonly SourceSlice[]): string {
  const made = slices.map(({ planned }) =>
    planned.map(({ file, groups }) => [file.url, file.size, file.etag, file.version ?? '', groups]),
  );
  const text = JSON.stringify([FORMAT, table.name, table.columns.map(({ source, name }) => [source, name]), made]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
