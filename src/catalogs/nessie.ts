import type { NessieCatalogConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import type { TableUpdate } from '../iceberg/model.ts';
import { REMOVED_DELIVERIES_KEY } from '../iceberg/published.ts';
import type { ReadSecret } from '../secrets/secret.ts';
import { TABLE_PROPERTY, tableProperty } from './branches.ts';
import type { Catalog, LoadedTable, TableIdentifier } from './catalog.ts';
import { formatIdentifier } from './identifier.ts';
import { nessieBranches } from './nessie-branches.ts';
import { openRestCatalog } from './rest.ts';
import { restAuth } from './rest-auth.ts';
import { type RestTransport, restTransport } from './rest-transport.ts';

export interface NessieCatalogOptions {
  /** The name people call the catalogue by. */
  name: string;
  config: Omit<NessieCatalogConfig, 'type'>;
  secret: ReadSecret;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
  sleep: (ms: number) => Promise<void>;
  /** Hears of every request before it is sent, tokens apart. */
  onRequest?: (method: string, url: string) => void;
}

/** The table property in which Nessie tells the commit that a table was read at. */
const COMMIT_ID = 'nessie.commit.id';

/** Properties that Nessie puts into every table it answers with; they are not the table's, and change by themselves. */
const NESSIES_OWN = new Set([COMMIT_ID, 'nessie.commit.ref', 'nessie.catalog.content-id', 'created-at']);

/** The commit at which metadata was loaded, by the metadata. Of every server: hashes are not shared between them. */
const loadedAt = new WeakMap<object, string>();

/**
 * A Nessie server: tables by its Iceberg REST service (`<uri>/iceberg`), whose paths begin with the branch, and branches by its own API
 * (`<uri>/api/v2`). Seen on 0.99, and minded here:
 * - A table has its newest snapshot only, without its parent, and no refs but main; others are dropped without a word.
 * - A commit that requires that there is no snapshot yet is taken although there is one. Commits therefore go to `branch@commit`, the commit that
 *   their base was loaded at: then, of several from one base, one is taken.
 * - Headers `Nessie-Commit-Property-…` put properties into the commit.
 * - Its collector alone may delete files (`gc.enabled` is false on its tables): other branches and its history may need them.
 */
export function openNessieCatalog(options: NessieCatalogOptions): Catalog {
  const { config, secret, clock, sleep, onRequest } = options;
  const auth = restAuth(config.auth, `${config.uri}/iceberg`, { secret, clock });
  const send = restTransport({
    server: config.uri,
    auth,
    clock,
    sleep,
    ...(onRequest === undefined ? {} : { onRequest }),
  });
  const branches = nessieBranches(`${config.uri}/api/v2`, config.branch, send, (branch, properties) =>
    onBranch(branch, properties),
  );

  /** The REST catalogue of `branch` or `branch@commit`. */
  function restOf(ref: string, through: RestTransport = send): Catalog {
    const prefix = encodeURIComponent(config.serverWarehouse === undefined ? ref : `${ref}|${config.serverWarehouse}`);
    const rest = { uri: `${config.uri}/iceberg`, auth: config.auth };
    return openRestCatalog({ name: options.name, config: rest, secret, clock, sleep, send: through, prefix });
  }

  /** Without Nessie's own properties, and with the commit it was loaded at noted. */
  function plain(table: LoadedTable): LoadedTable {
    const { properties } = table.metadata;
    const own = Object.entries(properties).filter(([key]) => !NESSIES_OWN.has(key));
    const found = { ...table, metadata: { ...table.metadata, properties: Object.fromEntries(own) } };
    if (properties[COMMIT_ID] !== undefined) loadedAt.set(found.metadata, properties[COMMIT_ID]);
    return found;
  }

  /** The answer to a commit gives an address at the server; only a load tells the metadata file. Without it the table is as good. */
  async function whereItLies(name: string, answered: LoadedTable): Promise<LoadedTable> {
    const at = loadedAt.get(answered.metadata);
    if (at === undefined) return answered;
    const loaded = await restOf(`${name}@${at}`)
      .findTable(answered.identifier)
      .catch(() => undefined);
    return loaded === undefined ? answered : plain(loaded);
  }

  /** The branch's newest commit, where the table is as in metadata that was not loaded through here. @throws LakegateError `conflict` */
  async function stillAt(name: string, { identifier, metadata }: LoadedTable): Promise<string> {
    const now = await restOf(name).findTable(identifier);
    const at = now?.metadata.properties[COMMIT_ID];
    const same =
      now?.metadata.tableUuid === metadata.tableUuid &&
      now.metadata.currentSnapshotId === metadata.currentSnapshotId &&
      now.metadata.lastUpdatedMs === metadata.lastUpdatedMs;
    if (same && at !== undefined) return at;
    throw new LakegateError(
      'conflict',
      `Cannot commit to ${formatIdentifier(identifier)} on ${name}: it was changed or dropped meanwhile. Reload the table and try again.`,
      { context: { table: formatIdentifier(identifier), branch: name } },
    );
  }

  function onBranch(
    { name, hash }: { name: string; hash?: string },
    properties: Readonly<Record<string, string>> = {},
  ): Catalog {
    const reads = restOf(hash === undefined ? name : `${name}@${hash}`);
    const head = restOf(name);
    return {
      ...head,
      async findTable(identifier) {
        const table = await reads.findTable(identifier);
        return table && plain(table);
      },
      loadTable: async (identifier) => plain(await reads.loadTable(identifier)),
      createTable: async (identifier, definition) =>
        plain(await restOf(name, namingWhatIsMissing(send)).createTable(identifier, definition)),
      async commit(base, requirements, updates) {
        const at = loadedAt.get(base.metadata) ?? hash ?? (await stillAt(name, base));
        const through = sayingOf(send, base.identifier, { ...removedDeliveries(updates), ...properties });
        const commits = restOf(`${name}@${at}`, through);
        try {
          const answered = plain(await commits.commit(base, requirements, updates));
          return hash === undefined ? await whereItLies(name, answered) : answered;
        } catch (error) {
          // To Nessie a request for a branch that has gone is only a wrong one.
          if (!isKind(error, 'invalid') || (await branches.find(name)) !== undefined) throw error;
          throw new LakegateError('conflict', `the branch ${name} has gone: ${error.message}`, {
            context: { ...error.context, branch: name },
            cause: error,
          });
        }
      },
    };
  }

  return { ...onBranch({ name: config.branch }), branches };
}

/**
 * For one new table. Nessie calls it a conflict when a namespace of several levels is not there, and also when somebody makes the same table at the
 * same moment. Such a first answer is said as other servers say that a namespace is missing, so that it is made; the answer after that stands.
 */
function namingWhatIsMissing(send: RestTransport): RestTransport {
  let first = true;
  return async (request) => {
    const answer = await send(request);
    if (request.method !== 'POST' || !request.url.endsWith('/tables')) return answer;
    const missing = first && answer.status === 409 && !answer.text.includes('"AlreadyExistsException"');
    first = false;
    return missing ? { ...answer, status: 404 } : answer;
  };
}

/** Requests through it put these properties into the commits they make. */
function sayingOf(
  send: RestTransport,
  table: TableIdentifier,
  properties: Readonly<Record<string, string>>,
): RestTransport {
  const said = { [TABLE_PROPERTY]: tableProperty(table), ...properties };
  const headers = Object.fromEntries(
    Object.entries(said).map(([key, value]) => [`Nessie-Commit-Property-${key}`, value]),
  );
  return (request) =>
    send(request.method === 'POST' ? { ...request, headers: { ...request.headers, ...headers } } : request);
}

/** Main's history is read from its commits' properties: a commit to it must say what deliveries it takes out. */
function removedDeliveries(updates: readonly TableUpdate[]): Record<string, string> {
  const ids = updates.flatMap((update) => {
    const removed = update.action === 'add-snapshot' ? update.snapshot.summary[REMOVED_DELIVERIES_KEY] : undefined;
    return removed === undefined ? [] : [removed];
  });
  return ids.length === 0 ? {} : { [REMOVED_DELIVERIES_KEY]: ids.join(',') };
}
