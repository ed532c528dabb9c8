import type { RuleResult } from '../rules/rule.ts';

/** Something that happened to a delivery or a drop, which people and other systems may want to hear about. */
export type DomainEvent =
  | DeliveryPublished
  | DeliveryStopped
  | DropUnrouted
  | DropMissed
  | PartitionsFailed
  | PipelineFailed
  | TableUnhealthy
  | ReportMade;

/** All that people can be told of: what happened in the lake, and what CloudWatch says of its parts. */
export type News = DomainEvent | AlarmChanged;

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
  /** The deployed stage that it is on; absent on a laptop. Commands need it. */
  stage?: string;
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

/** A dropped object that no table claims. */
export interface DropUnrouted {
  event: 'drop.unrouted';
  file: string;
  /** What was looked for. */
  reason: string;
  at: string;
}

/** A drop that no event told of: it was found by listing the raw area, and delivered then. */
export interface DropMissed {
  event: 'drop.missed';
  table: string;
  file: string;
  at: string;
  owner?: string;
  channel?: string;
}

/** Partitions of one table that Glue could not be told of; or a database that could not be looked at, when there is no table. */
export interface PartitionsFailed {
  event: 'partitions.failed';
  database: string;
  table?: string;
  /** How many; the first of them are named. */
  count: number;
  failures: PartitionFailure[];
  at: string;
}

export interface PartitionFailure {
  /** In the order of the table's partition keys; absent where the whole table or database failed. */
  values?: string[];
  reason: string;
}

/** A run of a table pipeline that could not do all of its work. */
export interface PipelineFailed {
  event: 'pipeline.failed';
  /** `bucketed`, `partitioned`. */
  pipeline: string;
  /** The execution of its state machine, or the run's own name on one machine. */
  execution: string;
  /** How many; the first of them are named. */
  count: number;
  failures: PipelineStep[];
  at: string;
}

export interface PipelineStep {
  /** `split`, `register`, …; `run` where no step foresaw it. */
  job: string;
  source?: string;
  table?: string;
  reason: string;
  /** Of an audit: it could not be done, and says nothing about the data. */
  inconclusive?: boolean;
}

/** A report was made. Its summary, and where it is. */
export interface ReportMade {
  event: 'report.made';
  /** `cleanrooms`, `monitor`. */
  report: string;
  /** `Clean Rooms: 48 of 60 tables ready`. */
  headline: string;
  /** What matters of it, a sentence each. */
  lines: string[];
  /** The report's page for people: an https address. */
  link?: string;
  at: string;
  channel?: string;
}

/** The data monitor found something wrong with a table. */
export interface TableUnhealthy {
  event: 'table.unhealthy';
  table: string;
  /** Names of the checks that found something. */
  checks: string[];
  /** One sentence for each. */
  findings: string[];
  /** The report's page for people: an https address. */
  link?: string;
  at: string;
  owner?: string;
  channel?: string;
}

/** An alarm of a deployed stage began or ended. */
export interface AlarmChanged {
  event: 'alarm.raised' | 'alarm.ended';
  name: string;
  /** What it means and where the runbook has it. */
  description?: string;
  /** CloudWatch's own words. */
  reason?: string;
  at: string;
}

/**
 * Tells people, or hands on what they are to be told. Where it tells people itself, a fault is reported through `onFault` and never fails a
 * delivery. Where it hands on to something that will tell (a bus), it throws when that did not take it, so that a later run hands it on again.
 */
export interface Notifier {
  /** @throws LakegateError `unavailable` when what should have been handed on was not, or not all of it */
  notify(events: readonly DomainEvent[]): Promise<void>;
}
