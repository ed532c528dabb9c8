import * as z from 'zod';
import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { PlannedFile, Slice, SplitPlan } from './model.ts';
import { partsOf, tablePlan } from './place-outputs.ts';

/**
 * A plan as a document, for machines that do it in pieces. Source files stand in it once, slices once, names and folders of outputs not at all: they
 * follow from the rest.
 */
const DOCUMENT = z.strictObject({
  format: z.literal(1),
  snapshot: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  target: z.string().endsWith('/'),
  layout: z.enum(['partitioned', 'plain']),
  cut: z.strictObject({ tablesAtOnce: z.int().min(1), partBytes: z.number().min(0) }),
  /** What the URLs of all files begin with. */
  source: z.string(),
  /** Rest of the URL, size, etag, and the store's name of the version where it keeps versions. */
  files: z.array(z.tuple([z.string(), z.int().min(0), z.string()], z.string())),
  /** Runs of row groups: file, first group, the one behind the last. */
  slices: z.array(z.array(z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)]))),
  tables: z.array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_]{0,199}$/),
      /** What is behind `-` in the names of its outputs. */
      id: z.string().regex(/^[0-9a-f]{16}$/),
      /** Column of the source, and its name in the table where that is not the same in lower case. */
      columns: z.array(z.tuple([z.string()], z.string())),
      /** Slice, rows, bytes of chunks. */
      outputs: z.array(z.tuple([z.int().min(0), z.int().min(0), z.number().min(0)])),
    }),
  ),
  left: z.array(z.strictObject({ table: z.string(), reason: z.string() })),
});
type Document = z.infer<typeof DOCUMENT>;

/**
 * Writes a plan for `readPlan`. The same plan written again changes nothing; another one takes its place.
 * @returns its size in bytes
 * @throws LakegateError of the store, `conflict` when another writes it at the same moment
 */
export async function writePlan(store: ObjectStore, url: string, plan: SplitPlan): Promise<{ size: number }> {
  const bytes = new TextEncoder().encode(JSON.stringify(documentOf(plan)));
  const size = bytes.length;
  if ((await store.create(url, bytes)) !== undefined) return { size };
  const present = await store.read(url);
  if (Buffer.from(bytes).equals(present.bytes)) return { size };
  if ((await store.replace(url, bytes, present.etag)) !== undefined) return { size };
  throw new LakegateError('conflict', `${url} was changed by another run at the same moment. Plan the split again.`, {
    context: { url },
  });
}

/** Reads a plan that `writePlan` wrote. @throws LakegateError `not_found`, `corrupt` for anything else */
export async function readPlan(store: ObjectStore, url: string): Promise<SplitPlan> {
  const { bytes } = await store.read(url);
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw unfit(url, 'it is no JSON', cause);
  }
  const { success, data: document, error } = DOCUMENT.safeParse(data);
  if (!success) {
    const [first] = error.issues;
    throw unfit(url, `${first?.path.join('.') || 'it'}: ${first?.message}`, error);
  }
  return planOf(document, url);
}

function documentOf(plan: SplitPlan): Document {
  const files = new Map<PlannedFile, number>();
  const slices = new Map<Slice, number>();
  for (const { outputs } of plan.tables) {
    for (const { slice } of outputs) {
      if (slices.has(slice)) continue;
      slices.set(slice, slices.size);
      for (const { file } of slice) if (!files.has(file)) files.set(file, files.size);
    }
  }
  const source = commonFolder([...files.keys()].map(({ url }) => url));
  return {
    format: 1,
    snapshot: plan.snapshot,
    target: plan.target,
    layout: plan.layout,
    cut: plan.cut,
    source,
    files: [...files.keys()].map(({ url, size, etag, version }) => [
      url.slice(source.length),
      size,
      etag,
      ...(version === undefined ? [] : [version]),
    ]),
    slices: [...slices.keys()].map((slice) =>
      slice.flatMap(({ file, groups }) =>
        runsOf(groups).map(([first, end]) => [files.get(file)!, first, end] as const),
      ),
    ) as Document['slices'],
    tables: plan.tables.map(({ table, outputs }) => ({
      name: table.name,
      id: outputs[0]?.name.slice(-'0123456789abcdef.parquet'.length, -'.parquet'.length) ?? '',
      columns: table.columns.map((column): [string, ...string[]] =>
        column.name === column.source.toLowerCase() ? [column.source] : [column.source, column.name],
      ),
      outputs: outputs.map(({ slice, rows, bytes }) => [slices.get(slice)!, rows, bytes]),
    })),
    left: [...plan.left],
  };
}

/** Runs of numbers: [first, behind the last]. No numbers are a run of none. */
function runsOf(groups: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const group of groups) {
    const last = runs.at(-1);
    if (last?.[1] === group) last[1] = group + 1;
    else runs.push([group, group + 1]);
  }
  return runs.length === 0 ? [[0, 0]] : runs;
}

function commonFolder(urls: readonly string[]): string {
  const [first = '', ...others] = urls;
  let end = first.lastIndexOf('/') + 1;
  while (end > 0 && others.some((url) => !url.startsWith(first.slice(0, end)))) {
    end = first.lastIndexOf('/', end - 2) + 1;
  }
  return first.slice(0, end);
}

function planOf(document: Document, url: string): SplitPlan {
  const { snapshot, target, layout, cut, source } = document;
  const known = <T>(list: readonly T[], index: number, what: string): T => {
    const found = list[index];
    if (found === undefined) throw unfit(url, `${what} ${index} is not in it`);
    return found;
  };
  const files = document.files.map(([rest, size, etag, version]): PlannedFile => {
    return { url: `${source}${rest}`, size, etag, ...(version === undefined ? {} : { version }) };
  });
  const slices = document.slices.map((runs): Slice => {
    const slice: { file: PlannedFile; groups: number[] }[] = [];
    for (const [index, first, end] of runs) {
      const file = known(files, index, 'file');
      let last = slice.at(-1);
      if (last?.file !== file) {
        last = { file, groups: [] };
        slice.push(last);
      }
      for (let group = first; group < end; group += 1) last.groups.push(group);
    }
    return slice;
  });
  const tables = document.tables.map(({ name, id, columns, outputs }) =>
    tablePlan(
      { name, columns: columns.map(([column, own]) => ({ source: column, name: own ?? column.toLowerCase() })) },
      { target, layout, snapshot },
      id,
      outputs.map(([slice, rows, bytes]) => ({ slice: known(slices, slice, 'slice'), rows, bytes })),
    ),
  );
  return { snapshot, target, layout, tables, parts: partsOf(tables, cut), cut, left: document.left };
}

function unfit(url: string, fault: string, cause?: unknown): LakegateError {
  return new LakegateError(
    'corrupt',
    `${url} is no plan of a split that this version can read: ${fault}. Plan the split again.`,
    { context: { url }, cause },
  );
}
