import { type CatalogBranches, type KnownBranch, TABLE_PROPERTY, tableProperty } from '../catalogs/branches.ts';
import type { TableIdentifier } from '../catalogs/catalog.ts';
import { formatIdentifier } from '../catalogs/identifier.ts';
import { isKind } from '../errors.ts';
import { headOf, MAIN, snapshotById } from '../iceberg/ancestry.ts';
import { publicationsOn } from './catalog-history.ts';
import { settleCatalogBranches } from './catalog-settle.ts';
import { BATCH_BRANCH_MS, KEEP_PROPERTY, stageOnCatalogBranch } from './catalog-stage.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { schemaOf } from './schema-change.ts';
import type { Staging } from './staging.ts';
import type { SweepOptions, SweepReport } from './sweep.ts';

/**
 * Staging on branches of the whole catalogue. Files that are committed to any branch are never deleted from here: people may branch off ours,
 * and only the catalogue's own collector sees all that its branches and its history need.
 */
export function catalogStaging(ports: GatePorts, target: TableTarget, branches: CatalogBranches): Staging {
  const { identifier } = target;
  return {
    stage: (loaded, request) => stageOnCatalogBranch(ports, target, branches, loaded, request),
    settle: (loaded, settlement) => settleCatalogBranches(ports, target, branches, loaded, settlement),
    async kept(_loaded, name) {
      const branch = await branches.find(name);
      const table = branch && (await branches.at(branch).findTable(identifier));
      const snapshotId = table && headOf(table.metadata, MAIN);
      const snapshot = snapshotId === undefined ? undefined : snapshotById(table!.metadata, snapshotId);
      return snapshot && { snapshotId: snapshot.snapshotId, schema: schemaOf(table!.metadata, snapshot) };
    },
    async drop(_loaded, name) {
      const branch = await branches.find(name);
      if (branch !== undefined) await branches.drop(branch);
    },
    publications: () => publicationsOn(branches, identifier),
    sweep: (options) => sweepBranches(ports, branches, identifier, options),
  };
}

/** `sweepTable` where the catalogue branches: branches of the table's deliveries go by their age, and nothing else does. */
async function sweepBranches(
  ports: GatePorts,
  branches: CatalogBranches,
  table: TableIdentifier,
  options: SweepOptions,
): Promise<SweepReport> {
  const old = (await branches.list('wap-')).filter((branch) => {
    const keepMs = keptFor(branch, table, options);
    return keepMs !== undefined && ports.now() - branch.last!.atMs > keepMs;
  });
  const gone: string[] = [];
  for (const branch of options.dryRun ? [] : old) {
    try {
      await branches.drop(branch);
      gone.push(branch.name);
    } catch (error) {
      // Somebody has just written to it: it is not old any more.
      if (!isKind(error, 'conflict')) throw error;
    }
  }
  const names = options.dryRun ? old.map(({ name }) => name) : gone;
  return { table: formatIdentifier(table), branches: names, snapshots: [], expiredFiles: [], orphans: [] };
}

/**
 * How long a branch is kept after its last commit, milliseconds; undefined for one that is not this table's to sweep. One to which nothing was
 * committed holds nothing: a run that was killed left it, or, rarely, one is about to use it, which then stages again.
 */
function keptFor(
  { hash, startedFrom, last }: KnownBranch,
  table: TableIdentifier,
  { maxRefAgeMs }: SweepOptions,
): number | undefined {
  if (last === undefined) return undefined;
  if (hash === startedFrom) return BATCH_BRANCH_MS;
  if (last.properties[TABLE_PROPERTY] !== tableProperty(table)) return undefined;
  const said = last.properties[KEEP_PROPERTY] ?? '';
  return /^\d+$/.test(said) ? Number(said) : (maxRefAgeMs ?? BATCH_BRANCH_MS);
}
