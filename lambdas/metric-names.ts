/** CloudWatch namespace of the functions' own metrics. */
export const METRICS_NAMESPACE = 'Lakegate';

/**
 * The functions' own metrics, with the dimension `service` (POWERTOOLS_SERVICE_NAME); those of deliveries by `service` and `table` as well, where
 * lake.yaml bounds the number of tables. Alarms and the dashboard name them from here.
 */
export const METRICS = {
  /** Deliveries by how they ended in a run. */
  published: 'DeliveriesPublished',
  rejected: 'DeliveriesRejected',
  errored: 'DeliveriesErrored',
  /** An outside system failed on the way: the event comes again. */
  interrupted: 'DeliveriesInterrupted',
  /** Another runner had it, or the time was over: the event comes again. */
  waiting: 'DeliveriesWaiting',
  /** Repeated events of deliveries that had ended before. */
  repeated: 'DeliveriesRepeated',
  /** Rows and bytes published. */
  rows: 'RowsPublished',
  bytes: 'BytesPublished',
  /** Milliseconds from the drop to the delivery's end. */
  latency: 'DeliveryLatency',
  /** Milliseconds that an event waited in the queue. */
  queueAge: 'QueueAge',
  /** Drops that no table claims, and those that were gone before they were looked at. */
  unrouted: 'DropsUnrouted',
  gone: 'DropsGone',
  /** Messages of a queue that could not be understood. */
  malformed: 'EventsMalformed',
  /** Messages to people, by what became of them. */
  messagesSent: 'MessagesSent',
  messagesHeld: 'MessagesHeld',
  messagesFailed: 'MessagesFailed',
  /** Domain events that the bus did not take. */
  eventsUntold: 'EventsUntold',
  /** What maintenance found and did. */
  resumed: 'DeliveriesResumed',
  missed: 'DropsMissed',
  branchesExpired: 'BranchesExpired',
  snapshotsExpired: 'SnapshotsExpired',
  filesDeleted: 'FilesDeleted',
  tasksFailed: 'MaintenanceTasksFailed',
  /** Partitions by what was done with them, and folders that are none. */
  partitionsCreated: 'PartitionsCreated',
  partitionsRemoved: 'PartitionsRemoved',
  partitionsUpdated: 'PartitionsUpdated',
  partitionsRejected: 'PartitionsRejected',
  /** Partitions that Glue did not take, tables that could not be looked at, databases that were given up. */
  partitionErrors: 'PartitionErrors',
  partitionTablesFailed: 'PartitionTablesFailed',
  databasesFailed: 'PartitionDatabasesFailed',
  /** Objects that lie under no managed table. */
  objectsUnmatched: 'ObjectsUnmatched',
  /** Requests of partition management, and how many of Glue's it refused for their number. */
  glueCalls: 'GlueCalls',
  s3Lists: 'S3Lists',
  glueThrottled: 'GlueThrottled',
  /** Tables of a report of which something could not be found out. */
  reportUnknowns: 'ReportUnknowns',
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];

/** Metrics that are milliseconds or bytes; all others are counts. */
export const METRIC_UNITS: Partial<Record<MetricName, 'Milliseconds' | 'Bytes'>> = {
  [METRICS.latency]: 'Milliseconds',
  [METRICS.queueAge]: 'Milliseconds',
  [METRICS.bytes]: 'Bytes',
};
