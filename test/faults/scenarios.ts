/** What a process is killed in the middle of, and how it must be once somebody has tried again. */
import type { Lake } from '../../src/compose.ts';
import type { LakeConfig, TableConfig } from '../../src/config/model.ts';
import { type ClaimPorts, claim } from '../../src/gate/claim.ts';
import { discardDelivery, publishDelivery, rollbackDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { DeliveryRecord, DeliveryState } from '../../src/gate/delivery.ts';
import { dropOf } from '../../src/gate/identity.ts';
import { resumeOpen } from '../../src/gate/resume.ts';
import { allRecords, orders, parquet, putDrop, span, TABLE, targetOf } from './lake.ts';

export interface Scenario {
  table: Partial<TableConfig>;
  /** Files by name; those in `first` are delivered before a kill may come. */
  drops: Record<string, Uint8Array | string>;
  first: readonly string[];
  /** Files that another runner claimed in one batch, and died. */
  abandoned?: readonly string[];
  /** What a person decides on the first delivery; without it the other drops are delivered. */
  decide?: 'publish' | 'discard' | 'rollback';
  /** Ids on main at the end. */
  ids: number[];
  /** States at the end. */
  states: Record<string, DeliveryState>;
  /** Rules that failed, as `rule column count`. */
  failed?: Record<string, string[]>;
}

const clean = () => parquet(orders(0, 8));
const bad = () => parquet(orders(100, 8, [2, 5]));
const FAILED = ['not_null note 2'];

/** More than any system numbers its processes up to. */
const NO_PROCESS = 2 ** 30;

export const SCENARIOS: Record<string, Scenario> = {
  'a clean drop makes the table': {
    table: {},
    drops: { 'clean.parquet': clean() },
    first: [],
    ids: span(0, 8),
    states: { 'clean.parquet': 'published' },
  },
  'a bad drop is kept on a branch': {
    table: {},
    drops: { 'clean.parquet': clean(), 'bad.parquet': bad() },
    first: ['clean.parquet'],
    ids: span(0, 8),
    states: { 'clean.parquet': 'published', 'bad.parquet': 'rejected' },
    failed: { 'bad.parquet': FAILED },
  },
  'a bad drop is discarded': {
    table: { onFailure: 'discard' },
    drops: { 'clean.parquet': clean(), 'bad.parquet': bad() },
    first: ['clean.parquet'],
    ids: span(0, 8),
    states: { 'clean.parquet': 'published', 'bad.parquet': 'rejected' },
    failed: { 'bad.parquet': FAILED },
  },
  'a CSV drop is converted': {
    table: {},
    drops: { 'rows.csv': 'id,note\n1,one\n2,two\n3,three\n' },
    first: [],
    ids: [1, 2, 3],
    states: { 'rows.csv': 'published' },
  },
  'a drop is split by partition': {
    table: { partitionBy: [{ column: 'region', transform: 'identity' }] },
    drops: { 'split.parquet': parquet({ ...orders(0, 4), region: ['eu', 'us', 'eu', 'us'] }) },
    first: [],
    ids: span(0, 4),
    states: { 'split.parquet': 'published' },
  },
  'a drop is registered where it lies': {
    table: { ingest: 'register' },
    drops: { 'clean.parquet': clean(), 'more.parquet': parquet(orders(8, 2)) },
    first: ['clean.parquet'],
    ids: span(0, 10),
    states: { 'clean.parquet': 'published', 'more.parquet': 'published' },
  },
  'a drop adds a column': {
    table: { schemaPolicy: 'add_columns', rules: [{ rule: 'not_null', columns: ['note'] }] },
    drops: {
      'clean.parquet': clean(),
      'wider.parquet': parquet({ ...orders(8, 2), price: [1n, 2n] }),
    },
    first: ['clean.parquet'],
    ids: span(0, 10),
    states: { 'clean.parquet': 'published', 'wider.parquet': 'published' },
  },
  'a mixed batch': {
    // Declared: which of them comes first, and would give a new table its columns, depends on where the kill falls.
    table: { columns: { id: { type: 'int', required: false }, note: { type: 'string', required: false } } },
    drops: {
      'first.parquet': clean(),
      'bad.parquet': bad(),
      'more.csv': 'id,note\n20,a\n21,b\n',
      'other.parquet': parquet({ ...orders(200, 2), extra: [1, 2] }),
      'broken.parquet': 'PAR1 is how it begins, and that is all',
      'last.parquet': parquet(orders(30, 2)),
    },
    first: [],
    ids: [...span(0, 8), 20, 21, 30, 31],
    states: {
      'first.parquet': 'published',
      'bad.parquet': 'rejected',
      'more.csv': 'published',
      'other.parquet': 'rejected',
      'broken.parquet': 'errored',
      'last.parquet': 'published',
    },
    failed: { 'bad.parquet': FAILED },
  },
  'a mixed batch whose failures are discarded': {
    table: { onFailure: 'discard' },
    drops: { 'clean.parquet': clean(), 'bad.parquet': bad(), 'worse.parquet': parquet(orders(300, 2, [0, 1])) },
    first: [],
    ids: span(0, 8),
    states: { 'clean.parquet': 'published', 'bad.parquet': 'rejected', 'worse.parquet': 'rejected' },
    failed: { 'bad.parquet': FAILED, 'worse.parquet': FAILED },
  },
  'the batch of a dead runner is taken up': {
    table: {},
    drops: { 'clean.parquet': clean(), 'bad.parquet': bad(), 'late.parquet': parquet(orders(40, 2)) },
    first: [],
    abandoned: ['clean.parquet', 'bad.parquet'],
    ids: [...span(0, 8), 40, 41],
    states: { 'clean.parquet': 'published', 'bad.parquet': 'rejected', 'late.parquet': 'published' },
    failed: { 'bad.parquet': FAILED },
  },
  'a drop replaces the table': {
    table: { mode: 'overwrite' },
    drops: { 'old.parquet': clean(), 'new.parquet': parquet(orders(50, 3)) },
    first: ['old.parquet'],
    ids: span(50, 3),
    states: { 'old.parquet': 'published', 'new.parquet': 'published' },
  },
  'a person publishes a kept delivery': {
    table: {},
    drops: { 'bad.parquet': bad(), 'clean.parquet': clean() },
    first: ['bad.parquet', 'clean.parquet'],
    decide: 'publish',
    ids: [...span(0, 8), ...span(100, 8)],
    states: { 'bad.parquet': 'published', 'clean.parquet': 'published' },
  },
  'a person discards a kept delivery': {
    table: {},
    drops: { 'bad.parquet': bad(), 'clean.parquet': clean() },
    first: ['bad.parquet', 'clean.parquet'],
    decide: 'discard',
    ids: span(0, 8),
    states: { 'bad.parquet': 'discarded', 'clean.parquet': 'published' },
  },
  'a person takes a delivery out of main': {
    table: {},
    drops: { 'wrong.parquet': parquet(orders(60, 2)), 'clean.parquet': clean() },
    first: ['wrong.parquet', 'clean.parquet'],
    decide: 'rollback',
    ids: span(0, 8),
    states: { 'wrong.parquet': 'rolled_back', 'clean.parquet': 'published' },
  },
};

/** Puts the drops in their place. @returns their URLs by name */
export function putDrops(config: LakeConfig, { drops }: Scenario): Record<string, string> {
  return Object.fromEntries(Object.entries(drops).map(([name, content]) => [name, putDrop(config, name, content)]));
}

/** The drops' URLs by name. */
export function urlsOf(config: LakeConfig, { drops }: Scenario): Record<string, string> {
  return Object.fromEntries(
    Object.keys(drops).map((name) => [name, `${config.raw}${config.tables[0]!.prefix}${name}`]),
  );
}

/** What comes before the kill. */
export async function prepare(
  { ports, config }: Lake,
  { first, abandoned = [] }: Scenario,
  urls: Record<string, string>,
) {
  const dead: ClaimPorts = { ...ports, holder: { ...ports.holder, pid: NO_PROCESS } };
  for (const name of abandoned) {
    const object = await ports.store.head(urls[name]!);
    await claim(dead, dropOf(urls[name]!, object!), { name: TABLE, catalog: 'local' }, { batch: 'abandoned' });
  }
  for (const name of first) await deliver(ports, config, [urls[name]!]);
}

/** What the kill falls into. */
export async function act(lake: Lake, scenario: Scenario, urls: Record<string, string>): Promise<void> {
  const { ports, config } = lake;
  if (scenario.decide === undefined) {
    const rest = Object.keys(scenario.drops).filter((name) => !scenario.first.includes(name));
    await deliver(
      ports,
      config,
      rest.map((name) => urls[name]!),
    );
    return;
  }
  const { id } = await recordOf(lake, urls[scenario.first[0]!]!);
  const decision = { by: 'somebody', reason: 'known' };
  if (scenario.decide === 'publish') await publishDelivery(ports, config.tables[0]!, id, decision);
  else if (scenario.decide === 'discard') await discardDelivery(ports, id, decision);
  else await rollbackDelivery(ports, targetOf(lake), id, decision);
}

/** What anybody would do next: the same events come again, or the next run takes up what it finds; a person types the same command again. */
export async function tryAgain(lake: Lake, scenario: Scenario, urls: Record<string, string>, how: 'events' | 'resume') {
  if (scenario.decide !== undefined) {
    const { state } = await recordOf(lake, urls[scenario.first[0]!]!);
    if (state !== scenario.states[scenario.first[0]!]) await act(lake, scenario, urls);
  } else if (how === 'events') {
    await act(lake, scenario, urls);
  } else {
    await resumeOpen(lake.ports, lake.config);
    await act(lake, scenario, urls);
  }
}

export async function recordOf(lake: Lake, url: string): Promise<DeliveryRecord> {
  const records = (await allRecords(lake)).filter(({ drop }) => drop.url === url);
  if (records.length !== 1) throw new Error(`${records.length} records of ${url}`);
  return records[0]!;
}
