import type { Partition, PartitionInput, StorageDescriptor } from '@aws-sdk/client-glue';
import type { ObjectStore } from '../storage/store.ts';
import type { GlueTableFacts } from './skip.ts';
import type { Tally } from './tally.ts';
import type { FolderLister } from './walk.ts';

export interface TableName {
  database: string;
  table: string;
}

/** A table as Glue has it. */
export interface CatalogTable extends GlueTableFacts {
  database: string;
  /** When it was made, as Glue says: one of the same name that was dropped and made again has none of its partitions. Empty where it is not said. */
  created: string;
  /** All of it: partitions get the same but for their place. */
  descriptor: StorageDescriptor;
}

/** What Glue said of one partition that it did not take. */
export interface ItemFault {
  values: string[];
  /** Glue's own name of the fault, `InvalidInputException`. */
  code: string;
  message: string;
}

/** Most partitions that Glue takes in one request (API reference, under each operation). */
export const BATCH = { create: 100, update: 100, remove: 25, get: 1000 } as const;

/**
 * Tables and partitions of Glue. Requests go at a pace that Glue bears, and are made again where that may help.
 * Every operation counts its requests in the tally and @throws LakegateError, `unavailable` (retryable) once `stop` says that there is no time left.
 */
export interface PartitionCatalog {
  /** Names of all databases, page by page; links to databases of other accounts are left out. */
  databases(tally: Tally): AsyncIterable<string[]>;
  tables(database: string, tally: Tally): AsyncIterable<CatalogTable[]>;
  /**
   * All partitions of a table, page by page, in no order.
   * @param options.columns whether their columns are asked for, which are most of what is sent
   * @param options.about how many are expected: many are read in several segments at once
   */
  partitions(table: TableName, options: { columns: boolean; about: number }, tally: Tally): AsyncIterable<Partition[]>;
  /** Whole partitions, at most `BATCH.get`; those that are not there are left out. */
  get(table: TableName, values: readonly string[][], tally: Tally): Promise<Partition[]>;
  /** Registers at most `BATCH.create` partitions. @returns what was not taken, `AlreadyExistsException` included */
  create(table: TableName, partitions: readonly PartitionInput[], tally: Tally): Promise<ItemFault[]>;
  /** Replaces at most `BATCH.update` partitions, which are told by their values. */
  update(table: TableName, partitions: readonly PartitionInput[], tally: Tally): Promise<ItemFault[]>;
  /** Removes at most `BATCH.remove` partitions from the catalogue; their files stay. */
  remove(table: TableName, values: readonly string[][], tally: Tally): Promise<ItemFault[]>;
}

/** The place where a table's data lie. */
export interface TableFolders extends FolderLister {
  /** Whether anything lies under a folder by now. @param prefix relative to the table's location, ending in `/` */
  holds(prefix: string): Promise<boolean>;
}

/** What partition management meets of the world. */
export interface PartitionPorts {
  catalog: PartitionCatalog;
  /** Folders under a table's location (`s3://bucket/key`, with or without a slash at its end). */
  folders(location: string, tally: Tally): TableFolders;
  /** Keeps what is known of each database, and the records of runs. */
  store: ObjectStore;
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
  uuid(): string;
  /** Milliseconds left for work; absent where there is no end to it. */
  remainingMs?(): number;
}
