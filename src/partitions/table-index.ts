import pLimit from 'p-limit';
import type { PartitionsConfig } from '../config/partitions-model.ts';
import { isKind, LakegateError } from '../errors.ts';
import { folderUrl } from './folder-url.ts';
import type { CatalogTable, PartitionPorts } from './ports.ts';
import { isManaged, settingsOf } from './settings.ts';
import { skipReason } from './skip.ts';
import type { Tally } from './tally.ts';

/** Finds the tables that an object belongs to. */
export interface TableIndex {
  /**
   * Managed tables whose location an object lies under, those of the longest location; empty where there is none. Two tables may share a place.
   * @param url of the object, `s3://bucket/key`
   * @throws LakegateError `unavailable` when Glue cannot be asked; also for an object of no known table while one of the databases cannot be
   */
  find(url: string, tally: Tally): Promise<CatalogTable[]>;
  /** Forgets a database whose tables were found to be other ones than is remembered. */
  forget(database: string): void;
}

/** An object under no table makes all databases be asked again, but not more often than this: many buckets hold more than tables. */
const SEARCH_AGAIN_MS = 5 * 60_000;

/** Likewise where some databases could not be asked: the object may be theirs. */
const ASK_AGAIN_MS = 60_000;

/** A database's tables are asked for again after this long: what is registered is registered with the table's columns. */
const FRESH_MS = 10 * 60_000;

/** Databases whose tables are listed at the same time; their requests share one pace. */
const AT_ONCE = 16;

/** An index of all managed tables, kept for as long as the process lives. */
export function createTableIndex(ports: Pick<PartitionPorts, 'catalog' | 'now'>, config: PartitionsConfig): TableIndex {
  const databases = new Map<string, { tables: CatalogTable[]; at: number }>();
  let byFolder = new Map<string, CatalogTable[]>();
  let searchAgainAt = Number.NEGATIVE_INFINITY;
  /** Why the last search did not see all tables. */
  let missed: LakegateError | undefined;
  let searching: Promise<void> | undefined;
  const refreshing = new Map<string, Promise<void>>();

  async function load(database: string, tally: Tally): Promise<void> {
    const tables: CatalogTable[] = [];
    try {
      for await (const page of ports.catalog.tables(database, tally)) tables.push(...page);
    } catch (error) {
      if (!isKind(error, 'not_found')) throw error;
    }
    databases.set(database, { tables: tables.filter(isIndexed), at: ports.now() });
  }

  function isIndexed(table: CatalogTable): boolean {
    return skipReason(table) === undefined && settingsOf(config, table.database, table.name).skip === undefined;
  }

  function rebuild(): void {
    const all = [...databases.values()].flatMap(({ tables }) => tables);
    byFolder = Map.groupBy(all, ({ location }) => folderUrl(location ?? ''));
  }

  /** Asks all databases. One that cannot be asked holds back no other's tables. */
  async function search(tally: Tally): Promise<void> {
    let fault: LakegateError | undefined;
    const unlessRefused = async (work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof LakegateError)) throw error;
        fault ??= error;
      }
    };
    await unlessRefused(async () => {
      const names: string[] = [];
      for await (const page of ports.catalog.databases(tally))
        names.push(...page.filter((name) => isManaged(config, name)));
      for (const name of databases.keys()) if (!names.includes(name)) databases.delete(name);
      const limit = pLimit(AT_ONCE);
      await Promise.all(names.map((name) => limit(() => unlessRefused(() => load(name, tally)))));
    });
    rebuild();
    missed = fault;
    searchAgainAt = ports.now() + (missed === undefined ? SEARCH_AGAIN_MS : ASK_AGAIN_MS);
  }

  function refresh(database: string, tally: Tally): Promise<void> {
    let running = refreshing.get(database);
    if (running === undefined) {
      running = load(database, tally)
        .then(rebuild)
        .finally(() => refreshing.delete(database));
      refreshing.set(database, running);
    }
    return running;
  }

  function match(url: string): CatalogTable[] {
    for (let end = url.lastIndexOf('/'); end > 's3://'.length; end = url.lastIndexOf('/', end - 1)) {
      const tables = byFolder.get(url.slice(0, end + 1));
      if (tables !== undefined) return tables;
    }
    return [];
  }

  return {
    async find(url, tally) {
      let found = match(url);
      if (found.length === 0 && ports.now() >= searchAgainAt) {
        searching ??= search(tally).finally(() => {
          searching = undefined;
        });
        await searching;
        found = match(url);
      }
      if (found.length === 0 && missed !== undefined) throw missed;
      const stale = new Set(
        found
          .map(({ database }) => database)
          .filter((name) => ports.now() - (databases.get(name)?.at ?? Number.NEGATIVE_INFINITY) >= FRESH_MS),
      );
      if (stale.size === 0) return found;
      await Promise.all([...stale].map((name) => refresh(name, tally)));
      return match(url);
    },
    forget(database) {
      const known = databases.get(database);
      if (known !== undefined) known.at = Number.NEGATIVE_INFINITY;
    },
  };
}
