import type { CleanRoomsReport } from './model.ts';

/** What is remembered of a report for the next one: by membership and table, whether it was ready; null where that was not known. */
export interface RememberedReport {
  version: 1;
  generatedAt: string;
  /** Key: the membership's id, empty where there was none. */
  memberships: Record<string, Record<string, boolean | null>>;
  /** When each membership was last looked at, where that was not by the last report. */
  seen?: Record<string, string>;
}

/** What changed since the last report. Absent from the first one. */
export interface Changes {
  since: string;
  becameReady: string[];
  /** Were ready, and are not. */
  stopped: string[];
  /** In the report for the first time. */
  added: string[];
  /** No longer in the report. */
  gone: string[];
}

export function remembered(reports: readonly CleanRoomsReport[], generatedAt: number): RememberedReport {
  return {
    version: 1,
    generatedAt: new Date(generatedAt).toISOString(),
    memberships: Object.fromEntries(
      reports.map(({ membershipId = '', tables }) => [
        membershipId,
        Object.fromEntries(tables.map(({ name, ready }) => [name, ready.known ? ready.value : null])),
      ]),
    ),
  };
}

/**
 * The memory that the next report starts from. A table whose state is not known now keeps what was last known of it, so that one report without
 * an answer hides no change; memberships that this run did not look at stay.
 */
export function carriedOn(now: RememberedReport, before: RememberedReport | undefined): RememberedReport {
  const memberships = { ...before?.memberships };
  const seen: Record<string, string> = {};
  for (const id of Object.keys(memberships)) {
    if (before !== undefined && !Object.hasOwn(now.memberships, id)) seen[id] = seenAt(before, id);
  }
  for (const [id, tables] of Object.entries(now.memberships)) {
    const last = before?.memberships[id] ?? {};
    memberships[id] = Object.fromEntries(
      Object.entries(tables).map(([name, ready]) => [name, ready ?? (Object.hasOwn(last, name) ? last[name]! : null)]),
    );
  }
  return { ...now, memberships, ...(Object.keys(seen).length > 0 && { seen }) };
}

function seenAt({ generatedAt, seen = {} }: RememberedReport, id: string): string {
  return Object.hasOwn(seen, id) ? seen[id]! : generatedAt;
}

/** @returns undefined where there was no report of this membership before */
export function changesOf(report: CleanRoomsReport, before: RememberedReport | undefined): Changes | undefined {
  const last = before?.memberships[report.membershipId ?? ''];
  if (before === undefined || last === undefined) return undefined;
  const was = new Map(Object.entries(last));
  const names = (is: (name: string, ready: boolean | undefined) => boolean) =>
    report.tables.filter(({ name, ready }) => is(name, ready.known ? ready.value : undefined)).map(({ name }) => name);
  const present = new Set(report.tables.map(({ name }) => name));
  // Where the catalogue could not be read, tables that are missing from the report are not gone.
  const isWhole = report.collected.glueTables.known && report.collected.configuredTables.known;
  return {
    since: seenAt(before, report.membershipId ?? ''),
    becameReady: names((name, ready) => ready === true && was.get(name) === false),
    stopped: names((name, ready) => ready === false && was.get(name) === true),
    added: names((name) => !was.has(name)),
    gone: isWhole ? [...was.keys()].filter((name) => !present.has(name)).sort() : [],
  };
}

/** Whether what was read is such a memory. */
export function isRemembered(value: unknown): value is RememberedReport {
  if (typeof value !== 'object' || value === null) return false;
  const { version, generatedAt, memberships, seen = {} } = value as Partial<RememberedReport>;
  if (version !== 1 || typeof generatedAt !== 'string' || typeof memberships !== 'object' || memberships === null) {
    return false;
  }
  if (typeof seen !== 'object' || seen === null || !Object.values(seen).every((at) => typeof at === 'string')) {
    return false;
  }
  return Object.values(memberships).every(
    (tables) =>
      typeof tables === 'object' &&
      tables !== null &&
      Object.values(tables).every((ready) => ready === null || typeof ready === 'boolean'),
  );
}
