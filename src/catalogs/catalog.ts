import type { PartitionSpec, Schema, TableMetadata, TableRequirement, TableUpdate } from '../iceberg/model.ts';
import type { CatalogBranches } from './branches.ts';

/** A table's name in its catalogue: namespace levels, then the name. Written `a.b.t`. */
export interface TableIdentifier {
  namespace: readonly string[];
  name: string;
}

/** A table as loaded: immutable metadata and where it lies. */
export interface LoadedTable {
  readonly identifier: TableIdentifier;
  /** URL of the metadata file, exactly as the catalogue has it. */
  readonly metadataLocation: string;
  readonly metadata: TableMetadata;
}

export interface NewTable {
  schema: Schema;
  spec: PartitionSpec;
  properties: Record<string, string>;
  /** Default: `<warehouse>/<namespace>/<table>` as the catalogue lays it out. */
  location?: string;
}

/** The catalogue port: the pointer to each table's metadata, moved by compare-and-swap. */
export interface Catalog {
  /** The name people call it by (`--catalog NAME`). */
  readonly name: string;
  /** Where the catalogue branches as a whole; tables have no branches of their own then. */
  readonly branches?: CatalogBranches;
  /** @throws LakegateError `not_found` | `unsupported` (format v3) | `unavailable` */
  loadTable(table: TableIdentifier): Promise<LoadedTable>;
  /** As loadTable, but undefined when there is no such table. */
  findTable(table: TableIdentifier): Promise<LoadedTable | undefined>;
  /** Creates the table, and its namespace where missing. @throws LakegateError `exists` */
  createTable(table: TableIdentifier, definition: NewTable): Promise<LoadedTable>;
  /**
   * One atomic commit.
   * @param base the table as last seen: backends that swap pointers swap from it, REST backends send the requirements
   * @throws LakegateError `conflict` (nothing was changed; reload) | `unknown_outcome` (reload and compare)
   */
  commit(base: LoadedTable, requirements: TableRequirement[], updates: TableUpdate[]): Promise<LoadedTable>;
  /**
   * All tables, or those of one namespace (levels as an identifier has them), sorted by name. A namespace that is not there has none.
   */
  listTables(namespace?: readonly string[]): Promise<TableIdentifier[]>;
  /** Takes the table out of the catalogue; files stay. @throws LakegateError `not_found` */
  dropTable(table: TableIdentifier): Promise<void>;
  close(): void;
}
