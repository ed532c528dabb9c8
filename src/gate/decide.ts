import type { Catalog, LoadedTable } from '../catalogs/catalog.ts';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { ancestorsOf, headOf, MAIN, snapshotById } from '../iceberg/ancestry.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import { DELIVERIES_KEY, idsIn, publishedSnapshots, REMOVED_DELIVERIES_KEY } from '../iceberg/published.ts';
import { planRollback } from '../iceberg/refs.ts';
import { planRemoveFiles } from '../iceberg/remove-files.ts';
import { isoTime } from './claim.ts';
import { commitOptions } from './commit-options.ts';
import type { Decision, DeliveryRecord, DeliveryState } from './delivery.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { settleStaged } from './publish.ts';
import type { VersionedRecord } from './records.ts';
import { keptChange } from './schema-change.ts';
import { isTakenOut, type KeptDelivery, publishedBy, type Staging } from './staging.ts';
import { stagingOf } from './staging-of.ts';

/**
 * Publishes a delivery that the audit stopped, from its kept branch, on a person's word.
 * @throws LakegateError `usage` when it is not stopped, or its branch is gone or was changed since the audit
 */
export async function publishDelivery(
  ports: GatePorts,
  table: TableConfig,
  id: string,
  decision: Decision,
): Promise<DeliveryRecord> {
  const current = await loadRecord(ports, id);
  const { record } = current;
  requireState(record, ['rejected', 'errored'], 'published by hand');
  const target = targetOf(ports, record);
  const staging = stagingOf(ports, target);
  const loaded = await target.catalog.findTable(target.identifier);
  let snapshotId = loaded && (await publishedBy(staging.publications(loaded), [id])).get(id)?.snapshotId;
  if (snapshotId === undefined) {
    const { branch, table: main, kept } = await requireBranch(staging, loaded, record);
    const settled = await settleStaged(ports, target, main, {
      branch,
      auditedSnapshotId: kept.snapshotId,
      passing: [{ id, files: record.files ?? [], ...keptChange(main.metadata, kept.schema, record.addedColumns) }],
      failing: [],
      onFailure: 'keep_branch',
      keepBranchMs: table.keepBranchMs,
      decision,
    });
    snapshotId = settled.published.get(id);
  }
  return decide(ports, current, 'published', decision, 'publish', {
    publishedSnapshotId: snapshotId?.toString(),
    branch: undefined,
  });
}

/**
 * Gives a stopped delivery up: its branch is dropped and its staged files are removed. The dropped object itself stays where it is.
 * @throws LakegateError `usage` when it is not stopped
 */
export async function discardDelivery(ports: GatePorts, id: string, decision: Decision): Promise<DeliveryRecord> {
  const current = await loadRecord(ports, id);
  const { record } = current;
  requireState(record, ['rejected', 'errored'], 'discarded');
  if (record.branch !== undefined) {
    const target = targetOf(ports, record);
    const staging = stagingOf(ports, target);
    const loaded = await target.catalog.findTable(target.identifier);
    if (loaded && (await publishedBy(staging.publications(loaded), [id])).has(id)) {
      throw new LakegateError(
        'usage',
        `delivery ${id} is on main: \`lakegate delivery publish\` put it there and was cut short before its record. ` +
          `Run it again, then take the delivery out with \`lakegate table rollback ${record.table} --delivery ${id}\``,
        { context: { id } },
      );
    }
    if (loaded) await staging.drop(loaded, record.branch);
  }
  return decide(ports, current, 'discarded', decision, 'discard', { branch: undefined });
}

/**
 * Takes one published delivery out of main: a delete commit over exactly its files.
 * @throws LakegateError `usage` when it is not published, `not_found` when its files were rewritten since
 */
export async function rollbackDelivery(
  ports: GatePorts,
  target: TableTarget,
  id: string,
  decision: Decision,
): Promise<LoadedTable> {
  const current = await loadRecord(ports, id);
  requireState(current.record, ['published'], 'rolled back');
  const paths = new Set(current.record.files ?? []);
  const happened = (table: LoadedTable): boolean =>
    [...ancestorsOf(table.metadata, headOf(table.metadata, MAIN))].some(
      ({ summary }) => summary[REMOVED_DELIVERIES_KEY] === id,
    );
  const { table: after } = await commitWithRetry(
    target.catalog,
    target.identifier,
    undefined,
    async (table) =>
      // A delivery without rows has no files to take out.
      happened(table) || paths.size === 0 || (await isTakenOut(stagingOf(ports, target).publications(table), id))
        ? undefined
        : planRemoveFiles(ports.io, table, { paths, summary: { [REMOVED_DELIVERIES_KEY]: id } }),
    { ...commitOptions(ports), happened },
  );
  await decide(ports, current, 'rolled_back', decision, 'rollback', {});
  return after;
}

