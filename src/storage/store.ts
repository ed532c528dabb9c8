/** The object-store port. Objects are addressed by URL: `file:///a/b`, `memory:/a/b`, `s3://bucket/key`. */

/** One version of one object. */
export interface ObjectInfo {
  /** The URL the object was asked for by, or listed under. */
  url: string;
  /** Size in bytes. */
  size: number;
  /** Opaque; changes whenever the object's bytes are replaced. */
  etag: string;
  /** The store's own name of this version, where it keeps versions (a versioned S3 bucket); a new one even when the same bytes are put again. */
  version?: string;
  /** Milliseconds since the epoch, UTC. */
  lastModified: number;
}

/** Which version of an object is meant, as an event or an earlier `head` told it: what is read or copied is that version or nothing. */
export interface ExpectedObject {
  size: number;
  etag: string;
  version?: string;
}

/** Random access to one version of one object. */
export interface RangeReader {
  readonly url: string;
  /** Size in bytes. */
  readonly byteLength: number;
  /**
   * The bytes [start, end). Both are clamped to the object.
   * @param room memory of the caller's that the bytes may be put into and given back as a view of, where it is large enough
   * @throws LakegateError `unavailable` when the store does not answer, `not_found` when the object is gone
   */
  read(start: number, end: number, room?: Uint8Array): Promise<Uint8Array>;
  /** Whether many small reads are as good as one large one (a local file), or each costs a round trip (S3). */
  readonly cheapSeeks: boolean;
  /** The version that is read, where a writer of the same store may copy ranges of it. */
  readonly version?: ExpectedObject;
  close(): Promise<void>;
}

export interface ObjectStore {
  /** The object's facts, or undefined when there is none. */
  head(url: string): Promise<ObjectInfo | undefined>;
  /**
   * Opens an object for ranged reads.
   * @param expected saves the request that asks for size and etag; reads fail with `not_found` when that version is not there (any more)
   * @throws LakegateError `not_found`
   */
  open(url: string, expected?: ExpectedObject): Promise<RangeReader>;
  /** The whole object. @throws LakegateError `not_found` */
  read(url: string): Promise<{ bytes: Uint8Array; etag: string }>;
  /** Creates the object if there is none (S3: If-None-Match: *). Durable when it returns. Undefined: it already exists, nothing was changed. */
  create(url: string, bytes: Uint8Array): Promise<{ etag: string } | undefined>;
  /** Replaces the object if its etag is still the given one (S3: If-Match). Undefined: it changed or is gone, nothing was changed. */
  replace(url: string, bytes: Uint8Array, etag: string): Promise<{ etag: string } | undefined>;
  /**
   * Copies an object inside the store without its bytes passing through the process (reflink or kernel copy; S3: server-side).
   * A target that exists is left as it is when its size equals the source's (an earlier attempt finished), else `exists` is thrown.
   * The target appears whole or not at all.
   * @param expected the version that is copied; @throws LakegateError `not_found` when it is not there (any more)
   */
  copy(from: string, to: string, expected?: ExpectedObject): Promise<void>;
  /**
   * Gives an object another name, its bytes untouched: as a copy to `to` and a deletion of `from`, in one step. Absent where the store has none
   * (S3), and a copy and a deletion have to do.
   * @param expected saves the request that asks for size and etag, as of `copy`
   */
  move?(from: string, to: string, expected?: ExpectedObject): Promise<void>;
  /** Opens a new object for writing front to back; it appears, whole and durable, at `finish`. `abort` leaves nothing. */
  writer(url: string): Promise<ObjectWriter>;
  /** Deletes objects; those that are not there are no error. */
  delete(urls: readonly string[]): Promise<void>;
  /** Every object under a prefix (a URL ending in `/`, or any string prefix), in key order, all pages. Temporary files of unfinished writes are not listed. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /**
   * URLs of what killed writers left unfinished under a folder, for `delete`; absent where the store leaves nothing.
   * @param olderThanMs age since the last write, milliseconds: longer than any live writer pauses
   */
  unfinished?(prefix: string, olderThanMs: number): AsyncIterable<string>;
}

export interface ObjectWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Replaces nothing: @throws LakegateError `exists` when the target appeared meanwhile with another size. */
  finish(): Promise<{ size: number }>;
  abort(): Promise<void>;
  /** Absent where the store copies no ranges: bytes are then read and written. */
  readonly ranges?: RangeCopying;
}

/** Ranges of other objects appended without their bytes passing through the process (S3: UploadPartCopy). */
export interface RangeCopying {
  /** Whether ranges of what this reads can be copied. */
  takes(source: RangeReader): boolean;
  /** Bytes from which on copying a range spares anything: shorter ones are read and written all the same. */
  readonly worthwhile: number;
  /**
   * Appends the bytes [start, end) of the version that the reader reads. A few of the first ones may be read, where what was written before is
   * too small for a part. A server that cannot do it is asked once, and the bytes are read from then on.
   * @throws LakegateError `not_found` when that version is not there any more, and what reading and writing throw
   */
  copy(source: RangeReader, start: number, end: number): Promise<void>;
}
