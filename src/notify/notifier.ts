import type { RuleResult } from '../rules/rule.ts';

/** Something a person should hear about. */
export type DomainEvent = DeliveryPublished | DeliveryStopped;

export interface DeliveryPublished {
  event: 'delivery.published';
  id: string;
  table: string;
  file: string;
  rows: number;
  snapshotId: string;
  at: string;
  owner?: string;
  channel?: string;
  /** New columns, `name: type`, when the table's schema grew. */
  addedColumns?: string[];
}

export interface DeliveryStopped {
  event: 'delivery.rejected' | 'delivery.errored';
  id: string;
  table: string;
  file: string;
  rows?: number;
  at: string;
  owner?: string;
  channel?: string;
  /** The kept branch; absent when discarded or never staged. */
  branch?: string;
  /** Failed and inconclusive rules. */
  results: RuleResult[];
  /** One sentence for what is not a rule's result. */
  reason?: string;
}

/** Tells people. A fault of it never fails a delivery: implementations report it through `onFault` and return. */
export interface Notifier {
  notify(events: readonly DomainEvent[]): Promise<void>;
}
