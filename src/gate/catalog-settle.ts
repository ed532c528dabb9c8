import type { CatalogBranches, KnownBranch } from '../catalogs/branches.ts';
import type { LoadedTable } from '../catalogs/catalog.ts';
import { isKind, LakegateError } from '../errors.ts';
import { headOf, MAIN, snapshotById } from '../iceberg/ancestry.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import type { Snapshot } from '../iceberg/model.ts';
import { replacedBy } from '../iceberg/overwrite.ts';
import type { Plan } from '../iceberg/plan.ts';
import { DELIVERIES_KEY } from '../iceberg/published.ts';
import { loadStaged, stagedFiles } from '../iceberg/staged-snapshot.ts';
import type { ChangedFile } from '../iceberg/summary.ts';
import { publishedSince } from './catalog-history.ts';
import { dropQuietly, mergeForCertain, mergingCatalog, wordsOf } from './catalog-merge.ts';
import { freshBranch, KEEP_PROPERTY, mainOf, planOnMain } from './catalog-stage.ts';
import { commitOptions } from './commit-options.ts';
import { decisionSummary } from './decision-keys.ts';
import { branchOf } from './identity.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import type { Settled, Settlement, StagedDelivery } from './publish.ts';
import { publishedSchema } from './schema-change.ts';

/** A batch on its branch, as it was audited. */
interface Audited {
  ports: GatePorts;
  target: TableTarget;
  branches: CatalogBranches;
  branch: KnownBranch;
  snapshot: Snapshot;
  files: ChangedFile[];
  settlement: Settlement;
}

/**
 * `settleStaged` on branches of the whole catalogue, one step after the other, each of which may be done again. What fails is put aside before
 * anything is published: nothing after the merge can make the batch go round again.
 */
export async function settleCatalogBranches(
  ports: GatePorts,
  target: TableTarget,
  branches: CatalogBranches,
  loaded: LoadedTable,
  settlement: Settlement,
): Promise<Settled> {
  const { branch: name, auditedSnapshotId, passing, failing, abandoned = [] } = settlement;
  const keeps = settlement.onFailure === 'keep_branch' ? failing : [];
  const kept: Settled['kept'] = new Map();
  if (passing.length + abandoned.length === 0 && keeps.length === 1 && branchOf(keeps[0]!.id) === name) {
    // It lies where it is to be kept already.
    kept.set(keeps[0]!.id, { branch: name, snapshotId: auditedSnapshotId });
    return { table: loaded, published: new Map(), kept };
  }
  const branch = await branches.find(name);
  const ids = [...passing, ...failing].map(({ id }) => id);
  const there = await publishedSince(branches, target.identifier, ids, branch?.startedFrom);
  const open = passing.filter(({ id }) => !there.has(id));
  const aside = keeps.filter(({ id }) => !there.has(id));
  const published = new Map([...there].filter(([id]) => passing.some((delivery) => delivery.id === id)));
  if (branch === undefined) {
    // An earlier attempt has settled it, or somebody dropped it.
    for (const { id } of aside) {
      const snapshotId = await headOn(branches, target, branchOf(id));
      if (snapshotId !== undefined) kept.set(id, { branch: branchOf(id), snapshotId });
    }
    if (open.length > 0 || kept.size < aside.length) throw notAsAudited(name, auditedSnapshotId, undefined);
    return { table: loaded, published, kept };
  }
  const table = await branches.at(branch).loadTable(target.identifier);
  const head = headOf(table.metadata, MAIN);
  const snapshot = head === auditedSnapshotId ? snapshotById(table.metadata, head) : undefined;
  if (snapshot === undefined) throw notAsAudited(name, auditedSnapshotId, head);
  const files = stagedFiles(await loadStaged(ports.io, snapshot));
  const audited: Audited = { ports, target, branches, branch, snapshot, files, settlement };
  for (const delivery of aside) {
    kept.set(delivery.id, { branch: branchOf(delivery.id), snapshotId: await keepAside(audited, delivery) });
  }
  if (open.length > 0) {
    const whole = open.length === passing.length + failing.length + abandoned.length;
    if (!whole || !(await mergeWhole(audited))) await republish(audited, open, published);
    else for (const { id } of open) published.set(id, snapshot.snapshotId);
  }
  await dropQuietly(branches, name);
  return { table: loaded, published, kept };
}

