import { LakegateError } from '../errors.ts';
import type { SplitPlan, TablePlan } from '../tables/model.ts';
import { partsOf } from '../tables/place-outputs.ts';
import { writePlan } from '../tables/plan-document.ts';
import { ITEM_BYTES, planItems } from '../tables/planned.ts';
import { prepareSplit } from '../tables/prepare-split.ts';
import { withinWidth } from '../tables/too-wide.ts';
import { MOST_PIECES } from './machine.ts';
import { layoutOf, type SourceWork } from './work.ts';

/**
 * Plans the copy of the snapshot that was checked, of these very files, and leaves the plan in the run's folder.
 * @returns numbers of the pieces that it is copied in
 * @throws LakegateError `invalid` when the snapshot's files are not those any more; as `prepareSplit` and `writePlan`
 */
export async function planCopy(work: SourceWork): Promise<{ pieces: number[] }> {
  const { ports, config, pipeline, source, run, found, target } = work;
  const { store } = ports;
  const name = source.map?.slice(source.map.lastIndexOf('/') + 1);
  const map =
    name === undefined
      ? undefined
      : { text: new TextDecoder().decode((await store.read(run.mapUrl(source.name))).bytes), name };
  const { snapshot, plan } = await prepareSplit(store, {
    source: source.path,
    target,
    ...(map !== undefined && { map }),
    table: source.table,
    layout: layoutOf(pipeline),
    snapshot: found.snapshot,
    ...(source.marker !== undefined && { marker: source.marker }),
    key: source.key,
    aliases: source.aliases,
    only: map === undefined ? [] : found.tables,
    strict: source.strict,
    targetBytes: config.targetBytes,
  });
  const versions = (files: readonly { url: string; etag: string }[]) => files.map(({ url, etag }) => `${url} ${etag}`);
  const [before, now] = [new Set(versions(found.files)), versions(snapshot.files)];
  if (before.size !== now.length || now.some((version) => !before.has(version))) {
    throw new LakegateError(
      'invalid',
      `${found.folder} has other files than when the run began: expected the ${before.size} that were checked, found ${now.length}. Start the pipeline again once its writer is done.`,
      { context: { folder: found.folder } },
    );
  }
  const fitting = await withoutTooWide(work, plan);
  await writePlan(store, run.planUrl(source.name), fitting);
  return { pieces: [...piecesOf(fitting).keys()] };
}

/** The plan without tables that could not be registered for their width: no byte is moved for them, and they keep what they have. */
async function withoutTooWide({ pipeline, run, source }: SourceWork, plan: SplitPlan): Promise<SplitPlan> {
  // A table that is staged for Athena may be as wide as it is.
  if (pipeline.name !== 'partitioned') return plan;
  const tables: TablePlan[] = [];
  for (const each of plan.tables) {
    const { name, columns } = each.table;
    const fit = withinWidth(
      columns.map((column) => ({ name: column.name, type: '' })),
      1,
      pipeline,
    );
    if ('reason' in fit) await run.failTable(source.name, name, 'split', `${name}: ${fit.reason}`);
    else tables.push(each);
  }
  return { ...plan, tables, parts: partsOf(tables, plan.cut) };
}

/** Parts of a plan by the pieces they are copied in: so few that a state machine bears them. */
export function piecesOf(plan: SplitPlan): number[][] {
  let bytes = ITEM_BYTES;
  let pieces = planItems(plan, bytes);
  while (pieces.length > MOST_PIECES) {
    bytes *= 2;
    pieces = planItems(plan, bytes);
  }
  return pieces;
}
