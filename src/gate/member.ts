import pLimit from 'p-limit';
import type { LoadedTable } from '../catalogs/catalog.ts';
import type { TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import type { DataFile, TableMetadata } from '../iceberg/model.ts';
import { sameSchema } from '../iceberg/schema.ts';
import { formatType } from '../iceberg/types.ts';
import { type ClaimedDelivery, isTerminal } from './claim.ts';
import { ensureTable } from './ensure-table.ts';
import { type Fit, fitSchema } from './fit.ts';
import type { Inspected } from './inspect.ts';
import type { GatePorts, StepName, TableTarget } from './ports.ts';
import { fitTarget } from './schema-change.ts';
import { type Ending, recordEnding } from './settle.ts';
import { checkTime } from './time-left.ts';

/** A delivery on its way through a batch. */
export interface Member {
  delivery: ClaimedDelivery;
  inspected: Inspected;
  fit?: Extract<Fit, { kind: 'fits' }>;
  dataFiles: DataFile[];
}

/** The parts of a batch that concern single deliveries: a fault of one ends that one, and the others go on. */
export interface MemberSteps {
  /** Tells `onStep`. */
  step(name: StepName, members: readonly { delivery: ClaimedDelivery }[]): void;
  /** Does the work for each, `atOnce` at a time. @returns those that go on */
  each<T extends ClaimedDelivery | Member>(
    items: readonly T[],
    atOnce: number,
    name: StepName,
    work: (item: T) => Promise<Member | undefined>,
  ): Promise<Member[]>;
  /** Gives a delivery its ending. */
  end(delivery: ClaimedDelivery, ending: Ending, member?: Member): void;
  /** The table, made from the first delivery that can give it its columns. */
  tableFor(
    members: readonly Member[],
    target: TableTarget,
    found: LoadedTable | undefined,
  ): Promise<LoadedTable | undefined>;
  /** Holds the files' columns against the table's. */
  fit(members: readonly Member[], table: LoadedTable): { fitted: Member[]; later: ClaimedDelivery[] };
  /** Sorts out those that another runner may have taken over because their lease ran out. */
  hold(members: readonly Member[]): Promise<{ held: Member[]; lost: Member[] }>;
}

/** @param faults collects what kept deliveries from ending, by id */
export function memberSteps(ports: GatePorts, config: TableConfig, faults: Map<string, unknown>): MemberSteps {
  /** Columns of the table that a delivery gave it, by delivery. */
  const madeTable = new Map<string, string[]>();

  const step: MemberSteps['step'] = (name, members) => {
    if (members.length > 0) ports.onStep({ step: name, ids: members.map(({ delivery }) => delivery.id) });
  };

  const end: MemberSteps['end'] = (delivery, ending, member) => {
    delivery.end({
      ...recordEnding(delivery, ending),
      ...(madeTable.has(delivery.id) ? { tableColumns: madeTable.get(delivery.id) } : {}),
      ...(member ? { files: member.dataFiles.map(({ filePath }) => filePath) } : {}),
      ...(member?.fit && member.fit.added.length > 0 ? { addedColumns: member.fit.added } : {}),
    });
  };

  /** Bad data is rejected, what cannot be read is errored, and what may be well later is left open. */
  function stop(delivery: ClaimedDelivery, error: unknown): void {
    if (!(error instanceof LakegateError) || error.retryable || error.kind === 'internal') {
      faults.set(delivery.id, error);
      return;
    }
    end(delivery, { kind: error.kind === 'invalid' ? 'rejected' : 'errored', reason: error.message });
  }

  return {
    step,
    end,
    async each(items, atOnce, name, work) {
      const limit = pLimit(atOnce);
      const results = await Promise.all(
        items.map((item) =>
          limit(async () => {
            try {
              checkTime(ports);
              return await work(item);
            } catch (error) {
              stop('delivery' in item ? item.delivery : item, error);
              return undefined;
            }
          }),
        ),
      );
      const members = results.filter((member) => member !== undefined);
      step(name, members);
      return members;
    },
    async tableFor(members, target, found) {
      for (const { delivery, inspected } of members) {
        try {
          const { table, created } = await ensureTable(target, config, found, inspected, delivery.record.drop.url);
          if (created) madeTable.set(delivery.id, columnsOf(table.metadata));
          step('table-ready', members);
          return table;
        } catch (error) {
          if (!isKind(error, 'invalid')) throw error;
          stop(delivery, error);
        }
      }
      return undefined;
    },
    /**
     * Only deliveries that ask the table for the same columns go together; the others come later. What is staged together then has one
     * schema, and a file is never written or described by columns of another that fails.
     */
    fit(members, table) {
      const base = fitTarget(table.metadata);
      const fitted: Member[] = [];
      const later: ClaimedDelivery[] = [];
      for (const member of members) {
        const result = fitSchema(base, member.inspected, config.schemaPolicy);
        if (result.kind === 'refused') {
          const reason = `${member.delivery.record.drop.url} does not fit the table: ${result.problems.join('; ')}`;
          stop(member.delivery, new LakegateError('invalid', reason));
          continue;
        }
        const first = fitted[0]?.fit?.target.schema ?? result.target.schema;
        if (sameSchema(first, result.target.schema)) fitted.push({ ...member, fit: result });
        else later.push(member.delivery);
      }
      return { fitted, later };
    },
    async hold(members) {
      const held: Member[] = [];
      const lost: Member[] = [];
      for (const member of members) {
        try {
          await member.delivery.hold();
          held.push(member);
        } catch (error) {
          faults.set(member.delivery.id, error);
          lost.push(member);
        }
      }
      return { held, lost };
    },
  };
}

/** `name: type` of each column of a new table. */
function columnsOf({ schemas }: TableMetadata): string[] {
  return schemas[0]!.fields.map(({ name, type }) => `${name}: ${formatType(type)}`);
}

export function isEnded(delivery: ClaimedDelivery): boolean {
  return isTerminal(delivery.record.state);
}
