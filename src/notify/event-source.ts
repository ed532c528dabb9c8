/** `Source` of every event that lakegate puts onto a bus; the stacks' rules match it. */
export const EVENT_SOURCE = 'lakegate';

/** `DetailType` by which anything that may put onto the bus asks for a report: `{ "report": "cleanrooms" }` in its detail. */
export const REPORT_WANTED = 'report.wanted';

/** `DetailType` of its events: each is a domain event's own name. */
export const EVENT_NAMES = [
  'delivery.published',
  'delivery.rejected',
  'delivery.errored',
  'drop.unrouted',
  'drop.missed',
  'partitions.failed',
  'pipeline.failed',
  'table.unhealthy',
  'report.made',
] as const;
