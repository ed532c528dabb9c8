import type { LoadedTable } from '../catalogs/catalog.ts';
import type { TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import { headOf, MAIN } from '../iceberg/ancestry.ts';
import { allFields } from '../iceberg/schema.ts';
import type { AuditVerdict } from '../rules/rule.ts';
import { beginAlone } from './alone.ts';
import { addedFiles, auditFiles } from './audit.ts';
import type { ClaimedDelivery } from './claim.ts';
import { makeDataFiles } from './data-files.ts';
import { expectedOf } from './identity.ts';
import { inspect } from './inspect.ts';
import { isEnded, type Member, type MemberSteps, memberSteps } from './member.ts';
import { outdated } from './outdated.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { type Settled, type StagedDelivery, settleStaged } from './publish.ts';
import { stagedSchema } from './schema-change.ts';
import { type Ending, recordEnding, summary } from './settle.ts';
import { stage } from './stage.ts';
import { checkTime } from './time-left.ts';

/** Files copied or decoded at the same time. */
const FILES_AT_ONCE = 4;

/** Records and footers, which are small. */
const SMALL_AT_ONCE = 16;

/** How often deliveries are fitted again because the table's columns changed under them. */
const ROUNDS = 5;

interface Batch {
  ports: GatePorts;
  config: TableConfig;
  target: TableTarget;
  /** What kept deliveries from ending, by id. */
  faults: Map<string, unknown>;
}

/**
 * Takes claimed deliveries of one table from the dropped file to their ending, which is not written yet, with two commits for all that ask the table
 * for the same columns.
 * @returns what kept single deliveries from ending, by id: infrastructure that a later attempt may find well
 */
export async function runBatch(
  ports: GatePorts,
  config: TableConfig,
  target: TableTarget,
  deliveries: readonly ClaimedDelivery[],
): Promise<Map<string, unknown>> {
  const batch: Batch = { ports, config, target, faults: new Map() };
  // Whoever claims hands them on one by one.
  const isAlone = ({ wasDropped }: ClaimedDelivery) => wasDropped || config.mode === 'overwrite';
  const alone = deliveries.filter(isAlone);
  const together = deliveries.filter((delivery) => !isAlone(delivery));
  await runRounds(batch, together, 1);
  for (const delivery of alone) {
    await runAlone(batch, delivery).catch((error) => void batch.faults.set(delivery.id, error));
  }
  return batch.faults;
}

/** One that replaces the table, or lost its runner, by itself. @throws what keeps it from being begun */
async function runAlone(batch: Batch, delivery: ClaimedDelivery): Promise<void> {
  const { ports } = batch;
  checkTime(ports);
  if (delivery.wasDropped) await beginAlone(delivery);
  await runRounds(batch, [delivery], 1);
}

/** Those that still may replace the table; the others have ended. All of them, where deliveries add to it. */
async function inTime(
  { ports, config, target }: Batch,
  deliveries: readonly ClaimedDelivery[],
  table: LoadedTable | undefined,
): Promise<ClaimedDelivery[]> {
  if (config.mode !== 'overwrite') return [...deliveries];
  const open: ClaimedDelivery[] = [];
  for (const delivery of deliveries) {
    const late = await outdated(ports, target, delivery, table);
    if (late === undefined) open.push(delivery);
    else delivery.end(recordEnding(delivery, { kind: 'rejected', reason: late }));
  }
  return open;
}

/** Runs deliveries until each has ended or has a fault. */
async function runRounds(batch: Batch, deliveries: readonly ClaimedDelivery[], firstRound: number): Promise<void> {
  let open = [...deliveries];
  for (let round = firstRound, again = 1; open.length > 0; round += 1) {
    try {
      open = await runTogether(batch, open, round);
      again = 1;
    } catch (error) {
      open = open.filter((delivery) => !isEnded(delivery) && !batch.faults.has(delivery.id));
      const changed = isKind(error, 'conflict') && error.context.refit === true;
      if (changed && again < ROUNDS) {
        again += 1;
        continue;
      }
      // What is wrong with one must not end the others: who is to blame shows when each goes alone.
      if (open.length > 1 && !(error instanceof LakegateError && error.retryable)) {
        for (const delivery of open) await runRounds(batch, [delivery], round + 1);
        return;
      }
      for (const { id } of open) batch.faults.set(id, error);
      return;
    }
  }
}

/** @returns deliveries that ask the table for other columns than the first ones: for the next round */
async function runTogether(
  batch: Batch,
  deliveries: readonly ClaimedDelivery[],
  round: number,
): Promise<ClaimedDelivery[]> {
  const { ports, config, target, faults } = batch;
  const steps = memberSteps(ports, config, faults);
  const found = await target.catalog.findTable(target.identifier);
  const inferText = (!found && !config.columns) || config.schemaPolicy === 'add_columns';
  const wanted = await inTime(batch, deliveries, found);
  let members = await steps.each(wanted, SMALL_AT_ONCE, 'inspected', async (delivery) => ({
    delivery,
    dataFiles: [],
    inspected: await inspect(
      ports.store,
      delivery.record.drop.url,
      config,
      inferText,
      expectedOf(delivery.record.drop),
    ),
  }));

  const loaded = await steps.tableFor(members, target, found);
  if (!loaded) return [];
  members = members.filter(({ delivery }) => !isEnded(delivery) && !faults.has(delivery.id));
  const { fitted, later } = steps.fit(members, loaded);
  if (fitted.length > 0) await runFitted(batch, steps, found, loaded, fitted, round);
  return later;
}

/** The way of deliveries that ask the table for the same columns: made into files, staged, audited, settled. */
async function runFitted(
  batch: Batch,
  steps: MemberSteps,
  found: LoadedTable | undefined,
  loaded: LoadedTable,
  fitted: readonly Member[],
  round: number,
): Promise<void> {
  const { ports, config, target } = batch;
  const columns = fitted[0]!.fit!.target;
  const members = await steps.each(fitted, FILES_AT_ONCE, 'files-ready', async (member) => {
    const { delivery, inspected } = member;
    const dataFiles = await makeDataFiles({
      store: ports.store,
      table: loaded,
      config,
      schema: columns.schema,
      nameMapping: columns.nameMapping,
      id: delivery.id,
      attempt: { number: delivery.record.attempts, round },
      drop: delivery.record.drop,
      inspected,
    });
    return { ...member, dataFiles };
  });
  if (members.length === 0) return;

  checkTime(ports);
  const staged = await stage(ports, target, loaded, {
    ids: idsOf(members),
    dataFiles: members.flatMap(({ dataFiles }) => dataFiles),
    config,
    schemaFor: (metadata) => stagedSchema(metadata, columns),
    checkHeld: async () => {
      const { lost } = await steps.hold(members);
      if (lost.length === 0) return;
      throw new LakegateError('conflict', `deliveries were taken over by another runner: ${idsOf(lost).join(', ')}`, {
        context: { ids: idsOf(lost), refit: true },
      });
    },
  });
  for (const { delivery } of members)
    delivery.note('staged', `branch ${staged.branch}, snapshot ${staged.snapshot.snapshotId}`);
  steps.step('staged', members);

  const files = await addedFiles(ports.io.store, staged.snapshot);
  const rows = { ...target.identifier, snapshotId: staged.snapshot.snapshotId };
  const verdicts = new Map<Member, AuditVerdict | LakegateError>();
  await Promise.all(
    members.map(async (member) => {
      const paths = member.dataFiles.map(({ filePath }) => filePath);
      verdicts.set(member, await auditFiles(ports, config.rules, columns, files, paths, rows).catch(asFault));
    }),
  );
  steps.step('audited', members);

  checkTime(ports);
  const { held, lost } = await steps.hold(members);
  const passes = (member: Member) => {
    const verdict = verdicts.get(member);
    return !(verdict instanceof LakegateError) && verdict?.outcome === 'passed';
  };
  const settled = await settleStaged(ports, target, staged.table, {
    branch: staged.branch,
    auditedSnapshotId: staged.snapshot.snapshotId,
    passing: held.filter(passes).map(stagedDelivery),
    failing: held.filter((member) => !passes(member)).map(stagedDelivery),
    abandoned: lost.map(stagedDelivery),
    onFailure: config.onFailure,
    keepBranchMs: config.keepBranchMs,
    checkMain: async (current) => {
      // What replaced the table meanwhile may have come after this one.
      if (headOf(current.metadata, MAIN) === (found && headOf(found.metadata, MAIN))) return;
      for (const { delivery } of config.mode === 'overwrite' ? held : []) {
        const late = await outdated(ports, target, delivery, current);
        if (late !== undefined)
          throw new LakegateError('conflict', late, { context: { id: delivery.id, refit: true } });
      }
    },
  });
  steps.step('settled', held);
  for (const member of held) steps.end(member.delivery, endingOf(member, verdicts.get(member)!, settled), member);
}

function idsOf(members: readonly Member[]): string[] {
  return members.map(({ delivery }) => delivery.id);
}

function stagedDelivery({ delivery, dataFiles, fit }: Member): StagedDelivery {
  const files = dataFiles.map(({ filePath }) => filePath);
  if (!fit || fit.added.length + fit.change.promotions.length === 0) return { id: delivery.id, files };
  const ids = new Map(allFields(fit.target.schema).map(({ name, field }) => [name, field]));
  return { id: delivery.id, files, change: { ...fit.change, ids } };
}

function endingOf({ delivery }: Member, verdict: AuditVerdict | LakegateError, settled: Settled): Ending {
  const snapshotId = settled.published.get(delivery.id);
  if (snapshotId !== undefined && !(verdict instanceof LakegateError))
    return { kind: 'published', snapshotId, verdict };
  const kept = settled.kept.get(delivery.id);
  const where = kept && { branch: kept.branch, stagedSnapshotId: kept.snapshotId };
  if (verdict instanceof LakegateError) return { kind: 'errored', reason: verdict.message, ...where };
  const kind = verdict.outcome === 'failed' ? 'rejected' : 'errored';
  return { kind, reason: summary(verdict), verdict, ...where };
}

/** A file that cannot be read under audit is errored; what is worth another try is not decided here. */
function asFault(error: unknown): LakegateError {
  if (error instanceof LakegateError && !error.retryable) return error;
  throw error;
}
