import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { headOf, snapshotById } from '../iceberg/ancestry.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import { planPublish } from '../iceberg/publish.ts';
import { DELIVERIES_KEY, findPublished, publishedSnapshots } from '../iceberg/published.ts';
import { commitOptions } from './commit-options.ts';
import { decisionSummary } from './decision-keys.ts';
import { branchOf } from './identity.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import type { Settled, Settlement, StagedDelivery } from './publish.ts';
import { publishedSchema } from './schema-change.ts';

/** `settleStaged` on branches of the table: one commit for all of it. */
export async function settleRefs(
  ports: GatePorts,
  target: TableTarget,
  loaded: LoadedTable,
  settlement: Settlement,
): Promise<Settled> {
  const { branch, auditedSnapshotId, passing, failing, abandoned = [], onFailure } = settlement;
  const keeps = onFailure === 'keep_branch' ? failing : [];
  if (passing.length + abandoned.length === 0 && keeps.length === 1 && branchOf(keeps[0]!.id) === branch) {
    // It lies where it is to be kept already: no commit.
    return outcome(loaded, settlement, keeps);
  }
  const happened = (table: LoadedTable): boolean =>
    headOf(table.metadata, branch) === undefined &&
    (passing.length > 0 ? passing.every(({ id }) => findPublished(table, id) !== undefined) : true);
  const { table, plan } = await commitWithRetry(
    target.catalog,
    target.identifier,
    loaded,
    async (current) => {
      if (happened(current)) return undefined;
      await settlement.checkMain?.(current);
      const { publish, keep, leave } = sortOut(current, settlement, keeps);
      const schema = publishedSchema(current.metadata, publish);
      return planPublish(ports.io, current, {
        branch,
        auditedSnapshotId,
        keep: keep.map(({ id, files }) => ({
          branch: branchOf(id),
          files: new Set(files),
          summary: { [DELIVERIES_KEY]: id },
          maxRefAgeMs: settlement.keepBranchMs,
        })),
        discard: new Set(leave.flatMap(({ files }) => files)),
        summary: {
          [DELIVERIES_KEY]: publish.map(({ id }) => id).join(','),
          ...decisionSummary(settlement.decision),
        },
        extraUpdates: schema.updates,
        schemaId: schema.schemaId,
      });
    },
    { ...commitOptions(ports), happened },
  );
  // A tag or branch that somebody put on the staged snapshot meanwhile still needs its files.
  const gone = snapshotById(table.metadata, auditedSnapshotId) === undefined;
  const discarded = onFailure === 'discard' && gone ? failing.flatMap(({ files }) => files) : [];
  await removeLeftovers(ports, plan?.obsolete ?? [], discarded, table);
  return outcome(table, settlement, keeps);
}

/** What this commit does with each delivery, by what the table shows of other runners' work. */
function sortOut(
  table: LoadedTable,
  { branch, passing, failing, abandoned = [] }: Settlement,
  keeps: readonly StagedDelivery[],
): { publish: StagedDelivery[]; keep: StagedDelivery[]; leave: StagedDelivery[] } {
  const there = publishedSnapshots(table, new Set([...passing, ...failing].map(({ id }) => id)));
  const publish = passing.filter(({ id }) => !there.has(id));
  const keep = keeps.filter(({ id }) => {
    const own = branchOf(id);
    return !there.has(id) && (own === branch || headOf(table.metadata, own) === undefined);
  });
  const taken = new Set([...publish, ...keep]);
  return { publish, keep, leave: [...passing, ...failing, ...abandoned].filter((delivery) => !taken.has(delivery)) };
}

function outcome(table: LoadedTable, { passing }: Settlement, keeps: readonly StagedDelivery[]): Settled {
  const published = new Map<string, bigint>();
  for (const { id } of passing) {
    const snapshot = findPublished(table, id);
    if (!snapshot) {
      throw new LakegateError(
        'conflict',
        `delivery ${id} is not on main after the commit that should have put it there: look at it again`,
        {
          context: { id },
        },
      );
    }
    published.set(id, snapshot.snapshotId);
  }
  const kept = new Map<string, { branch: string; snapshotId: bigint }>();
  for (const { id } of keeps) {
    const snapshotId = headOf(table.metadata, branchOf(id));
    if (snapshotId !== undefined) kept.set(id, { branch: branchOf(id), snapshotId });
  }
  return { table, published, kept };
}

/** Best effort: what stays is found by the sweep. Registered files, which lie outside the table, are their owners'. */
async function removeLeftovers(
  ports: GatePorts,
  obsolete: readonly string[],
  discarded: readonly string[],
  table: LoadedTable,
): Promise<void> {
  const own = discarded.filter((path) => path.startsWith(`${table.metadata.location.replace(/\/+$/, '')}/`));
  const urls = [...obsolete, ...own];
  if (urls.length > 0) await ports.store.delete(urls).catch(() => undefined);
}
