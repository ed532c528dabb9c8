import type { TableInput } from '@aws-sdk/client-glue';
import type { HiveColumn } from './hive-type.ts';

/** A table as the catalogue has it. */
export interface CatalogedTable {
  name: string;
  /** Of its last change: an update is of this version or of none. */
  version?: string;
  /** `EXTERNAL_TABLE`, `VIRTUAL_VIEW`, … */
  type?: string;
  location?: string;
  comment?: string;
  columns: readonly HiveColumn[];
  partitionKeys: readonly HiveColumn[];
  bucketColumns: readonly string[];
  buckets: number;
  parameters: Readonly<Record<string, string>>;
}

/** Tables of Glue's Data Catalog. Every operation @throws LakegateError `unavailable`, `not_found` for a database that is not there. */
export interface TableCatalog {
  get(database: string, name: string): Promise<CatalogedTable | undefined>;
  /** Those whose names begin with `prefix`, by name. */
  list(database: string, prefix: string): Promise<CatalogedTable[]>;
  /** @throws LakegateError `conflict` where somebody made it meanwhile */
  create(database: string, input: TableInput & { Name: string }): Promise<void>;
  /** Replaces the table's definition in one step. @throws LakegateError `conflict` where it is not of that version any more */
  update(database: string, input: TableInput & { Name: string }, version: string | undefined): Promise<void>;
  /** Takes it out of the catalogue, its files stay; one that is not there is no error. */
  remove(database: string, name: string): Promise<void>;
}

/** Runs a statement to its end. */
export interface StatementRunner {
  /** @throws LakegateError `invalid` when the statement is at fault, `unavailable` else */
  run(statement: string, database: string): Promise<void>;
}