/** Merges the branch as it was audited. @returns false when the table has changed on main meanwhile */
async function mergeWhole({ target, branches, branch, snapshot, settlement }: Audited): Promise<boolean> {
  const summary = { ...snapshot.summary, ...decisionSummary(settlement.decision) };
  const words = wordsOf(target.identifier, snapshot.snapshotId, summary);
  try {
    await mergeForCertain(branches, target.identifier, branch, branch.startedFrom, words);
    return true;
  } catch (error) {
    // What is on main, by then or later, is for the next way to find out.
    if (isKind(error, 'conflict', 'unknown_outcome')) return false;
    throw error;
  }
}

/** Commits the passing files anew on what main has by now, beside whatever others put there. */
async function republish(
  { ports, target, branches, branch, snapshot, files, settlement }: Audited,
  open: readonly StagedDelivery[],
  published: Map<string, bigint>,
): Promise<void> {
  const ids = open.map(({ id }) => id);
  let last: { plan: Plan; ids: string[] } | undefined;
  await commitWithRetry(
    mergingCatalog(ports, target.catalog, branches),
    target.identifier,
    undefined,
    async (current) => {
      const there = await publishedSince(branches, target.identifier, ids, branch.startedFrom);
      for (const [id, snapshotId] of there) published.set(id, snapshotId);
      const rest = open.filter(({ id }) => !there.has(id));
      if (rest.length === 0) return undefined;
      await settlement.checkMain?.(current);
      const schema = publishedSchema(current.metadata, rest);
      const plan = await planOnMain(ports, current, replacedBy(snapshot), {
        ...filesOf(files, rest),
        summary: {
          [DELIVERIES_KEY]: rest.map(({ id }) => id).join(','),
          ...decisionSummary(settlement.decision),
        },
        schemaId: schema.schemaId,
        extraUpdates: schema.updates,
      });
      last = { plan, ids: rest.map(({ id }) => id) };
      return plan;
    },
    { ...commitOptions(ports), happened: () => false },
  );
  for (const id of last?.ids ?? []) if (!published.has(id)) published.set(id, last!.plan.snapshot!.snapshotId);
}

/** A failed delivery on a branch of its own, with nothing but its files beside what main has. @returns the snapshot there */
async function keepAside(
  { ports, target, branches, snapshot, files, settlement }: Audited,
  delivery: StagedDelivery,
): Promise<bigint> {
  const name = branchOf(delivery.id);
  const own = await freshBranch(branches, name, await mainOf(branches));
  const catalog = branches.at(own, { [KEEP_PROPERTY]: String(settlement.keepBranchMs) });
  const table = await catalog.loadTable(target.identifier);
  const schema = publishedSchema(table.metadata, [delivery]);
  const plan = await planOnMain(ports, table, replacedBy(snapshot), {
    ...filesOf(files, [delivery]),
    summary: { [DELIVERIES_KEY]: delivery.id },
    schemaId: schema.schemaId,
    extraUpdates: schema.updates,
  });
  await catalog.commit(table, plan.requirements, plan.updates);
  return plan.snapshot!.snapshotId;
}

/** What was staged together is of one partition spec. */
function filesOf(files: readonly ChangedFile[], deliveries: readonly StagedDelivery[]) {
  const paths = new Set(deliveries.flatMap((delivery) => delivery.files));
  const chosen = files.filter(({ file }) => paths.has(file.filePath));
  const specId = chosen[0]?.specId;
  return { dataFiles: chosen.map(({ file }) => file), ...(specId === undefined ? {} : { specId }) };
}

/** Where the table is on a branch; undefined when the branch has gone. */
async function headOn(branches: CatalogBranches, target: TableTarget, name: string): Promise<bigint | undefined> {
  const branch = await branches.find(name);
  const table = branch && (await branches.at(branch).findTable(target.identifier));
  return table && headOf(table.metadata, MAIN);
}

function notAsAudited(branch: string, expected: bigint, found: bigint | undefined): LakegateError {
  const now =
    found === undefined ? 'there is no such branch (it was settled, dropped or has expired)' : `it is at ${found}`;
  return new LakegateError(
    'conflict',
    `Branch ${branch} of the catalogue cannot be settled: expected the table there at the audited snapshot ${expected}, but ${now}. ` +
      'Nothing was published. Stage and audit the delivery again if it is not on main.',
    { context: { branch, expected, found } },
  );
}
