import type { RestCatalogConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import { checkNewTable } from '../iceberg/create.ts';
import type { TableRequirement, TableUpdate } from '../iceberg/model.ts';
import type { ReadSecret } from '../secrets/secret.ts';
import type { Catalog, LoadedTable, TableIdentifier } from './catalog.ts';
import { checkIdentifier, formatIdentifier } from './identifier.ts';
import { type RestAnswer, tableInAnswer } from './rest-answer.ts';
import { restAuth } from './rest-auth.ts';
import { answerFault } from './rest-fault.ts';
import { listAllTables, listTablesIn } from './rest-listing.ts';
import { loadedTables } from './rest-loaded.ts';
import { checkName, nameRules } from './rest-names.ts';
import { restServer } from './rest-server.ts';
import { checkTaken } from './rest-taken.ts';
import { type RestTransport, restTransport } from './rest-transport.ts';
import { commitBody, createTableBody } from './rest-wire.ts';

export interface RestCatalogOptions {
  /** The name people call the catalogue by. */
  name: string;
  config: Omit<RestCatalogConfig, 'type'>;
  secret: ReadSecret;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
  sleep: (ms: number) => Promise<void>;
  /** Hears of every request before it is sent, tokens apart. */
  onRequest?: (method: string, url: string) => void;
  /** The part of its paths after `/v1/`, where the server need not be asked for it; URL-encoded. */
  prefix?: string;
  /** The way to the server, where it is shared with others who ask it. Default: one of its own. */
  send?: RestTransport;
}

/**
 * An Iceberg REST catalogue (Iceberg REST OpenAPI). The server keeps the metadata; what it answers is used as it is, so that a load is one request
 * and a commit one more. Its settings are asked for once, by the first request.
 *
 * - **Commits** carry requirements, not a base: a commit whose requirements still hold is taken even if others committed meanwhile.
 * - **Amazon S3 Tables** (SigV4 for `s3tables`; S3 user guide, "Accessing tables using the Amazon S3 Tables Iceberg REST endpoint" and
 *   "Considerations and limitations for maintenance jobs"): namespaces of one level, names in lower case, the location is the server's.
 *   `stage-create` is refused, and so is `dropTable`, which keeps the files: it drops a table only together with them. Branches with a retention
 *   of their own, as failed deliveries are kept on, switch off S3's own snapshot management: expire the table with lakegate.
 * - **Glue's Iceberg endpoint** (SigV4 for `glue`; Glue developer guide, "Considerations and limitations when using Glue Iceberg REST Catalog
 *   APIs"): prefix `catalogs/<catalogue id>`, namespaces of one level, metadata of 20 MB at most.
 *
 * @throws LakegateError `config` for SigV4 without a region
 */
export function openRestCatalog(options: RestCatalogOptions): Catalog {
  const { name, config, secret, clock, sleep, onRequest } = options;
  const { uri } = config;
  const send =
    options.send ??
    restTransport({
      server: uri,
      auth: restAuth(config.auth, uri, { secret, clock }),
      clock,
      sleep,
      ...(onRequest === undefined ? {} : { onRequest }),
    });
  const server = restServer(config, send, options.prefix);
  const rules = nameRules(config.auth);
  const loaded = loadedTables();

  async function findTable(identifier: TableIdentifier): Promise<LoadedTable | undefined> {
    // The server cannot have it, and what it answers to such names differs from server to server.
    if (rules.fault(identifier) !== undefined) return undefined;
    const { routes } = await server.settled();
    const what = `load ${formatIdentifier(identifier)}`;
    const known = loaded.known(identifier);
    const answer = await send({
      method: 'GET',
      url: routes.table(identifier, { snapshots: 'all' }),
      what,
      ...(known === undefined ? {} : { headers: { 'if-none-match': known.etag } }),
    });
    if (answer.status === 304 && known !== undefined) return known.table;
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw answerFault(answer, { what, server: uri, changes: false });
    const table = tableInAnswer(identifier, answer, `The catalogue server ${uri}, asked to ${what}`);
    loaded.remember(table, answer);
    return table;
  }

  async function create(identifier: TableIdentifier, body: string): Promise<RestAnswer> {
    const { routes } = await server.settled();
    const what = `create ${formatIdentifier(identifier)}`;
    const request = { method: 'POST', url: routes.tables(identifier.namespace), body, what } as const;
    const answer = await send(request);
    if (answer.status !== 404) return answer;
    await server.ensureNamespace(identifier.namespace);
    return send(request);
  }

  /** Why a commit was refused as it is: a snapshot's number that another commit took meanwhile is a conflict, and some servers call it invalid. */
  async function refusal(
    base: LoadedTable,
    updates: readonly TableUpdate[],
    fault: LakegateError,
  ): Promise<LakegateError> {
    const added = updates.flatMap((update) => (update.action === 'add-snapshot' ? [update.snapshot] : []));
    if (added.length === 0) return fault;
    const now = await findTable(base.identifier);
    const taken = now?.metadata.lastSequenceNumber ?? Number.POSITIVE_INFINITY;
    if (
      now?.metadataLocation === base.metadataLocation ||
      added.every(({ sequenceNumber }) => sequenceNumber > taken)
    ) {
      return fault;
    }
    return conflict(base, name, `somebody else was first (${fault.message})`);
  }

  async function commit(
    base: LoadedTable,
    requirements: readonly TableRequirement[],
    updates: readonly TableUpdate[],
  ): Promise<LoadedTable> {
    const { identifier } = base;
    const { routes } = await server.settled();
    const what = `commit to ${formatIdentifier(identifier)}`;
    const asked = { what, server: uri, changes: true };
    const body = commitBody(requirements, updates);
    const answer = await send({ method: 'POST', url: routes.table(identifier), body, what });
    if (answer.status === 404) throw conflict(base, name, 'the table was dropped or renamed');
    if (answer.status === 409)
      throw conflict(base, name, `somebody else was first (${answerFault(answer, asked).message})`);
    if (answer.status === 400) throw await refusal(base, updates, answerFault(answer, asked));
    if (answer.status !== 200) throw answerFault(answer, asked);
    const table = understood(answer, asked, () =>
      tableInAnswer(identifier, answer, `The catalogue server ${uri}, asked to ${what}`),
    );
    checkTaken(table, updates, uri);
    loaded.remember(table, answer);
    return table;
  }

  /** Some servers leave out properties that a table is created with; those are set by a commit, since files are read by them (name mapping). */
  async function withProperties(table: LoadedTable, asked: Readonly<Record<string, string>>): Promise<LoadedTable> {
    const missing = Object.entries(asked).filter(
      ([key]) => key !== 'format-version' && !Object.hasOwn(table.metadata.properties, key),
    );
    if (missing.length === 0) return table;
    const same = { type: 'assert-table-uuid', uuid: table.metadata.tableUuid } as const;
    return commit(table, [same], [{ action: 'set-properties', updates: Object.fromEntries(missing) }]);
  }

  return {
    name,
    findTable,
    async loadTable(identifier) {
      const table = await findTable(identifier);
      if (table !== undefined) return table;
      const written = formatIdentifier(identifier);
      throw new LakegateError(
        'not_found',
        `There is no table ${written} in the catalogue ${name} (${uri}). \`lakegate table list\` shows those that there are.`,
        { context: { table: written, catalog: name } },
      );
    },
    async createTable(identifier, definition) {
      checkIdentifier(identifier);
      checkName(identifier, rules, name);
      checkNewTable(definition, formatIdentifier(identifier));
      const location = rules.serverChoosesLocation
        ? undefined
        : locationOf(identifier, definition.location, config.warehouse);
      const answer = await create(identifier, createTableBody(identifier, definition, location));
      const what = `create ${formatIdentifier(identifier)}`;
      if (answer.status === 409) throw tableExists(identifier, name);
      const asked = { what, server: uri, changes: true };
      if (answer.status !== 200) throw answerFault(answer, asked);
      const table = understood(answer, asked, () =>
        tableInAnswer(identifier, answer, `The catalogue server ${uri}, asked to ${what}`),
      );
      loaded.remember(table, answer);
      return withProperties(table, definition.properties);
    },
    commit,
    async listTables(namespace) {
      const { routes } = await server.settled();
      const listed = { routes, send, server: uri, nested: rules.nested };
      return namespace === undefined ? listAllTables(listed) : listTablesIn(listed, namespace);
    },
    async dropTable(identifier) {
      const what = `drop ${formatIdentifier(identifier)}`;
      const { routes } = await server.settled();
      const known = rules.fault(identifier) === undefined;
      const url = routes.table(identifier, { purgeRequested: 'false' });
      const answer = known ? await send({ method: 'DELETE', url, what }) : { status: 404, text: '' };
      loaded.forget(identifier);
      if (answer.status !== 204 && answer.status !== 200)
        throw answerFault(answer, { what, server: uri, changes: true });
    },
    close: () => undefined,
  };
}

/** What a server answers to a change it made, once read. An answer that cannot be read leaves open what was done. */
function understood<T>(answer: RestAnswer, asked: { what: string; server: string }, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isKind(cause, 'corrupt', 'unsupported')) throw cause;
    throw new LakegateError(
      'unknown_outcome',
      `Cannot ${asked.what} for certain: the catalogue server ${asked.server} answered ${answer.status}, but what it says cannot be read (${cause.message}). Reload and compare.`,
      { context: { server: asked.server }, cause },
    );
  }
}

function locationOf(
  table: TableIdentifier,
  own: string | undefined,
  warehouse: string | undefined,
): string | undefined {
  if (own !== undefined) return own.replace(/\/+$/, '');
  if (warehouse === undefined || warehouse === '') return undefined;
  return `${warehouse.replace(/\/+$/, '')}/${table.namespace.join('.')}/${table.name}`;
}

function tableExists(table: TableIdentifier, catalog: string): LakegateError {
  const written = formatIdentifier(table);
  return new LakegateError(
    'exists',
    `Cannot create ${written}: the catalogue ${catalog} already has a table or view of this name. Load it, or choose another name.`,
    { context: { table: written, catalog } },
  );
}

function conflict(base: LoadedTable, catalog: string, why: string): LakegateError {
  const table = formatIdentifier(base.identifier);
  return new LakegateError(
    'conflict',
    `Cannot commit to ${table} in the catalogue ${catalog}: ${why}. Reload the table and try again.`,
    { context: { table, catalog, expected: base.metadataLocation } },
  );
}
