import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Catalog } from './catalogs/catalog.ts';
import type { MetadataSizeReport } from './catalogs/metadata-size.ts';
import { catalogOpener } from './catalogs/open.ts';
import { atAwsEndpoint } from './catalogs/rest-endpoint.ts';
import type { CatalogConfig, LakeConfig, StageConfig } from './config/model.ts';
import { LakegateError } from './errors.ts';
import type { LeaseHolder } from './gate/delivery.ts';
import type { GatePorts, Step } from './gate/ports.ts';
import { createRecords } from './gate/records.ts';
import type { TableIO } from './iceberg/table-io.ts';
import type { Notifier } from './notify/notifier.ts';
import type { SqlEngine } from './rules/rule.ts';
import { createSecretReader } from './secrets/reader.ts';
import type { ObjectStore } from './storage/store.ts';
import { createStores } from './storage/stores.ts';

export interface ComposeOptions {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** `--catalog`: a catalogue of lake.yaml, else of .pyiceberg.yaml; stands for every table. */
  catalog?: string;
  onStep?: (step: Step) => void;
  /** Hears of messages that could not be sent. */
  onNotifyFault?: (message: string) => void;
  /** Hears of tables whose metadata nears what their catalogue takes. */
  onMetadataSize?: (report: MetadataSizeReport) => void;
  /** Stands in for the store made from the URLs' schemes. */
  store?: ObjectStore;
  notifier?: Notifier;
  now?: () => number;
  /** Hears of every request to a server of catalogues before it is sent. */
  onCatalogRequest?: (method: string, url: string) => void;
  /** Tells this machine from every other in leases. Default: its host name; functions share theirs. */
  host?: string;
}

/** A lake opened for work. */
export interface Lake {
  config: LakeConfig;
  ports: GatePorts;
  close(): void;
}

/** How long a dead runner keeps others from its deliveries, where nothing says how long it could have run at most. */
const LEASE_MS = 15 * 60 * 1000;

/**
 * On a stage, as long as one invocation may take: an event whose run was killed comes back after twice that, and finds the lease over. A
 * longer one would use up the event's attempts. Leases are renewed while the work goes on, so that longer runs keep theirs.
 */
function leaseMs({ stage }: LakeConfig): number {
  return stage === undefined ? LEASE_MS : stage.gate.timeout * 1000;
}

/** Long enough for many writers on one table, each of which may commit first. */
const COMMIT_DEADLINE_MS = 120 * 1000;

/**
 * Builds the adapters that a lake's description asks for.
 * @throws LakegateError `config` for a catalogue that there is not, `unsupported` for one of a kind that cannot be opened yet
 */
export async function composeLake(config: LakeConfig, options: ComposeOptions): Promise<Lake> {
  const now = options.now ?? Date.now;
  const host = options.host ?? hostname();
  const store =
    options.store ?? createStores(config.stage === undefined ? {} : { s3: { region: config.stage.region } });
  const catalogs = new Map<string, Catalog>();
  const override =
    options.catalog === undefined ? undefined : await overriddenCatalog(config, options.catalog, options);
  const kinds = new Set(
    [...Object.values(config.catalogs), ...(override ? [override.config] : [])].map(({ type }) => type),
  );
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const secret = createSecretReader({
    env: options.env,
    clock: now,
    ...(config.stage === undefined ? {} : { region: config.stage.region }),
  });
  const openCatalog = await catalogOpener(kinds, {
    store,
    clock: now,
    uuid: randomUUID,
    sleep,
    secret,
    ...(options.onCatalogRequest === undefined ? {} : { onRequest: options.onCatalogRequest }),
  });
  const open = (name: string, found: CatalogConfig | undefined): Catalog => {
    const known = catalogs.get(name);
    if (known) return known;
    if (!found) {
      throw new LakegateError(
        'config',
        `there is no catalogue ${JSON.stringify(name)}; lake.yaml has: ${Object.keys(config.catalogs).join(', ')}`,
      );
    }
    const opened = openCatalog(name, atEndpoint(found, options.env));
    catalogs.set(name, opened);
    return opened;
  };
  const io: TableIO = { store, now, uuid: randomUUID, snapshotId: randomSnapshotId };
  const ports: GatePorts = {
    store,
    io,
    records: createRecords(store, config.records),
    catalog: (name) => (override ? open(override.name, override.config) : open(name, config.catalogs[name])),
    notifier: options.notifier ?? (await notifierOf(config, options)),
    sql: lazySql(config),
    now,
    holder: leaseHolder(host),
    leaseMs: leaseMs(config),
    isDead: (holder) => isDead(holder, host),
    onStep: options.onStep ?? (() => undefined),
    commitDeadlineMs: COMMIT_DEADLINE_MS,
    sleep,
    random: Math.random,
  };
  const used = override
    ? {
        ...config,
        catalogs: { ...config.catalogs, [override.name]: override.config },
        defaultCatalog: override.name,
        tables: config.tables.map((table) => ({ ...table, catalog: override.name })),
      }
    : config;
  return {
    config: used,
    ports,
    close: () => {
      for (const catalog of catalogs.values()) catalog.close();
    },
  };
}

