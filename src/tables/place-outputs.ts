import type { Layout, OutputPlan, Part, PartCut, Slice, SplitTable, TablePlan } from './model.ts';

/** Unfinished outputs lie here, where engines do not look. */
const STAGING = '_staging';

/** Folder of a target's unfinished outputs, URL ending in `/`. */
export function stagingOf(target: string): string {
  return `${target}${STAGING}/`;
}

/** Folder of all that the Spark job has not put into its place, URL ending in `/`: `STAGING` of glue/split.py. */
export function sparkStagingOf(target: string): string {
  return `${target}_staging_spark/`;
}

/** Folder of a table's unfinished outputs, URL ending in `/`; `split_table` of glue/split.py knows it, too. */
export function stagingFolder(target: string, table: string, layout: Layout, snapshot: string): string {
  // One folder for each, not two: each folder that is made has to be made durable.
  return `${stagingOf(target)}${table}.${layout === 'partitioned' ? `snapshot_dt=${snapshot}/` : 'plain/'}`;
}

/** Where tables go. */
export interface Place {
  /** URL ending in `/`: tables are folders in it. */
  target: string;
  layout: Layout;
  /** `YYYY-MM-DD`. */
  snapshot: string;
}

/**
 * A table's plan: its folders, and its outputs under their names.
 * @param id tells this plan of the table from every other: 16 hexadecimal digits
 */
export function tablePlan(
  table: SplitTable,
  { target, layout, snapshot }: Place,
  id: string,
  outputs: readonly Omit<OutputPlan, 'name'>[],
): TablePlan {
  const root = `${target}${table.name}/`;
  const partition = `snapshot_dt=${snapshot}/`;
  return {
    table,
    layout,
    root,
    folder: layout === 'partitioned' ? `${root}${partition}` : root,
    staging: stagingFolder(target, table.name, layout, snapshot),
    outputs: outputs.map((output, index) => ({
      name: `part-${String(index).padStart(5, '0')}-${id}.parquet`,
      ...output,
    })),
  };
}

/** Outputs of the same slice, a few tables at a time. */
export function partsOf(tables: readonly TablePlan[], { tablesAtOnce, partBytes }: PartCut): Part[] {
  const bySlice = new Map<Slice, Part['outputs'][number][]>();
  for (const table of tables) {
    for (const output of table.outputs) {
      const outputs = bySlice.get(output.slice) ?? [];
      bySlice.set(output.slice, outputs);
      outputs.push({ table, output });
    }
  }
  const parts: Part[] = [];
  for (const [slice, outputs] of bySlice) {
    let bytes = 0;
    let own: Part['outputs'][number][] = [];
    const close = () => {
      if (own.length > 0) parts.push({ number: parts.length, slice, outputs: own });
      own = [];
      bytes = 0;
    };
    for (const each of outputs) {
      if (own.length >= tablesAtOnce || bytes + each.output.bytes > partBytes) close();
      own.push(each);
      bytes += each.output.bytes;
    }
    close();
  }
  return parts;
}
