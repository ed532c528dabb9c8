import type { CatalogBranch, CatalogBranches } from '../catalogs/branches.ts';
import type { LoadedTable } from '../catalogs/catalog.ts';
import { isKind, LakegateError } from '../errors.ts';
import { headOf, MAIN } from '../iceberg/ancestry.ts';
import { planAppend, type StagedFiles } from '../iceberg/append.ts';
import { planOverwrite, type Replaced } from '../iceberg/overwrite.ts';
import { moveBranch, type Plan } from '../iceberg/plan.ts';
import { DELIVERIES_KEY } from '../iceberg/published.ts';
import { batchBranchOf } from './identity.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { checkFitted } from './schema-change.ts';
import type { Staged, StageRequest } from './stage.ts';

/** The property of a branch's commit that tells how long the branch is kept. Milliseconds, decimal. */
export const KEEP_PROPERTY = 'lakegate.keep-ms';

/** A batch's branch that was left behind by a killed run goes after a day; a single delivery's stays as long as a kept one. */
export const BATCH_BRANCH_MS = 24 * 60 * 60 * 1000;

/** `stage` on a branch of the whole catalogue, where the files are committed to what the table's main is there. */
export async function stageOnCatalogBranch(
  ports: GatePorts,
  target: TableTarget,
  branches: CatalogBranches,
  loaded: LoadedTable,
  request: StageRequest,
): Promise<Staged> {
  const { config, ids, dataFiles } = request;
  const name = batchBranchOf(ids);
  const main = await mainOf(branches);
  // After main was looked at: what another runner publishes from now on is on main after the branch's start, where settling looks for it.
  await request.checkHeld();
  const branch = await freshBranch(branches, name, main);
  const keepMs = ids.length === 1 ? config.keepBranchMs : BATCH_BRANCH_MS;
  const onBranch = branches.at(branch, { [KEEP_PROPERTY]: String(keepMs) });
  const table = await onBranch.loadTable(target.identifier);
  checkFitted(loaded.metadata, table.metadata);
  const schema = request.schemaFor(table.metadata);
  const plan = await planOnMain(ports, table, config.mode === 'append' ? undefined : replacedBy(config.mode), {
    dataFiles,
    summary: { [DELIVERIES_KEY]: ids.join(',') },
    schemaId: schema.schemaId,
    extraUpdates:
      schema.schemaId === table.metadata.currentSchemaId
        ? schema.updates
        : [...schema.updates, { action: 'set-current-schema', schemaId: schema.schemaId }],
  });
  const snapshot = plan.snapshot!;
  try {
    await onBranch.commit(table, plan.requirements, plan.updates);
  } catch (error) {
    if (!isKind(error, 'unknown_outcome')) throw error;
    const now = await branches.find(name);
    const after = now && (await branches.at(now).loadTable(target.identifier));
    if (after === undefined || headOf(after.metadata, MAIN) !== snapshot.snapshotId) throw error;
  }
  return { table, branch: name, snapshot };
}

/** Main's head. @throws LakegateError `config` */
export async function mainOf(branches: CatalogBranches): Promise<CatalogBranch> {
  const main = await branches.find(branches.main);
  if (main !== undefined) return main;
  throw new LakegateError(
    'config',
    `the catalogue has no branch ${branches.main}: create it, or set \`branch\` of the catalogue`,
    { context: { branch: branches.main } },
  );
}

/** A branch of that name at main's head; one that an earlier attempt left goes. */
export async function freshBranch(
  branches: CatalogBranches,
  name: string,
  main: CatalogBranch,
): Promise<CatalogBranch> {
  try {
    return await branches.create(name, main);
  } catch (error) {
    if (!isKind(error, 'exists')) throw error;
  }
  const left = await branches.find(name);
  if (left !== undefined) await branches.drop(left);
  return branches.create(name, main);
}

/** Plans the files onto main of a table as a catalogue's branch shows it. */
export async function planOnMain(
  ports: GatePorts,
  table: LoadedTable,
  replace: Replaced | undefined,
  files: Omit<StagedFiles, 'branch'>,
): Promise<Plan> {
  // The plan is for a ref beside main; here the whole catalogue is beside main, so the ref is main.
  const beside = 'wap-staged';
  const staged = { ...files, branch: beside };
  const plan =
    replace === undefined
      ? await planAppend(ports.io, table, staged)
      : await planOverwrite(ports.io, table, { ...staged, replace });
  return {
    ...plan,
    requirements: plan.requirements.filter(
      (requirement) => !(requirement.type === 'assert-ref-snapshot-id' && requirement.ref === beside),
    ),
    updates: plan.updates.map((update) =>
      update.action === 'set-snapshot-ref' && update.ref === beside
        ? moveBranch(table.metadata, MAIN, update.value.snapshotId)
        : update,
    ),
  };
}

function replacedBy(mode: 'overwrite' | 'overwrite_partitions'): Replaced {
  return mode === 'overwrite' ? 'table' : 'partitions';
}
