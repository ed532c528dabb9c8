import {
  CreateTableCommand,
  DeleteTableCommand,
  GetTableCommand,
  GlueClient,
  type Table,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { LakegateError } from '../errors.ts';
import { newTableMetadata } from '../iceberg/create.ts';
import { checkRequirements } from '../iceberg/requirements.ts';
import { applyUpdates } from '../iceberg/updates.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Catalog, LoadedTable, TableIdentifier } from './catalog.ts';
import { glueDatabases } from './glue-databases.ts';
import { glueFault, isCertain, isLostRace, isMissing, isTaken } from './glue-fault.ts';
import { missingTable, movedOn, noPlace, notIceberg, tableExists, unknownOutcome } from './glue-refusal.ts';
import { checkGlueIdentifier, isGlueName, metadataLocationOf, tableInput } from './glue-table.ts';
import { compareIdentifiers, formatIdentifier } from './identifier.ts';
import { openMetadataFiles } from './metadata-files.ts';
import { nextMetadataLocation, supersededFiles, withPredecessor } from './metadata-log.ts';
import { fitMetadata, type MetadataLimits, type MetadataSizeReport } from './metadata-size.ts';

export interface GlueCatalogOptions {
  /** The name people call the catalogue by. */
  name: string;
  /** URL under which the databases that lakegate makes lie; empty: none. */
  warehouse: string;
  /** Default: the environment's. */
  region?: string;
  /** Account whose catalogue it is. Default: the caller's. */
  catalogId?: string;
  store: ObjectStore;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
  /** A new random UUID at each call. */
  uuid: () => string;
  /** Hears of tables whose metadata nears the limit. */
  onMetadataSize?: (report: MetadataSizeReport) => void;
  /** Default: Glue's limit of 20 MB, and what leaves room to act before it. */
  limits?: MetadataLimits;
  /** Default: one made for the region and the environment's credentials and endpoint. */
  client?: GlueClient;
}

const MB = 1024 * 1024;
/** Glue refuses metadata files over 20 MB. Whether it means the file or what it unpacks to is not said: the larger is held. */
const GLUE_LIMITS: MetadataLimits = { warnBytes: 10 * MB, urgentBytes: 16 * MB, maxBytes: 20 * MB };

/** How often a load begins again because the file it was led to was superseded and deleted meanwhile. */
const LOAD_ATTEMPTS = 3;
/** A commit's answer may take long, but a function's time is bounded. */
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTION_TIMEOUT_MS = 5_000;
/** Attempts per request, the first one included: Glue throttles whole accounts, for seconds. */
const ATTEMPTS = 5;

/** A table's entry as last seen or written. */
interface Entry {
  location: string;
  versionId: string;
  content: Table | TableInput;
}

/**
 * The AWS Glue Data Catalog by its own API, laid out as Iceberg's GlueCatalog does. A commit is one metadata file and one UpdateTable that
 * names the version it replaces (optimistic lock), so a stale base cannot win.
 *
 * UpdateTable does not tell the new version. Versions are integers that only grow, each update taking the next (API reference, "TableVersion"),
 * so after our own update the next one is expected, and no GetTable is needed between two commits of ours. A wrong guess costs a conflict and
 * a reload, and can never hit somebody else's version: whatever came after ours has a higher one.
 */
export function createGlueCatalog(options: GlueCatalogOptions): Catalog {
  const { name, warehouse, store, clock, uuid, limits = GLUE_LIMITS } = options;
  const client = options.client ?? newClient(options.region);
  const catalogId = options.catalogId === undefined ? {} : { CatalogId: options.catalogId };
  const files = openMetadataFiles(store);
  const databases = glueDatabases({ client, catalogId, catalog: name, warehouse });
  /** By table: what a commit may build on without asking again. */
  const entries = new Map<string, Entry>();

  /** The table's entry whatever it is; undefined when there is none, or no database. */
  async function getTable(table: TableIdentifier): Promise<Table | undefined> {
    const written = formatIdentifier(table);
    try {
      const request = { ...catalogId, DatabaseName: table.namespace[0]!, Name: table.name };
      return (await client.send(new GetTableCommand(request))).Table;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw glueFault(error, `load ${written}`, name);
    }
  }

  /** As getTable, for Iceberg tables. @throws LakegateError `unsupported` for tables of other kinds */
  async function getEntry(table: TableIdentifier): Promise<Entry | undefined> {
    const key = formatIdentifier(table);
    entries.delete(key);
    if (!isGlueName(table)) return undefined;
    const content = await getTable(table);
    if (content === undefined) return undefined;
    const location = metadataLocationOf(content);
    if (location === undefined) throw notIceberg(table, name, content);
    if (!content.VersionId) {
      throw new LakegateError(
        'unsupported',
        `Table ${key}: the catalogue ${name} gives no VersionId, without which commits could overwrite each other. Use a Glue that does.`,
        { context: { table: key } },
      );
    }
    const entry = { location, versionId: content.VersionId, content };
    entries.set(key, entry);
    return entry;
  }

  async function findTable(identifier: TableIdentifier): Promise<LoadedTable | undefined> {
    let missing = '';
    for (let attempt = 0; attempt < LOAD_ATTEMPTS; attempt += 1) {
      const entry = await getEntry(identifier);
      if (entry === undefined) return undefined;
      const metadata = await files.read(entry.location);
      if (metadata !== undefined) return { identifier, metadataLocation: entry.location, metadata };
      missing = entry.location;
    }
    throw new LakegateError(
      'corrupt',
      `Table ${formatIdentifier(identifier)}: the catalogue ${name} says its metadata is "${missing}", but there is no such file. Restore the file, or drop the table and register it again.`,
      { context: { table: formatIdentifier(identifier), metadataLocation: missing } },
    );
  }

  /** The entry that a commit from `base` replaces. Asks only where the last answer does not say it. */
  async function entryToReplace(base: LoadedTable): Promise<Entry> {
    const known = entries.get(formatIdentifier(base.identifier));
    // A dropped table that was made again counts from the beginning: only there could a remembered version be another table's.
    if (known?.location === base.metadataLocation && Number(known.versionId) >= 3) return known;
    const entry = await getEntry(base.identifier);
    if (entry?.location !== base.metadataLocation) throw movedOn(base, name, entry?.location);
    return entry;
  }

  /**
   * What a failed write means. The new file is removed only where it is certain that the catalogue does not point to it and never will.
   * @returns when the write was carried out after all
   */
  async function afterFault(
    error: unknown,
    table: TableIdentifier,
    location: string,
    fault: LakegateError,
  ): Promise<void> {
    const written = formatIdentifier(table);
    if (!isCertain(error)) {
      const found = await getTable(table).catch((cause: unknown) => {
        throw unknownOutcome(written, name, cause);
      });
      if (found !== undefined && metadataLocationOf(found) === location) return;
      // A lost race is over: the version that an earlier request of ours named is gone for good.
      if (!isLostRace(error) && !isTaken(error)) throw unknownOutcome(written, name, error);
    }
    await files.discard([location]);
    throw fault;
  }

  return {
    name,
    findTable,
    async loadTable(identifier) {
      const table = await findTable(identifier);
      if (table !== undefined) return table;
      throw missingTable(identifier, name);
    },
    async createTable(identifier, definition) {
      checkGlueIdentifier(identifier);
      const { location: database } = await databases.ensure(identifier.namespace[0]!);
      const location = definition.location?.replace(/\/+$/, '') || (database && `${database}/${identifier.name}`);
      if (!location) throw noPlace(identifier, name);
      const metadata = newTableMetadata({ ...definition, location, uuid: uuid(), nowMs: clock() });
      const metadataLocation = nextMetadataLocation(metadata, undefined, uuid());
      await files.write(metadataLocation, metadata);
      const input = tableInput(identifier.name, metadata, metadataLocation, undefined);
      try {
        const request = { ...catalogId, DatabaseName: identifier.namespace[0]!, TableInput: input };
        await client.send(new CreateTableCommand(request));
      } catch (error) {
        const fault = isTaken(error)
          ? tableExists(identifier, name, error)
          : glueFault(error, `create ${formatIdentifier(identifier)}`, name);
        await afterFault(error, identifier, metadataLocation, fault);
      }
      return { identifier, metadataLocation, metadata };
    },
    async commit(base, requirements, updates) {
      const { identifier } = base;
      const key = formatIdentifier(identifier);
      checkRequirements(base.metadata, requirements);
      const replaced = await entryToReplace(base);
      if (updates.length === 0) return base;
      const nowMs = clock();
      const updated = withPredecessor(applyUpdates(base.metadata, updates, nowMs), base);
      const { metadata, bytes, report } = fitMetadata(key, updated, nowMs, limits);
      const metadataLocation = nextMetadataLocation(metadata, base.metadataLocation, uuid());
      await files.write(metadataLocation, metadata, bytes);
      const input = tableInput(identifier.name, metadata, metadataLocation, replaced.content);
      entries.delete(key);
      try {
        const request = {
          ...catalogId,
          DatabaseName: identifier.namespace[0]!,
          TableInput: input,
          VersionId: replaced.versionId,
          SkipArchive: true,
        };
        await client.send(new UpdateTableCommand(request));
        const versionId = versionAfter(replaced.versionId);
        if (versionId !== undefined) entries.set(key, { location: metadataLocation, versionId, content: input });
      } catch (error) {
        const fault =
          isLostRace(error) || isMissing(error)
            ? movedOn(base, name, undefined, error)
            : glueFault(error, `commit to ${key}`, name);
        await afterFault(error, identifier, metadataLocation, fault);
      }
      if (report !== undefined) options.onMetadataSize?.(report);
      const superseded = supersededFiles(base.metadata, metadata);
      if (superseded.length > 0) await files.discard(superseded);
      return { identifier, metadataLocation, metadata };
    },
    async listTables(namespace) {
      // Glue has one level of namespaces.
      if (namespace !== undefined && namespace.length !== 1) return [];
      const found = await databases.tables((table) => metadataLocationOf(table) !== undefined, namespace?.[0]);
      return found.sort(compareIdentifiers);
    },
    async dropTable(identifier) {
      // Only what is an Iceberg table is dropped: a Hive table of the name is somebody else's.
      if ((await getEntry(identifier)) === undefined) throw missingTable(identifier, name);
      entries.delete(formatIdentifier(identifier));
      try {
        const request = { ...catalogId, DatabaseName: identifier.namespace[0]!, Name: identifier.name };
        await client.send(new DeleteTableCommand(request));
      } catch (error) {
        if (isMissing(error)) throw missingTable(identifier, name);
        throw glueFault(error, `drop ${formatIdentifier(identifier)}`, name);
      }
    },
    close: () => (options.client === undefined ? client.destroy() : undefined),
  };
}

function newClient(configured: string | undefined): GlueClient {
  // The second is the name that the AWS command line and Python know the region by.
  const region = configured ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || undefined);
  return new GlueClient({
    ...(region === undefined ? {} : { region }),
    maxAttempts: ATTEMPTS,
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

/** The version that an update of this one makes; undefined where versions are no integers. */
function versionAfter(versionId: string): string | undefined {
  return /^\d+$/.test(versionId) ? String(BigInt(versionId) + 1n) : undefined;
}