/** A server's address is often known only where the lake is used: Nessie's in a stage's network, an emulator's beside a laptop. */
function atEndpoint(catalog: CatalogConfig, env: ComposeOptions['env']): CatalogConfig {
  if (catalog.type === 'rest') return atAwsEndpoint(catalog, env);
  const endpoint = env.NESSIE_ENDPOINT?.replace(/\/+$/, '');
  if (catalog.type !== 'nessie') return catalog;
  if (endpoint) return { ...catalog, uri: endpoint };
  if (catalog.uri !== '') return catalog;
  throw new LakegateError(
    'config',
    "the address of the stage's Nessie is not known: deploy the stage, or set NESSIE_ENDPOINT where something leads to it",
  );
}

async function overriddenCatalog(
  config: LakeConfig,
  name: string,
  { env, cwd }: ComposeOptions,
): Promise<{ name: string; config: CatalogConfig }> {
  const own = config.catalogs[name];
  if (own) return { name, config: own };
  const [{ pyicebergCatalog }, { knownToPyiceberg }] = await Promise.all([
    import('./catalogs/pyiceberg-catalog.ts'),
    import('./catalogs/pyiceberg-here.ts'),
  ]);
  const found = knownToPyiceberg({ env, cwd });
  const known = [...Object.keys(config.catalogs), ...Object.keys(found)];
  const entry = found[name.toLowerCase()];
  if (!entry) {
    throw new LakegateError(
      'usage',
      `there is no catalogue ${JSON.stringify(name)}; lake.yaml and .pyiceberg.yaml have: ${known.join(', ') || 'none'}`,
    );
  }
  return { name, config: pyicebergCatalog(name, entry, config.warehouse) };
}

/** The notifiers' own parts (Slack's client is large) are loaded only where a channel is configured. */
async function notifierOf(config: LakeConfig, { env, onNotifyFault }: ComposeOptions): Promise<Notifier> {
  if (config.stage !== undefined) return stageBus(config.name, config.stage, onNotifyFault);
  if (!config.notify.slack) return { notify: async () => undefined };
  const { combineNotifiers, configuredNotifiers } = await import('./notify/notifiers.ts');
  return combineNotifiers(configuredNotifiers(config.notify, env, (fault) => onNotifyFault?.(fault.message)));
}

/**
 * What a person does to a stage is told where the stage's functions tell what they do: its bus, which keeps and forwards it. What the bus does not
 * take stays marked as untold, for the stage's maintenance.
 */
async function stageBus(
  lake: string,
  { name, region }: StageConfig,
  onFault: ComposeOptions['onNotifyFault'],
): Promise<Notifier> {
  const { createEventBusNotifier } = await import('./notify/event-bus.ts');
  const bus = createEventBusNotifier({
    bus: `${lake}-${name}`,
    region,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  });
  return {
    async notify(events) {
      try {
        await bus.notify(events);
      } catch (error) {
        if (error instanceof Error) onFault?.(error.message);
        throw error;
      }
    },
  };
}

/**
 * DuckDB for files of this machine, Athena for tables on S3. The first is 50 MB: each is loaded by the first rule that needs it.
 */
function lazySql(config: LakeConfig): SqlEngine {
  let athena: Promise<SqlEngine> | undefined;
  return {
    async violations(query, files, sample, staged) {
      if (!files.some((file) => file.startsWith('s3://'))) {
        const { createDuckDb } = await import('./sql/duckdb.ts');
        return createDuckDb().violations(query, files, sample, staged);
      }
      athena ??= openAthena(config);
      return (await athena).violations(query, files, sample, staged);
    },
  };
}

async function openAthena({ catalogs, name, stage }: LakeConfig): Promise<SqlEngine> {
  const glue = Object.values(catalogs).find((catalog) => catalog.type === 'glue');
  if (glue === undefined) {
    throw new LakegateError(
      'unsupported',
      'sql rules over tables on S3 are run by Athena, which reads the Glue catalogue: lake.yaml has none of type glue',
    );
  }
  const { createAthenaSql } = await import('./sql/athena.ts');
  const region = stage?.region ?? glue.region;
  return createAthenaSql({
    ...(stage === undefined ? {} : { workgroup: `${name}-${stage.name}` }),
    ...(region === undefined ? {} : { region }),
    now: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

/** Uniform over the positive 63-bit numbers, as Iceberg writers choose them. */
function randomSnapshotId(): bigint {
  return randomBytes(8).readBigUInt64BE() & 0x7fff_ffff_ffff_ffffn || 1n;
}

function leaseHolder(host: string): LeaseHolder {
  return { host, pid: process.pid, started: processStart(process.pid) ?? '' };
}

/** Dead is only said of a process of this host that is gone, or whose number another process has now. */
function isDead(holder: LeaseHolder, host: string): boolean {
  if (holder.host !== host) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const started = processStart(holder.pid);
  return started !== undefined && holder.started !== '' && started !== holder.started;
}

/** When a process started, in clock ticks since boot; undefined where the system does not tell (only Linux does, in this form). */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name, in parentheses, may hold anything: fields are counted after its end. The start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