/**
 * Moves main back to an earlier snapshot of its own. Deliveries published after it are marked as rolled back.
 * @throws LakegateError `invalid` when main was never at that snapshot, `unsupported` where the catalogue branches and tables have no history
 */
export async function rollbackTable(
  ports: GatePorts,
  target: TableTarget,
  snapshotId: bigint,
  decision: Decision,
): Promise<{ table: LoadedTable; deliveries: string[] }> {
  if (target.catalog.branches !== undefined) {
    throw new LakegateError(
      'unsupported',
      `tables of the catalogue ${target.catalog.name} keep no earlier snapshots to go back to; take deliveries out with \`lakegate table rollback TABLE --delivery ID\`, or set the catalogue's branch back in the catalogue itself`,
      { context: { catalog: target.catalog.name } },
    );
  }
  const { table } = await commitWithRetry(
    target.catalog,
    target.identifier,
    undefined,
    async (current) => (headOf(current.metadata, MAIN) === snapshotId ? undefined : planRollback(current, snapshotId)),
    { ...commitOptions(ports), happened: (current) => headOf(current.metadata, MAIN) === snapshotId },
  );
  const deliveries: string[] = [];
  for (const id of undoneDeliveries(table)) {
    const current = await ports.records.load(id);
    if (current?.record.state !== 'published') continue;
    await decide(ports, current, 'rolled_back', decision, 'rollback', {});
    deliveries.push(id);
  }
  return { table, deliveries };
}

/** Deliveries that were on main once and are not now: by main's log, so that a run that was cut short after its commit can be made up for. */
function undoneDeliveries(table: LoadedTable): string[] {
  const { metadata } = table;
  const once = new Set<string>();
  for (const { snapshotId } of metadata.snapshotLog) {
    const snapshot = snapshotById(metadata, snapshotId);
    for (const id of snapshot ? idsIn(snapshot, DELIVERIES_KEY) : []) once.add(id);
  }
  const there = publishedSnapshots(table, once);
  return [...once].filter((id) => !there.has(id));
}

async function decide(
  ports: GatePorts,
  current: VersionedRecord,
  state: DeliveryState,
  decision: Decision,
  action: NonNullable<DeliveryRecord['decision']>['action'],
  change: Partial<DeliveryRecord>,
): Promise<DeliveryRecord> {
  const at = isoTime(ports.now());
  // Whoever decides knows of it: it need not be told any more.
  const { lease: _lease, notification: _notification, ...known } = current.record;
  const record: DeliveryRecord = {
    ...known,
    ...change,
    state,
    history: [...current.record.history, { state, at, detail: `by ${decision.by}: ${decision.reason}` }],
    decision: { action, ...decision, at },
  };
  if (!(await ports.records.replace(current, record))) {
    throw new LakegateError(
      'conflict',
      `delivery ${record.id} was changed by somebody else meanwhile: look at it and decide again`,
      {
        context: { id: record.id },
      },
    );
  }
  return record;
}

async function loadRecord(ports: GatePorts, id: string): Promise<VersionedRecord> {
  const current = await ports.records.load(id);
  if (!current) throw new LakegateError('usage', `there is no delivery ${id}`, { context: { id } });
  return current;
}

function requireState(record: DeliveryRecord, states: readonly DeliveryState[], what: string): void {
  if (states.includes(record.state)) return;
  throw new LakegateError(
    'usage',
    `delivery ${record.id} is ${record.state.replace('_', ' ')}; only one that is ${states.join(' or ')} can be ${what}`,
    { context: { id: record.id, state: record.state } },
  );
}

/** The kept branch, still at what was audited, and the table it is of. */
async function requireBranch(
  staging: Staging,
  loaded: LoadedTable | undefined,
  { id, branch, stagedSnapshotId }: DeliveryRecord,
): Promise<{ branch: string; table: LoadedTable; kept: KeptDelivery }> {
  const kept = loaded && branch !== undefined ? await staging.kept(loaded, branch) : undefined;
  if (!loaded || branch === undefined || kept === undefined) {
    throw new LakegateError(
      'usage',
      `delivery ${id} has no branch to publish (${branch ? `${branch} has expired or was dropped` : 'it was never staged, or not kept'}); mend the file or the rules, then \`lakegate delivery retry ${id}\``,
    );
  }
  if (String(kept.snapshotId) !== stagedSnapshotId) {
    throw new LakegateError(
      'usage',
      `branch ${branch} is at snapshot ${kept.snapshotId}, but ${stagedSnapshotId} was audited: somebody wrote to it since. Drop it and retry the delivery`,
    );
  }
  return { branch, table: loaded, kept };
}

function targetOf(ports: GatePorts, record: DeliveryRecord): TableTarget {
  const catalog: Catalog = ports.catalog(record.catalog);
  return { identifier: parseIdentifier(record.table), catalog };
}
