import type { RuleResult } from '../rules/rule.ts';

/** One version of one dropped object. */
export interface Drop {
  url: string;
  /** What tells this version from others of the object, and goes into the id: see `dropOf`. The store's version id, or the ETag where it keeps none. */
  version: string;
  size: number;
  /** Where `version` is a version id: the ETag beside it. */
  etag?: string;
  /** When it was put, where that was told; UTC, ISO 8601. Events come in any order, this does not. Not part of the id. */
  putAt?: string;
}

export type DeliveryState =
  | 'received' // claimed, being worked on
  | 'staged' // on its branch
  | 'published' // on main
  | 'rejected' // failed the audit or does not fit the table: not on main
  | 'errored' // could not be read or checked: not on main, may be retried
  | 'discarded' // a person gave up a rejected or errored delivery
  | 'rolled_back'; // was published, then taken out of main again

export interface StateChange {
  state: DeliveryState | 'passed' | 'failed' | 'inconclusive';
  at: string;
  detail?: string;
}

/** The ledger entry of a delivery: one small JSON object, created once and moved on by compare-and-swap. */
export interface DeliveryRecord {
  version: 1;
  /** Hash of object URL and version: the same event is the same delivery. */
  id: string;
  table: string;
  catalog: string;
  drop: Drop;
  state: DeliveryState;
  /** All changes so far, oldest first. Times are UTC, ISO 8601. */
  history: StateChange[];
  /** Who works on it and until when; absent once it has ended, or was given back. */
  lease?: { holder: LeaseHolder; until: string };
  /**
   * The batch it was claimed in: its ending, and that of its fellows, is written into that batch's outcome. The ledger puts the two together, so
   * whoever reads through it finds this only on deliveries that are under way.
   */
  batch?: string;
  attempts: number;
  /** Times that a run took it up with nothing else beside it since it last ended or was given back: those before this one were lost. */
  alone?: number;
  rows?: number;
  bytes?: number;
  /** Data files of this delivery, as the manifests name them. */
  files?: string[];
  /** Kept branch, when there is one. */
  branch?: string;
  /** Snapshot that was audited, decimal. */
  stagedSnapshotId?: string;
  /** Snapshot that put it on main, decimal. */
  publishedSnapshotId?: string;
  results?: RuleResult[];
  /** Why it is rejected or errored, for a person. */
  reason?: string;
  /** The table's columns, `name: type`, where this delivery made the table. */
  tableColumns?: string[];
  /** Columns this delivery added to the table, `name: type`. */
  addedColumns?: string[];
  /** Set where people are to hear of the ending at all costs: 'pending' when they could not be told, so that a later run makes up for it. */
  notification?: 'pending' | 'sent';
  /** Set when a person published a failed delivery or discarded it. */
  decision?: { action: 'publish' | 'discard' | 'rollback'; by: string; reason: string; at: string };
}

export interface LeaseHolder {
  host: string;
  pid: number /** Process start, to tell a reused pid. */;
  started: string;
}

/** Who decided, and why: goes into the record. */
export interface Decision {
  by: string;
  reason: string;
}
