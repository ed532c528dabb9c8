/** Requests that were made for something, throttled and repeated ones included. */
export interface Tally {
  glue: number;
  s3: number;
  /** Requests to Glue that it refused for their number. */
  throttled: number;
  /** Requests by what they asked for: `GetPartitions`, `ListObjectsV2`. */
  operations: Record<string, number>;
}

export function newTally(): Tally {
  return { glue: 0, s3: 0, throttled: 0, operations: {} };
}

/** Counts a request. */
export function count(tally: Tally, service: 'glue' | 's3', operation: string): void {
  tally[service] += 1;
  tally.operations[operation] = (tally.operations[operation] ?? 0) + 1;
}

export function sumTallies(tallies: Iterable<Tally>): Tally {
  const sum = newTally();
  for (const { glue, s3, throttled, operations } of tallies) {
    sum.glue += glue;
    sum.s3 += s3;
    sum.throttled += throttled;
    for (const [name, times] of Object.entries(operations)) sum.operations[name] = (sum.operations[name] ?? 0) + times;
  }
  return sum;
}
