import fc from 'fast-check';
import pLimit from 'p-limit';
import { compareFolders, knownFolders } from '../../src/partitions/known.ts';
import { hiveLayout, type Layout, templateLayout } from '../../src/partitions/layout.ts';
import type { PartitionKey } from '../../src/partitions/model.ts';
import { type FolderLister, walk } from '../../src/partitions/walk.ts';

const DAY_MS = 86_400_000;
const PAGE = 1000;

/** Folders as S3 lists them: in key order, a thousand at a time, `after` as `StartAfter`. Counts requests. */
function listing(prefixes: Iterable<string>): FolderLister & { requests: string[] } {
  const all = [...new Set(prefixes)];
  const requests: string[] = [];
  return {
    requests,
    async *folders(prefix, after) {
      const own = all.filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length).split('/')[0]!);
      const names = [...new Set(own)]
        .filter((name) => name !== '' && (after === undefined || compareFolders(name, after) > 0))
        .sort(compareFolders);
      for (let start = 0; start === 0 || start < names.length; start += PAGE) {
        requests.push(prefix);
        yield names.slice(start, start + PAGE);
      }
    },
  };
}

const day = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * DAY_MS).toISOString().slice(0, 10);
const dt: PartitionKey[] = [{ name: 'dt', type: 'date' }];
const days = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `dt=${day(from + i)}/`);

function options(layout: Layout, known: Iterable<string> = [], lookbackDays?: number) {
  return {
    layout,
    known: knownFolders(known),
    limit: pLimit(4),
    ...(lookbackDays !== undefined && { lookbackMs: lookbackDays * DAY_MS }),
  };
}

describe('walk', () => {
  test('finds every partition, past a thousand, and names what is none', async () => {
    const lister = listing([
      ...days(0, 2500),
      '_temporary/',
      '.hive-staging/',
      'dt=yesterday/',
      'dt=2026-02-30/',
      'other/',
    ]);
    const found = await walk(lister, options(hiveLayout(dt)));
    expect(found.partitions).toHaveLength(2500);
    expect(found.rejected).toEqual([
      { prefix: 'dt=2026-02-30/', reason: expect.stringContaining('expected a date') },
      { prefix: 'dt=yesterday/', reason: expect.stringContaining('expected a date') },
      { prefix: 'other/', reason: 'expected dt=<dt>, found "other"' },
    ]);
    expect(lister.requests).toHaveLength(3);
    expect(found.complete).toBe(true);
  });

  test('known ones are unchanged, missing ones are gone', async () => {
    const found = await walk(listing(days(1, 12)), options(hiveLayout(dt), days(0, 10)));
    expect(found.partitions.map(({ values }) => values[0])).toEqual([day(10), day(11)]);
    expect(found.gone).toEqual([`dt=${day(0)}/`]);
    expect(found.unchanged).toBe(9);
  });

  test('with a look-back, one request finds what is new in ten thousand', async () => {
    const lister = listing(days(0, 10_024));
    const found = await walk(lister, options(hiveLayout(dt), days(0, 10_000), 3));
    expect(found.partitions).toHaveLength(24);
    expect(found).toMatchObject({ unchanged: 10_000, complete: false, gone: [] });
    expect(lister.requests).toEqual(['']);
  });

  test('the look-back goes down the levels of a time, in one request each', async () => {
    const keys = ['year', 'month', 'day'].map((name) => ({ name, type: 'int' }));
    const layout = templateLayout('{year}/{month}/{day}', keys);
    const prefixes = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => `${day(from + i).replaceAll('-', '/')}/`);
    const lister = listing(prefixes(0, 700));
    const found = await walk(lister, options(layout, prefixes(0, 699), 2));
    expect(found.partitions.map(({ prefix }) => prefix)).toEqual(prefixes(699, 700));
    // The month before has days within the look-back.
    expect(lister.requests).toEqual(['', '2027/', '2027/11/', '2027/12/']);
  });

  test('each branch has its own newest partition, and a new branch is listed whole', async () => {
    const keys = [{ name: 'region', type: 'string' }, ...dt];
    const under = (region: string, own: string[]) => own.map((prefix) => `region=${region}/${prefix}`);
    const known = [...under('eu', days(0, 300)), ...under('us', days(0, 40))];
    const lister = listing([...known, ...under('us', days(40, 41)), ...under('new', days(0, 5))]);
    const found = await walk(lister, options(hiveLayout(keys), known, 3));
    expect(found.partitions.map(({ prefix }) => prefix).sort()).toEqual(
      [...under('us', days(40, 41)), ...under('new', days(0, 5))].sort(),
    );
    expect(lister.requests).toHaveLength(4);
  });

  test('folders that tell no time are all listed', async () => {
    const keys = [{ name: 'shop', type: 'string' }];
    const shops = (n: number) => Array.from({ length: n }, (_, i) => `shop=${i}/`);
    const found = await walk(listing(shops(50)), options(hiveLayout(keys), shops(49), 3));
    expect(found).toMatchObject({ unchanged: 49, partitions: [{ values: ['49'] }], complete: true });
  });

  test('what was found and is known from then on leaves nothing to do', async () => {
    const keys = [{ name: 'a', type: 'string' }, ...dt];
    const layout = hiveLayout(keys);
    const prefix = fc
      .tuple(fc.constantFrom('x', 'y', 'z%2F'), fc.integer({ min: 0, max: 400 }))
      .map(([a, n]) => `a=${a}/dt=${day(n)}/`);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(prefix),
        fc.uniqueArray(prefix),
        fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
        async (there, before, lookback) => {
          const first = await walk(listing(there), options(layout, before));
          const known = [
            ...before.filter((each) => !first.gone.includes(each)),
            ...first.partitions.map((each) => each.prefix),
          ];
          expect(known.sort()).toEqual([...there].sort());
          const second = await walk(listing(there), options(layout, known, lookback));
          expect(second).toMatchObject({ partitions: [], gone: [], rejected: [], unchanged: there.length });
        },
      ),
    );
  });
});

