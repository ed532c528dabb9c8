import type { Catalog, TableIdentifier } from './catalog.ts';
import { formatIdentifier } from './identifier.ts';

/** A branch of a whole catalogue, at one of its commits. */
export interface CatalogBranch {
  name: string;
  /** The commit it was seen at. */
  hash: string;
}

/** As `CatalogBranch`, with what its server knows of it. */
export interface KnownBranch extends CatalogBranch {
  /** Main's commit that it started from; its own hash where nothing was committed to it. Undefined: it shares none with main. */
  startedFrom?: string;
  last?: CatalogCommit;
}

export interface CatalogCommit {
  hash: string;
  /** Milliseconds since the epoch, UTC, by the server's clock. */
  atMs: number;
  properties: Readonly<Record<string, string>>;
}

/** What a commit says of itself. */
export interface CommitWords {
  message: string;
  properties: Readonly<Record<string, string>>;
}

/**
 * Branches of a whole catalogue: each shows every table, and what is committed to one is not seen on another until it is merged.
 * Project Nessie has them. Refs of single tables cannot be relied on where there are these.
 */
export interface CatalogBranches {
  /** The branch that readers see; the catalogue's own loads and commits are on it. */
  readonly main: string;
  /** The branch as it is now; undefined when there is none. */
  find(name: string): Promise<KnownBranch | undefined>;
  /** All branches whose names start so. */
  list(prefix: string): Promise<KnownBranch[]>;
  /** @param from a commit of main. @throws LakegateError `exists` | `conflict` when that commit has gone */
  create(name: string, from: CatalogBranch): Promise<CatalogBranch>;
  /** Drops a branch, only while it is still at that commit; one that is gone is no fault. @throws LakegateError `conflict` */
  drop(branch: CatalogBranch): Promise<void>;
  /**
   * Puts what a branch changed onto main, as one commit. A branch that was merged before is left alone.
   * @throws LakegateError `conflict` when a table it changed was changed on main too since it started, or it has gone; nothing is changed then.
   *   `unknown_outcome` when the answer was lost
   */
  merge(from: CatalogBranch, words: CommitWords): Promise<void>;
  /**
   * The catalogue as a branch shows it at that commit. Tables are created, committed to and dropped on the branch itself; a commit to a table that
   * has changed since is a conflict.
   * @param properties go into the commits made through it, beside the table's name
   */
  at(branch: CatalogBranch, properties?: Readonly<Record<string, string>>): Catalog;
  /**
   * Main's commits that name the table, newest first.
   * @param since a commit of main to stop at, itself left out; undefined: all there are
   */
  history(table: TableIdentifier, since?: string): AsyncIterable<CatalogCommit>;
}

/** The property of a commit that names its table. */
export const TABLE_PROPERTY = 'lakegate.table';

/** A table's name as a property has it: of ASCII, since properties also go into HTTP headers. */
export function tableProperty(table: TableIdentifier): string {
  return encodeURIComponent(formatIdentifier(table));
}
