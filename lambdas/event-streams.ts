/**
 * Stands in for `@smithy/core/event-streams` in the bundles of functions: of S3 only SelectObjectContent answers by event stream, and nobody
 * here calls it.
 */
const NOT_HERE = 'event streams are not part of this function';

/** Clients resolve it when they are made. */
export function resolveEventStreamSerdeConfig<T extends object>(config: T): T {
  return config;
}

/** Clients name it when they are made, and call it when a stream comes. */
export function eventStreamSerdeProvider(): never {
  throw new Error(NOT_HERE);
}

export class EventStreamSerde {
  constructor() {
    throw new Error(NOT_HERE);
  }
}
