import pLimit from 'p-limit';
import type { LoadedTable } from '../catalogs/catalog.ts';
import type { TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import type { DataFile } from '../iceberg/model.ts';
import { allFields } from '../iceberg/schema.ts';
import type { AuditVerdict } from '../rules/rule.ts';
import { addedFiles, auditFiles } from './audit.ts';
import type { ClaimedDelivery } from './claim.ts';
import { makeDataFiles } from './data-files.ts';
import { ensureTable } from './ensure-table.ts';
import { type Fit, fitSchema } from './fit.ts';
import { type Inspected, inspect } from './inspect.ts';
import type { GatePorts, StepName, TableTarget } from './ports.ts';
import { type Settled, type StagedDelivery, settleStaged } from './publish.ts';
import { fitTarget, stagedSchema } from './schema-change.ts';
import { type Ending, recordEnding, summary } from './settle.ts';
import { stage } from './stage.ts';

/** Files copied or decoded at the same time. */
const FILES_AT_ONCE = 4;

/** Records and footers, which are small. */
const SMALL_AT_ONCE = 16;

/** How often deliveries are fitted again because the table's columns changed under them. */
const ROUNDS = 5;

/** A delivery on its way through a batch. */
interface Member {
  delivery: ClaimedDelivery;
  inspected: Inspected;
  fit?: Extract<Fit, { kind: 'fits' }>;
  dataFiles: DataFile[];
}

/**
 * Takes claimed deliveries of one table from the dropped file to their ending, with two commits for all of them.
 * @returns what kept single deliveries from ending, by id: infrastructure that a later attempt may find well
 * @throws LakegateError when the table itself cannot be worked on: none of them ended then
 */
export async function runBatch(
  ports: GatePorts,
  config: TableConfig,
  target: TableTarget,
  deliveries: readonly ClaimedDelivery[],
): Promise<Map<string, unknown>> {
  const faults = new Map<string, unknown>();
  // One that was begun before may have a branch of its own left: it is not mixed with others.
  const again = deliveries.filter(({ record }) => record.attempts > 1);
  const fresh = deliveries.filter(({ record }) => record.attempts === 1);
  for (const batch of [fresh, ...again.map((delivery) => [delivery])]) {
    if (batch.length === 0) continue;
    for (let round = 1; ; round += 1) {
      try {
        await runTogether(
          ports,
          config,
          target,
          batch.filter(({ id }) => !faults.has(id)),
          round,
          faults,
        );
        break;
      } catch (error) {
        if (!isKind(error, 'conflict') || error.context.refit !== true || round === ROUNDS) throw error;
      }
    }
  }
  return faults;
}

async function runTogether(
  ports: GatePorts,
  config: TableConfig,
  target: TableTarget,
  deliveries: readonly ClaimedDelivery[],
  round: number,
  faults: Map<string, unknown>,
): Promise<void> {
  const run = createRun(ports, config, faults);
  const found = await target.catalog.findTable(target.identifier);
  const inferText = (!found && !config.columns) || config.schemaPolicy === 'add_columns';
  let members = await run.each(deliveries, SMALL_AT_ONCE, 'inspected', async (delivery) => {
    if (isEnded(delivery)) return undefined;
    return {
      delivery,
      dataFiles: [],
      inspected: await inspect(ports.store, delivery.record.drop.url, config, inferText),
    };
  });

  const loaded = await run.tableFor(members, target, found);
  if (!loaded) return;
  members = members.filter(({ delivery }) => !isEnded(delivery) && !faults.has(delivery.id));

  members = await run.fitAll(members, loaded);
  const schemaTarget = members.at(-1)?.fit?.target ?? fitTarget(loaded.metadata);
  members = await run.each(members, FILES_AT_ONCE, 'files-ready', async (member) => {
    const { delivery, inspected } = member;
    const dataFiles = await makeDataFiles({
      store: ports.store,
      table: loaded,
      config,
      schema: schemaTarget.schema,
      nameMapping: schemaTarget.nameMapping,
      id: delivery.id,
      attempt: `${delivery.record.attempts}.${round}`,
      drop: delivery.record.drop,
      inspected,
    });
    return { ...member, dataFiles };
  });
  if (members.length === 0) return;

  const staged = await stage(ports, target, loaded, {
    ids: members.map(({ delivery }) => delivery.id),
    dataFiles: members.flatMap(({ dataFiles }) => dataFiles),
    config,
    schema: stagedSchema(loaded.metadata, schemaTarget),
  });
  for (const { delivery } of members)
    delivery.note('staged', `branch ${staged.branch}, snapshot ${staged.snapshot.snapshotId}`);
  run.step('staged', members);

  const files = await addedFiles(ports.store, staged.snapshot);
  const verdicts = new Map<Member, AuditVerdict | LakegateError>();
  await Promise.all(
    members.map(async (member) => {
      const paths = member.dataFiles.map(({ filePath }) => filePath);
      verdicts.set(member, await auditFiles(ports, config.rules, schemaTarget, files, paths).catch(asFault));
    }),
  );
  run.step('audited', members);

  const ids = new Map(allFields(schemaTarget.schema).map(({ name, field }) => [name, field]));
  const stagedDelivery = ({ delivery, dataFiles, fit: fitted }: Member): StagedDelivery => ({
    id: delivery.id,
    files: dataFiles.map(({ filePath }) => filePath),
    ...(fitted && fitted.added.length + fitted.change.promotions.length > 0
      ? { change: { ...fitted.change, ids } }
      : {}),
  });
  const passes = (member: Member) => {
    const verdict = verdicts.get(member);
    return !(verdict instanceof LakegateError) && verdict?.outcome === 'passed';
  };
  const settled = await settleStaged(ports, target, staged.table, {
    branch: staged.branch,
    auditedSnapshotId: staged.snapshot.snapshotId,
    passing: members.filter(passes).map(stagedDelivery),
    failing: members.filter((member) => !passes(member)).map(stagedDelivery),
    onFailure: config.onFailure,
    keepBranchMs: config.keepBranchMs,
  });
  run.step('settled', members);
  await run.each(members, SMALL_AT_ONCE, 'recorded', async (member) => {
    await run.end(member.delivery, endingOf(member, verdicts.get(member)!, settled), member);
    return member;
  });
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

function isEnded(delivery: ClaimedDelivery): boolean {
  return delivery.record.lease === undefined;
}

/** The parts of a run that concern single deliveries: a fault of one ends that one, and the others go on. */
function createRun(ports: GatePorts, config: TableConfig, faults: Map<string, unknown>) {
  const step = (name: StepName, members: readonly { delivery: ClaimedDelivery }[]): void => {
    if (members.length > 0) ports.onStep({ step: name, ids: members.map(({ delivery }) => delivery.id) });
  };

  async function end(delivery: ClaimedDelivery, ending: Ending, member?: Member): Promise<void> {
    await delivery.save({
      ...recordEnding(delivery, ending),
      ...(member ? { files: member.dataFiles.map(({ filePath }) => filePath) } : {}),
      ...(member?.fit && member.fit.added.length > 0 ? { addedColumns: member.fit.added } : {}),
    });
  }

  /** Bad data is rejected, what cannot be read is errored, and what may be well later is left open. */
  async function stop(delivery: ClaimedDelivery, error: unknown): Promise<void> {
    if (!(error instanceof LakegateError) || error.retryable || error.kind === 'internal') {
      faults.set(delivery.id, error);
      return;
    }
    try {
      await end(delivery, { kind: error.kind === 'invalid' ? 'rejected' : 'errored', reason: error.message });
    } catch (saving) {
      faults.set(delivery.id, saving);
    }
  }

  async function each<T extends ClaimedDelivery | Member>(
    items: readonly T[],
    atOnce: number,
    name: StepName,
    work: (item: T) => Promise<Member | undefined>,
  ): Promise<Member[]> {
    const limit = pLimit(atOnce);
    const results = await Promise.all(
      items.map((item) =>
        limit(async () => {
          try {
            return await work(item);
          } catch (error) {
            await stop('delivery' in item ? item.delivery : item, error);
            return undefined;
          }
        }),
      ),
    );
    const members = results.filter((member) => member !== undefined);
    step(name, members);
    return members;
  }

  /** The table, made from the first delivery that can give it its columns. */
  async function tableFor(
    members: readonly Member[],
    target: TableTarget,
    found: LoadedTable | undefined,
  ): Promise<LoadedTable | undefined> {
    for (const { delivery, inspected } of members) {
      try {
        const table = await ensureTable(target, config, found, inspected, delivery.record.drop.url);
        step('table-ready', members);
        return table;
      } catch (error) {
        if (!isKind(error, 'invalid')) throw error;
        await stop(delivery, error);
      }
    }
    return undefined;
  }

  /** One after the other: a column that one delivery brings is there for the next. */
  async function fitAll(members: readonly Member[], table: LoadedTable): Promise<Member[]> {
    const fitted: Member[] = [];
    let schemaTarget = fitTarget(table.metadata);
    for (const member of members) {
      const result = fitSchema(schemaTarget, member.inspected, config.schemaPolicy);
      if (result.kind === 'fits') {
        schemaTarget = result.target;
        fitted.push({ ...member, fit: result });
        continue;
      }
      const reason = `it does not fit the table: ${result.problems.join('; ')}`;
      await stop(member.delivery, new LakegateError('invalid', reason));
    }
    return fitted;
  }

  return { step, end, each, tableFor, fitAll };
}
