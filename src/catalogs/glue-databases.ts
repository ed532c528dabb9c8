import {
  CreateDatabaseCommand,
  GetDatabaseCommand,
  type GlueClient,
  paginateGetDatabases,
  paginateGetTables,
  type Table,
} from '@aws-sdk/client-glue';
import pLimit from 'p-limit';
import type { TableIdentifier } from './catalog.ts';
import { glueFault, isMissing, isTaken } from './glue-fault.ts';

/** Databases whose tables are listed at once. Glue throttles listings early. */
const CONCURRENT_LISTINGS = 4;

export interface GlueDatabasesOptions {
  client: GlueClient;
  catalogId: { CatalogId?: string };
  /** The catalogue's name, for errors. */
  catalog: string;
  /** URL under which new databases lie; empty: none. */
  warehouse: string;
}

export interface GlueDatabases {
  /** The database's location without a slash at the end, if it has one; it is made where it is missing. */
  ensure(database: string): Promise<{ location: string | undefined }>;
  /**
   * Tables of one database, or of every one, in no order. Databases that are links to other accounts' are left out: what lakegate does to all tables
   * must not reach them.
   */
  tables(wanted: (table: Table) => boolean, database?: string): Promise<TableIdentifier[]>;
}

/** Glue's databases, which are the namespaces of its tables. */
export function glueDatabases({ client, catalogId, catalog, warehouse }: GlueDatabasesOptions): GlueDatabases {
  const newLocation = (database: string) =>
    warehouse === '' ? undefined : `${warehouse.replace(/\/+$/, '')}/${database}`;

  async function locationOf(database: string): Promise<{ location: string | undefined } | undefined> {
    try {
      const { Database } = await client.send(new GetDatabaseCommand({ ...catalogId, Name: database }));
      return { location: Database?.LocationUri?.replace(/\/+$/, '') || newLocation(database) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw glueFault(error, `look at the database ${database}`, catalog);
    }
  }

  return {
    async ensure(database) {
      const there = await locationOf(database);
      if (there !== undefined) return there;
      const location = newLocation(database);
      const input = { Name: database, ...(location === undefined ? {} : { LocationUri: location }) };
      try {
        await client.send(new CreateDatabaseCommand({ ...catalogId, DatabaseInput: input }));
        return { location };
      } catch (error) {
        // Somebody else made it meanwhile, maybe elsewhere.
        const made = isTaken(error) ? await locationOf(database) : undefined;
        if (made !== undefined) return made;
        throw glueFault(error, `create the database ${database}`, catalog);
      }
    },
    async tables(wanted, only) {
      const names: string[] = only === undefined ? [] : [only];
      const found: TableIdentifier[] = [];
      try {
        // A copy: the paginator puts its token into what it is given.
        const pages = only === undefined ? paginateGetDatabases({ client }, { ...catalogId }) : [];
        for await (const page of pages) {
          for (const { Name, TargetDatabase } of page.DatabaseList ?? []) if (Name && !TargetDatabase) names.push(Name);
        }
        const limit = pLimit(CONCURRENT_LISTINGS);
        const list = async (database: string): Promise<void> => {
          for await (const page of paginateGetTables({ client }, { ...catalogId, DatabaseName: database })) {
            for (const table of page.TableList ?? []) {
              if (table.Name && wanted(table)) found.push({ namespace: [database], name: table.Name });
            }
          }
        };
        await Promise.all(names.map((database) => limit(() => list(database))));
        return found;
      } catch (error) {
        if (only !== undefined && isMissing(error)) return [];
        throw glueFault(error, 'list tables', catalog);
      }
    },
  };
}