describe('the look-back', () => {
  const DAYS = ['year', 'month', 'day'].map((name) => ({ name, type: 'int' }));
  const unpadded = (n: number) => {
    const [year, month, own] = day(n).split('-').map(Number);
    return `${year}/${month}/${own}/`;
  };

  test('months 1, 10, 11, 2 sort as no calendar does: the newest is found all the same', async () => {
    const layout = templateLayout('{year}/{month}/{day}', DAYS);
    const known = Array.from({ length: 320 }, (_, i) => unpadded(i));
    const lister = listing([...known, unpadded(320), unpadded(321)]);
    const found = await walk(lister, options(layout, known, 3));
    expect(found.partitions.map(({ prefix }) => prefix)).toEqual([unpadded(320), unpadded(321)]);
    expect(found).toMatchObject({ gone: [], unchanged: 320 });
    expect(lister.requests).toEqual(['', '2026/', '2026/11/']);
  });

  test('a region whose data come later than those of another is listed from its own newest', async () => {
    const keys = [{ name: 'region', type: 'string' }, ...dt];
    const under = (region: string, own: string[]) => own.map((prefix) => `region=${region}/${prefix}`);
    const known = [...under('eu', days(0, 40)), ...under('us', days(0, 300))];
    const found = await walk(listing([...known, ...under('eu', days(40, 41))]), options(hiveLayout(keys), known, 3));
    expect(found.partitions.map(({ prefix }) => prefix)).toEqual(under('eu', days(40, 41)));
  });

  test('a name that goes on after another sorts before it', async () => {
    const layout = templateLayout('{dt}', [{ name: 'dt', type: 'string' }]);
    const known = ['2026-01-01/', '2026-01-01-rerun/', '2026-02-01/'];
    const found = await walk(listing(known), options(layout, known, 3));
    expect(found).toMatchObject({ gone: [], unchanged: 3, partitions: [] });
  });
});

test('a template that takes any name does not take the folders of writers for partitions', async () => {
  const keys = [{ name: 'shop', type: 'string' }];
  const found = await walk(listing(['_temporary/0/', '.staging/', 'north/']), options(templateLayout('{shop}', keys)));
  expect(found).toMatchObject({ partitions: [{ values: ['north'] }], rejected: [] });
});

test('a large level is listed in ranges, in about as many requests as there are pages', async () => {
  const keys = [{ name: 'shop', type: 'string' }];
  const shops = Array.from({ length: 40_000 }, (_, i) => `shop=${i}/`);
  const lister = listing(shops);
  const known = shops.filter((_, i) => i % 400 !== 7);
  const found = await walk(lister, options(hiveLayout(keys), known));
  expect(found.partitions).toHaveLength(100);
  expect(found).toMatchObject({ gone: [], unchanged: 39_900, complete: true });
  expect(lister.requests.length).toBeGreaterThan(40);
  expect(lister.requests.length).toBeLessThanOrEqual(48);
});

test('a fault below, while the level above is still listed, is the walk’s and no unhandled one', async () => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', hear);
  const visited: string[] = [];
  const lister: FolderLister = {
    async *folders(prefix) {
      visited.push(prefix);
      if (prefix !== '') throw new Error(`no right to list ${prefix}`);
      for (const names of [['a=1', 'a=2'], ['a=3']]) {
        yield names;
        // Long enough for Node to look for rejections that nobody handles.
        for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
  const keys = [
    { name: 'a', type: 'int' },
    { name: 'b', type: 'int' },
  ];
  await expect(walk(lister, options(hiveLayout(keys)))).rejects.toThrow('no right to list a=1/');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', hear);
  expect(unhandled).toEqual([]);
  expect(visited).not.toContain('a=3/');
});

test('a folder far in the future does not make all others old', async () => {
  const keys = [
    { name: 'dt', type: 'date' },
    { name: 'hour', type: 'int' },
  ];
  const known = ['dt=9999-12-31/hour=0/', ...days(0, 20).map((folder) => `${folder}hour=1/`)];
  const late = `dt=${day(19)}/hour=2/`;
  const now = Date.parse(`${day(19)}T12:00:00Z`);
  const found = await walk(listing([...known, late]), { ...options(hiveLayout(keys), known, 3), now });
  expect(found.partitions.map(({ prefix }) => prefix)).toEqual([late]);
  // Days that have not begun yet where the clock runs on UTC are listed too.
  const tomorrow = `dt=${day(20)}/hour=0/`;
  const ahead = [...known, tomorrow];
  const next = `dt=${day(20)}/hour=1/`;
  const more = await walk(listing([...ahead, late, next]), { ...options(hiveLayout(keys), ahead, 3), now });
  expect(more.partitions.map(({ prefix }) => prefix)).toEqual([late, next]);
});
