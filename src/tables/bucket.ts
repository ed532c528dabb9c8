import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import { createTableAs } from './athena-statements.ts';
import type { Buckets } from './check-buckets.ts';
import type { CatalogedTable } from './table-catalog.ts';
import { buildingName, buildVersion, cleanVersions, type TableVersion, type VersionPorts } from './table-version.ts';
import { type Width, withinWidth } from './too-wide.ts';

export interface BucketRequest extends Width {
  /** Database of the tables that `register` made of the split's files, and what their names begin with: `ext_`. */
  stagedDatabase: string;
  stagedPrefix: string;
  /** Database of the bucketed tables, and what their names begin with: `bucketed_`. */
  finalDatabase: string;
  finalPrefix: string;
  /** Folder of the bucketed tables, URL ending in `/`. */
  base: string;
  buckets: Buckets;
  /** These tables alone, with or without the prefix; all when empty. */
  only: readonly string[];
  /** Folder of this run's versions (`versionAt`); absent: none, and a table can be made once only. */
  version?: string;
  /** Statements at a time. */
  concurrency: number;
  /** How long versions that were replaced are kept, for queries that still read them. Milliseconds. */
  keepMs: number;
}

/** A bucketed table to be made, or why it cannot be. */
export interface PlannedBucketing {
  table: string;
  version?: TableVersion;
  /** Columns that are left out, for there may be no more. */
  cut: string[];
  reason?: string;
}

export interface BucketOutcome {
  table: string;
  outcome: 'written' | 'failed';
  location?: string;
  cut?: string[];
  /** Versions that were removed. */
  cleaned?: string[];
  reason?: string;
}

/**
 * What there is to make, as plain data: a CTAS for each staged table. Pure.
 * @param staged tables of the staged database that begin with its prefix
 * @throws LakegateError `not_found` where there is no table, or none of a name that was asked for
 */
export function planBucketing(staged: readonly CatalogedTable[], request: BucketRequest): PlannedBucketing[] {
  const { stagedDatabase, stagedPrefix, only } = request;
  const short = (name: string) => {
    const lower = name.toLowerCase();
    return lower.startsWith(stagedPrefix) ? lower.slice(stagedPrefix.length) : lower;
  };
  const wanted = new Set(only.map(short));
  const tables = staged.filter(({ name }) => wanted.size === 0 || wanted.has(short(name)));
  const missing = [...wanted].filter((name) => !tables.some((table) => short(table.name) === name));
  if (missing.length > 0 || tables.length === 0) {
    const what = missing.length > 0 ? missing.map((name) => stagedPrefix + name).join(', ') : `${stagedPrefix}*`;
    throw new LakegateError(
      'not_found',
      `there is no table ${what} in ${stagedDatabase}. \`tables register\` makes them`,
    );
  }
  return tables.map((table) => planTable(table, short(table.name), request));
}

function planTable(staged: CatalogedTable, name: string, request: BucketRequest): PlannedBucketing {
  const { buckets, base, version } = request;
  const table = `${request.finalPrefix}${name}`.toLowerCase();
  const key = staged.columns.find((column) => column.name === buckets.column);
  if (key === undefined) {
    return { table, cut: [], reason: `${staged.name} has no column ${buckets.column} to bucket by` };
  }
  const ordered = [key, ...staged.columns.filter((column) => column !== key)];
  const fit = withinWidth(ordered, 0, request);
  if ('reason' in fit) return { table, cut: [], reason: `${staged.name}: ${fit.reason}` };
  const folder = `${base}${name}/`;
  const location = version === undefined ? folder : `${folder}${version}/`;
  const building = buildingName(table, version);
  const snapshot = /snapshot_dt=[\w.:-]+/.exec(staged.comment ?? '')?.[0];
  return {
    table,
    cut: fit.cut,
    version: {
      database: request.finalDatabase,
      table,
      building,
      folder,
      location,
      comment: snapshot === undefined ? 'Bucketed table' : `Bucketed table created from ${snapshot}`,
      statement: createTableAs({
        database: request.finalDatabase,
        table: building,
        location,
        buckets,
        columns: fit.columns,
        source: { database: request.stagedDatabase, table: staged.name },
      }),
    },
  };
}

/**
 * Buckets every staged table by Athena: each into a folder of its own version, then swapped in. One table's failure stops no other, and leaves the table
 * that readers have. Contract-tested: statements are parsed by Trino's grammar and the protocol is played; Athena itself is not at hand in tests.
 * @param ports.now milliseconds since the epoch, UTC
 * @throws LakegateError `not_found` as `planBucketing`, and what listing the staged tables throws
 */
export async function bucketTables(
  ports: VersionPorts & { now(): number },
  request: BucketRequest,
): Promise<BucketOutcome[]> {
  const staged = await ports.catalog.list(request.stagedDatabase, request.stagedPrefix);
  const limit = pLimit(request.concurrency);
  return Promise.all(
    planBucketing(staged, request).map((planned) => limit(() => bucketTable(ports, planned, request))),
  );
}

async function bucketTable(
  ports: VersionPorts & { now(): number },
  { table, version, cut, reason }: PlannedBucketing,
  { keepMs }: BucketRequest,
): Promise<BucketOutcome> {
  if (version === undefined) return { table, outcome: 'failed', ...(reason !== undefined && { reason }) };
  const { location } = version;
  const noted = cut.length > 0 ? { cut } : {};
  try {
    await buildVersion(ports, version);
    const cleaned = await cleanVersions(ports, version, { now: ports.now(), keepMs });
    return { table, outcome: 'written', location, ...noted, ...(cleaned.length > 0 && { cleaned }) };
  } catch (error) {
    if (!(error instanceof LakegateError)) throw error;
    return { table, outcome: 'failed', location, ...noted, reason: error.message };
  }
}
