import type { Catalog, TableIdentifier } from '../catalogs/catalog.ts';
import type { TableIO } from '../iceberg/table-io.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { SqlEngine } from '../rules/rule.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { ClaimPorts } from './claim.ts';
import type { DeliveryRecord } from './delivery.ts';

/** The steps of a delivery's way, in order; told to `onStep` when they are done. */
export type StepName =
  | 'claimed'
  | 'inspected'
  | 'table-ready'
  | 'files-ready'
  | 'staged'
  | 'audited'
  | 'settled'
  | 'notified'
  | 'recorded';

export interface Step {
  step: StepName;
  /** The deliveries that took it. */
  ids: readonly string[];
}

/** Everything the gate needs from outside. `compose.ts` builds it. */
export interface GatePorts extends ClaimPorts {
  store: ObjectStore;
  io: TableIO;
  catalog(name: string): Catalog;
  notifier: Notifier;
  sql?: SqlEngine;
  onStep(step: Step): void;
  /**
   * Milliseconds left for work; asked between steps. When there are none, what was begun is given back and what was not is left alone. Whoever is
   * stopped at a deadline keeps back what a step and the giving back take. Absent: there is no deadline.
   */
  remainingMs?(): number;
  /** How long a commit is tried again when others commit first. Milliseconds. */
  commitDeadlineMs: number;
  sleep(ms: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

/** What became of one drop in one run. */
export type DeliveryOutcome =
  /** It reached a terminal state in this run. */
  | { kind: 'ended'; drop: string; record: DeliveryRecord }
  /** It had ended before: a repeated event. */
  | { kind: 'already'; drop: string; record: DeliveryRecord }
  /** Another live runner has it. */
  | { kind: 'busy'; drop: string; record: DeliveryRecord }
  /** An outside system failed on the way: nothing is decided, a later run takes it up where it stands. */
  | { kind: 'interrupted'; drop: string; record: DeliveryRecord; error: unknown }
  /** The store failed before the delivery could be claimed, so that nothing was begun: the same event has to be delivered again. */
  | { kind: 'unclaimed'; drop: string; error: unknown }
  /** The time of this run was over before it was begun: the same event has to be delivered again. */
  | { kind: 'postponed'; drop: string }
  /** No table claims it. */
  | { kind: 'unrouted'; drop: string; reason: string }
  /** There is no such object (any more). */
  | { kind: 'gone'; drop: string };

export interface TableTarget {
  identifier: TableIdentifier;
  catalog: Catalog;
}
