import type { LakeConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { type Check, failed, ok, type Verdict, warning } from './verdict.ts';

/** A place that is written to. */
export type PlaceFacts =
  | { kind: 'writable' }
  /** It is not there, and can be made. */
  | { kind: 'makeable' }
  /** @property at the folder or file that is in the way */
  | { kind: 'refused'; at: string; reason: string }
  /** Somewhere else, and it answers; nothing is written to try. */
  | { kind: 'remote' };

export interface LakeProbe {
  /** @param url folder or prefix, ending in `/`. @throws LakegateError where it cannot be told */
  place(url: string): Promise<PlaceFacts>;
  /** Of these tables of a catalogue, those that are there. @throws LakegateError */
  tablesThere(catalog: string, tables: readonly string[]): Promise<string[]>;
  env: Readonly<Record<string, string | undefined>>;
}

/** Faults that say something of what was looked at; after any other, nothing is known of it. */
const TELLING = new Set(['corrupt', 'unsupported', 'invalid', 'not_found', 'usage']);

/** The catalogues of a lake's tables: whether they answer, and which tables are there. */
export function catalogChecks(lake: LakeConfig, probe: LakeProbe): Check[] {
  const settings = [...lake.tables, ...(lake.autoTables ? [lake.autoTables] : [])];
  const names = new Set([...settings.map(({ catalog }) => catalog ?? lake.defaultCatalog), lake.defaultCatalog]);
  return [...names].map((name) => ({
    name: `catalogue ${name}`,
    look: async () => {
      const own = lake.tables.filter(({ catalog = lake.defaultCatalog }) => catalog === name);
      try {
        const there = await probe.tablesThere(
          name,
          own.map((table) => table.name),
        );
        return ok(`answers, ${said(own.length, there.length)}`);
      } catch (error) {
        if (!(error instanceof LakegateError) || !TELLING.has(error.kind)) throw error;
        return failed(error.message, 'mend what it names; `lakegate table list` shows the tables');
      }
    },
  }));
}

function said(declared: number, there: number): string {
  if (declared === 0) return 'no table of lake.yaml lies in it';
  if (there === declared) return declared === 1 ? 'its table is there' : `all ${declared} tables are there`;
  return `${there} of ${declared} ${declared === 1 ? 'table is' : 'tables are'} there, the first delivery makes a table`;
}

/** What a lake on this machine needs. */
export function laptopChecks(lake: LakeConfig, probe: LakeProbe): Check[] {
  const place = (name: string, url: string): Check => ({
    name,
    look: async () => judgePlace(url, await probe.place(url)),
  });
  return [
    place('raw area', lake.raw),
    place('warehouse', lake.warehouse),
    place('delivery records', lake.records),
    ...catalogChecks(lake, probe),
    { name: 'Slack', look: async () => judgeSlack(lake, probe.env) },
  ];
}

function judgePlace(url: string, facts: PlaceFacts): Verdict {
  const shown = url.replace(/^file:\/\//, '');
  switch (facts.kind) {
    case 'writable':
      return ok(`${shown}, can be written`);
    case 'makeable':
      return ok(`${shown}, is made when it is needed`);
    case 'remote':
      return ok(`${shown}, answers`);
    case 'refused':
      return failed(
        `${shown} cannot be written: ${facts.at} ${facts.reason}`,
        'change its rights, or the folder in lake.yaml',
      );
  }
}

function judgeSlack({ notify: { slack } }: LakeConfig, env: LakeProbe['env']): Verdict {
  if (slack === undefined || slack.channel === '') return ok('nobody is told: lake.yaml names no channel');
  if (env[slack.tokenEnv]?.trim()) return ok(`${slack.channel}, the token is in ${slack.tokenEnv}`);
  return warning(
    `nobody is told: ${slack.channel} needs a token, and ${slack.tokenEnv} holds none`,
    `set ${slack.tokenEnv} to the token of a bot that may write (chat:write)`,
  );
}
