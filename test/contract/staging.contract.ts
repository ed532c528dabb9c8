import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { parseIdentifier } from '../../src/catalogs/identifier.ts';
import type { ComposeOptions, Lake } from '../../src/compose.ts';
import { tableDefaults } from '../../src/config/defaults.ts';
import type { LakeConfig, TableConfig } from '../../src/config/model.ts';
import { discardDelivery, publishDelivery, rollbackDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { branchOf } from '../../src/gate/identity.ts';
import type { DeliveryOutcome, StepName, TableTarget } from '../../src/gate/ports.ts';
import { resumeOpen } from '../../src/gate/resume.ts';
import { stagingOf } from '../../src/gate/staging-of.ts';
import { sweepTable } from '../../src/gate/sweep.ts';
import { liveFiles } from '../../src/iceberg/published.ts';
import { allFields } from '../../src/iceberg/schema.ts';
import { openLake, orders, parquet, putDrop, span } from '../faults/lake.ts';

/** Gives the description of a new lake: raw area and records in a folder, tables of their own in the catalogue under test. */
export type NewLake = () => Promise<LakeConfig>;

const DAY_MS = 24 * 60 * 60 * 1000;
const DECISION = { by: 'a person', reason: 'it is right' };
const NOT_NULL = [{ rule: 'not_null' as const, columns: ['note'] }];
const GOOD = (from: number) => parquet(orders(from, 3));
/** Its first note is null. */
const BAD = (from: number) => parquet(orders(from, 3, [0]));

export function targetOf(lake: Lake, { tables }: LakeConfig, nth = 0): TableTarget {
  return { identifier: parseIdentifier(tables[nth]!.name), catalog: lake.ports.catalog('local') };
}

/** The ids that readers of main see, sorted. */
export async function idsOnMain(lake: Lake, config: LakeConfig, nth = 0): Promise<number[]> {
  const { catalog, identifier } = targetOf(lake, config, nth);
  const table = await catalog.loadTable(identifier);
  const ids: number[] = [];
  for (const url of (await liveFiles(lake.ports.io, table, 'main')).keys()) {
    const { bytes } = await lake.ports.store.read(url);
    const file = new Uint8Array(bytes).buffer;
    for (const row of await parquetReadObjects({ file, columns: ['id'], compressors })) ids.push(Number(row.id));
  }
  return ids.sort((a, b) => a - b);
}

export function recordsOf(outcomes: readonly DeliveryOutcome[]): DeliveryRecord[] {
  return outcomes.map((outcome) => {
    if (outcome.kind !== 'ended') throw new Error(`${outcome.drop}: ${outcome.kind}`, { cause: outcome });
    return outcome.record;
  });
}

/**
 * What staging must do for the gate, wherever what is staged waits.
 * @param newLake called before each test
 */
export function stagingContract(name: string, newLake: NewLake): void {
  describe(`staging: ${name}`, () => {
    let described: LakeConfig;
    const lakes: Lake[] = [];
    beforeEach(async () => {
      described = await newLake();
    });
    afterEach(() => {
      for (const lake of lakes.splice(0)) lake.close();
    });

    const configured = (table: Partial<TableConfig>): LakeConfig => ({
      ...described,
      tables: described.tables.map((own) => ({ ...own, rules: NOT_NULL, ...table })),
    });
    const opened = async (config: LakeConfig, options: Partial<ComposeOptions> = {}): Promise<Lake> => {
      const lake = await openLake(config, options);
      lakes.push(lake);
      return lake;
    };
    const dropped = async (lake: Lake, config: LakeConfig, files: Record<string, Uint8Array>) =>
      recordsOf(
        await deliver(
          lake.ports,
          config,
          Object.entries(files).map(([file, bytes]) => putDrop(config, file, bytes)),
        ),
      );
    const branchThere = async (lake: Lake, config: LakeConfig, branch: string): Promise<boolean> => {
      const target = targetOf(lake, config);
      const loaded = await target.catalog.loadTable(target.identifier);
      return (await stagingOf(lake.ports, target).kept(loaded, branch)) !== undefined;
    };
    /** A lake whose rule passes, after something was done while it was checked. */
    const auditing = async (config: LakeConfig, during: () => Promise<void>): Promise<Lake> => {
      const lake = await opened(config);
      lake.ports.sql = {
        async violations() {
          await during();
          return { count: 0, sample: [] };
        },
      };
      return lake;
    };
    const SQL = [{ rule: 'sql' as const, name: 'right', query: 'SELECT * FROM delivery' }];

    test('what passes is on main, and its branch is gone', async () => {
      const config = configured({});
      const lake = await opened(config);
      const [one] = await dropped(lake, config, { 'a.parquet': GOOD(0) });
      const [two] = await dropped(lake, config, { 'b.parquet': GOOD(3) });
      expect([one?.state, two?.state]).toEqual(['published', 'published']);
      expect(await idsOnMain(lake, config)).toEqual(span(0, 6));
      expect(await branchThere(lake, config, branchOf(two!.id))).toBe(false);
      const { identifier, catalog } = targetOf(lake, config);
      const { currentSnapshotId } = (await catalog.loadTable(identifier)).metadata;
      expect(String(currentSnapshotId)).toBe(two?.publishedSnapshotId);
    });

    test('what fails is kept beside main, and published on a person’s word though main has moved', async () => {
      const config = configured({});
      const lake = await opened(config);
      const [bad] = await dropped(lake, config, { 'bad.parquet': BAD(0) });
      expect(bad).toMatchObject({ state: 'rejected', branch: branchOf(bad!.id) });
      expect(await branchThere(lake, config, bad!.branch!)).toBe(true);
      expect(await idsOnMain(lake, config)).toEqual([]);
      await dropped(lake, config, { 'good.parquet': GOOD(3) });
      const decided = await publishDelivery(lake.ports, config.tables[0]!, bad!.id, DECISION);
      expect(decided.state).toBe('published');
      expect(await idsOnMain(lake, config)).toEqual(span(0, 6));
      expect(await branchThere(lake, config, bad!.branch!)).toBe(false);
    });

    test('of a batch, what passes is published and each that fails has a branch with its own files', async () => {
      const config = configured({});
      const lake = await opened(config);
      const records = await dropped(lake, config, {
        'a.parquet': GOOD(0),
        'b.parquet': BAD(10),
        'c.parquet': GOOD(3),
        'd.parquet': BAD(20),
      });
      expect(records.map(({ state }) => state)).toEqual(['published', 'rejected', 'published', 'rejected']);
      expect(await idsOnMain(lake, config)).toEqual(span(0, 6));
      const [, b, , d] = records;
      await discardDelivery(lake.ports, b!.id, DECISION);
      expect(await branchThere(lake, config, b!.branch!)).toBe(false);
      expect(await branchThere(lake, config, d!.branch!)).toBe(true);
      await publishDelivery(lake.ports, config.tables[0]!, d!.id, DECISION);
      expect(await idsOnMain(lake, config)).toEqual([...span(0, 6), ...span(20, 3)]);
    });

    test('what is not to be kept leaves no branch', async () => {
      const config = configured({ onFailure: 'discard' });
      const lake = await opened(config);
      const [bad] = await dropped(lake, config, { 'bad.parquet': BAD(0) });
      expect(bad?.state).toBe('rejected');
      expect(bad?.branch).toBeUndefined();
      expect(await branchThere(lake, config, branchOf(bad!.id))).toBe(false);
      expect(await idsOnMain(lake, config)).toEqual([]);
    });

    test('batches at the same time on one table are all published', async () => {
      const config = configured({});
      const runners = await Promise.all(span(0, 5).map(() => opened(config)));
      const records = await Promise.all(
        runners.map((lake, nth) =>
          dropped(lake, config, { [`${nth}-a.parquet`]: GOOD(nth * 6), [`${nth}-b.parquet`]: GOOD(nth * 6 + 3) }),
        ),
      );
      expect(records.flat().map(({ state }) => state)).toEqual(span(0, 10).map(() => 'published'));
      expect(await idsOnMain(runners[0]!, config)).toEqual(span(0, 30));
    });

    test('batches at the same time on two tables do not hinder each other', async () => {
      const first = configured({}).tables[0]!;
      const config = { ...configured({}), tables: [first, { ...first, name: `${first.name}_2`, prefix: 'second/' }] };
      const second = { ...config, tables: [config.tables[1]!] };
      const [one, two] = [await opened(config), await opened(config)];
      const records = await Promise.all([
        dropped(one, config, { 'a.parquet': GOOD(0) }),
        dropped(two, second, { 'a.parquet': GOOD(100) }),
      ]);
      expect(records.flat().map(({ state }) => state)).toEqual(['published', 'published']);
      expect(await idsOnMain(one, config)).toEqual(span(0, 3));
      expect(await idsOnMain(one, config, 1)).toEqual(span(100, 3));
    });

    test('the same drops by two runners are published once', async () => {
      const config = configured({});
      const urls = ['a', 'b', 'c'].map((file, nth) => putDrop(config, `${file}.parquet`, GOOD(nth * 3)));
      const runners = [await opened(config), await opened(config)];
      const outcomes = await Promise.all(runners.map(({ ports }) => deliver(ports, config, [...urls, ...urls])));
      expect(outcomes.flat().filter(({ kind }) => !['ended', 'already', 'busy'].includes(kind))).toEqual([]);
      const after = await deliver(runners[0]!.ports, config, urls);
      const ends = after.map((outcome) => outcome.kind === 'already' && [outcome.record.state, outcome.record.reason]);
      expect(ends).toEqual(urls.map(() => ['published', undefined]));
      expect(await idsOnMain(runners[0]!, config)).toEqual(span(0, 9));
    });

    test.each<StepName>(['files-ready', 'staged', 'audited', 'settled'])(
      'a run that ends after %s is made up for, and nothing is published twice',
      async (last) => {
        const config = configured({});
        const urls = [putDrop(config, 'a.parquet', GOOD(0)), putDrop(config, 'b.parquet', BAD(3))];
        const dead = await opened(config, {
          onStep({ step }) {
            if (step === last) throw new Error('killed');
          },
        });
        const cut = await deliver(dead.ports, config, urls);
        expect(cut.map(({ kind }) => kind)).not.toContain('already');
        const now = () => Date.now() + DAY_MS / 2;
        const lake = await opened(config, { now });
        await resumeOpen(lake.ports, config);
        await deliver(
          lake.ports,
          config,
          urls,
          cut.some((outcome) => outcome.kind === 'ended' && outcome.record.state === 'errored')
            ? { restart: ['errored'] }
            : {},
        );
        expect(await idsOnMain(lake, config)).toEqual(span(0, 3));
        const [a, b] = await Promise.all(
          (await deliver(lake.ports, config, urls)).map(async (outcome) =>
            outcome.kind === 'already' ? outcome.record : undefined,
          ),
        );
        expect([a?.state, b?.state]).toEqual(['published', 'rejected']);
        await publishDelivery(lake.ports, config.tables[0]!, b!.id, DECISION);
        expect(await idsOnMain(lake, config)).toEqual(span(0, 6));
      },
    );

    test('a delivery that was taken over while its runner slept is published once', async () => {
      const config = configured({ rules: SQL });
      const url = putDrop(config, 'a.parquet', GOOD(0));
      const slow = await auditing(config, async () => {
        // Its lease has run out by the other's clock.
        const other = await opened(config, { now: () => Date.now() + DAY_MS / 2 });
        other.ports.sql = { violations: async () => ({ count: 0, sample: [] }) };
        expect(recordsOf(await deliver(other.ports, config, [url])).map(({ state }) => state)).toEqual(['published']);
      });
      await deliver(slow.ports, config, [url]);
      expect(await idsOnMain(slow, config)).toEqual(span(0, 3));
    });

    test('main that moves during the audit is added to, never replaced', async () => {
      const plain = configured({ rules: [] });
      const config = configured({ rules: SQL });
      const other = await opened(plain);
      let moved = 0;
      const lake = await auditing(config, async () => {
        moved += 1;
        await dropped(other, plain, { [`moved-${moved}.parquet`]: GOOD(100 * moved) });
      });
      const [record] = await dropped(lake, config, { 'a.parquet': GOOD(0) });
      expect(record?.state).toBe('published');
      expect(await idsOnMain(lake, config)).toEqual([...span(0, 3), ...span(100, 3)]);
    });

    test('new columns of two deliveries staged at the same time get ids of their own', async () => {
      const plain = configured({ schemaPolicy: 'add_columns', rules: [] });
      const config = configured({ schemaPolicy: 'add_columns', rules: SQL });
      const other = await opened(plain);
      await dropped(other, plain, { 'first.parquet': GOOD(0) });
      let once = false;
      const lake = await auditing(config, async () => {
        if (once) return;
        once = true;
        const columns = { ...orders(3, 3), theirs: ['x', 'y', 'z'] };
        await dropped(other, plain, { 'theirs.parquet': parquet(columns) });
      });
      const [record] = await dropped(lake, config, { 'ours.parquet': parquet({ ...orders(6, 3), ours: [1, 2, 3] }) });
      expect(record).toMatchObject({ state: 'published', addedColumns: ['ours: int'] });
      expect(await idsOnMain(lake, config)).toEqual(span(0, 9));
      const { catalog, identifier } = targetOf(lake, config);
      const { metadata } = await catalog.loadTable(identifier);
      const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)!;
      expect(schema.fields.map((field) => field.name)).toEqual(['id', 'note', 'theirs', 'ours']);
      const ids = allFields(schema).map(({ field }) => field.id);
      expect(new Set(ids).size).toBe(4);
    });

    test('a delivery that replaces the table replaces what main has when it is published', async () => {
      const config = configured({ mode: 'overwrite' });
      const lake = await opened(config);
      await dropped(lake, config, { 'a.parquet': GOOD(0) });
      const [bad] = await dropped(lake, config, { 'bad.parquet': BAD(10) });
      await dropped(lake, config, { 'b.parquet': GOOD(3) });
      expect(await idsOnMain(lake, config)).toEqual(span(3, 3));
      await publishDelivery(lake.ports, config.tables[0]!, bad!.id, DECISION);
      expect(await idsOnMain(lake, config)).toEqual(span(10, 3));
    });

    test('a published delivery is taken out again, once', async () => {
      const config = configured({});
      const lake = await opened(config);
      const [one] = await dropped(lake, config, { 'a.parquet': GOOD(0) });
      await dropped(lake, config, { 'b.parquet': GOOD(3) });
      await rollbackDelivery(lake.ports, targetOf(lake, config), one!.id, DECISION);
      expect(await idsOnMain(lake, config)).toEqual(span(3, 3));
      await dropped(lake, config, { 'c.parquet': GOOD(6) });
      // Its run was cut short before the record: the word is given again.
      const current = (await lake.ports.records.load(one!.id))!;
      await lake.ports.records.replace(current, { ...current.record, state: 'published' });
      await rollbackDelivery(lake.ports, targetOf(lake, config), one!.id, DECISION);
      expect(await idsOnMain(lake, config)).toEqual(span(3, 6));
    });

    test('kept branches go when their time is over, and what is on main stays', async () => {
      const config = configured({ keepBranchMs: 3 * DAY_MS });
      const lake = await opened(config);
      const [bad] = await dropped(lake, config, { 'bad.parquet': BAD(0) });
      await dropped(lake, config, { 'good.parquet': GOOD(3) });
      const sweep = (days: number, dryRun = false) =>
        sweepTable({ ...lake.ports, now: () => Date.now() + days * DAY_MS }, targetOf(lake, config), {
          orphansOlderThanMs: 1000 * DAY_MS,
          dryRun,
        });
      expect((await sweep(2)).branches).toEqual([]);
      expect((await sweep(4, true)).branches).toEqual([bad!.branch]);
      expect(await branchThere(lake, config, bad!.branch!)).toBe(true);
      expect((await sweep(4)).branches).toEqual([bad!.branch]);
      expect(await branchThere(lake, config, bad!.branch!)).toBe(false);
      expect(await idsOnMain(lake, config)).toEqual(span(3, 3));
      await expect(publishDelivery(lake.ports, config.tables[0]!, bad!.id, DECISION)).rejects.toMatchObject({
        kind: 'usage',
      });
    });
  });
}

/** One table of a name of its own. */
export function oneTable(name: string): TableConfig[] {
  return [{ ...tableDefaults(), name, prefix: 'orders/' }];
}
