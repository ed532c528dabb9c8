/** An object that somebody says was dropped: an event, a notification, or a person. */
export interface DroppedObject {
  /** `s3://bucket/key`, the key literal. */
  url: string;
  /** Which version, where that was told: bytes, ETag without quotes, and the version id of a versioned bucket. */
  size?: number;
  etag?: string;
  version?: string;
  /** When it was put, milliseconds since the epoch, UTC. */
  at?: number;
}

/** What one event says. */
export type ParsedEvent =
  | { kind: 'drops'; drops: DroppedObject[] }
  /** Well-formed, but nothing was dropped: a deletion, a test event. */
  | { kind: 'ignored'; reason: string };
