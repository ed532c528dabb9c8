import fc from 'fast-check';
import pLimit from 'p-limit';
import { compareFolders, knownFolders } from '../../src/partitions/known.ts';
import { partHead } from '../../src/partitions/known-head.ts';
import { knownPartitions, textOf } from '../../src/partitions/known-partitions.ts';
import { hiveLayout, type Layout, templateLayout } from '../../src/partitions/layout.ts';
import { type FolderLister, walk } from '../../src/partitions/walk.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 21, 12);
const keysOf = (...names: string[]) => names.map((name) => ({ name, type: 'string' }));

function listing(prefixes: Iterable<string>, requests: string[]): FolderLister {
  const all = [...new Set(prefixes)];
  return {
    async *folders(prefix, after) {
      requests.push(`${prefix} after ${after}`);
      const own = all.filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length).split('/')[0]!);
      yield [...new Set(own)]
        .filter((name) => after === undefined || compareFolders(name, after) > 0)
        .sort(compareFolders);
    },
  };
}

/** @param days counted from NOW's */
const day = (days: number) => new Date(NOW + days * DAY_MS).toISOString().slice(0, 10);

/** Layouts with folders of a day and an hour, and of other forms that such tables have too. */
const FORMS: { layout: Layout; folder: (days: number, hour: number) => string; odd: string[] }[] = [
  {
    layout: hiveLayout(keysOf('dt')),
    folder: (d) => `dt=${day(d)}/`,
    odd: ['dt=2026-02-31/', 'dt=x/', 'DT=2026-01-05/'],
  },
  {
    layout: hiveLayout(keysOf('dt')),
    folder: (d) => `dt=${day(d).replaceAll('-', '')}/`,
    odd: ['dt=__HIVE_DEFAULT_PARTITION__/'],
  },
  {
    layout: hiveLayout(keysOf('dt', 'hour')),
    folder: (d, h) => `dt=${day(d)}/hour=${String(h).padStart(2, '0')}/`,
    odd: ['dt=2026-04-31/hour=01/', 'dt=9999-12-31/hour=00/'],
  },
  {
    layout: hiveLayout(keysOf('year', 'month', 'day')),
    folder: (d) => {
      const [y, m, own] = day(d * 40).split('-');
      return `year=${y}/month=${m}/day=${own}/`;
    },
    odd: ['year=0099/month=01/day=01/', 'year=2026/month=13/day=01/'],
  },
  { layout: templateLayout('{dt:YYYY-MM}', keysOf('dt')), folder: (d) => `${day(d * 20).slice(0, 7)}/`, odd: [] },
  {
    layout: hiveLayout(keysOf('dt', 'year')),
    folder: (d, h) => `dt=${day(d)}/year=${2000 + h}/`,
    odd: ['dt=2026-01-01/year=x/'],
  },
  { layout: hiveLayout(keysOf('region')), folder: (d) => `region=r${d}/`, odd: ['region=2026/'] },
];

test.each(FORMS.map((form) => [form.folder(0, 1), form] as const))(
  '%s: the same is listed and found as without it',
  async (_, form) => {
    const { layout, folder, odd } = form;
    const prefix = fc.oneof(
      {
        weight: 20,
        arbitrary: fc
          .tuple(fc.integer({ min: -60, max: 4 }), fc.integer({ min: 0, max: 23 }))
          .map(([d, h]) => folder(d, h)),
      },
      ...odd.map((each) => ({ weight: 1, arbitrary: fc.constant(each) })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(prefix, fc.constantFrom('', 's')), { selector: ([own]) => own, maxLength: 40 }),
        fc.uniqueArray(prefix, { maxLength: 40 }),
        fc.integer({ min: 0, max: 50 }),
        async (known, there, lookbackDays) => {
          const prefixes = known.map(([own]) => own);
          const bySchema = Map.groupBy(known, ([, schema]) => schema);
          const kept = knownPartitions(
            new Map([...bySchema].map(([of, own]) => [of, textOf(own.map(([each]) => each))])),
          );
          const options = { layout, lookbackMs: lookbackDays * DAY_MS, now: NOW, limit: pLimit(4) };
          const parted = partHead(kept, layout, options.lookbackMs, NOW);
          const [plain, short]: [string[], string[]] = [[], []];
          const whole = await walk(listing(there, plain), { ...options, known: knownFolders(prefixes) });
          const part = await walk(listing(there, short), {
            ...options,
            known: knownFolders(parted?.tail ?? prefixes),
            ...(parted !== undefined && { head: parted.head }),
          });
          expect({ ...part, gone: part.gone.sort() }).toEqual({ ...whole, gone: whole.gone.sort() });
          expect(short.sort()).toEqual(plain.sort());
        },
      ),
      { numRuns: 300 },
    );
  },
);

test('ten years of hours leave a few days to look at', () => {
  const layout = hiveLayout(keysOf('dt', 'hour'));
  const prefixes = Array.from(
    { length: 3650 * 24 },
    (_, i) => `dt=${day(Math.floor(i / 24) - 3649)}/hour=${String(i % 24).padStart(2, '0')}/`,
  );
  const { head, tail } = partHead(knownPartitions(new Map([['s', textOf(prefixes)]])), layout, 3 * DAY_MS, NOW)!;
  expect(tail).toHaveLength(4 * 24);
  expect(head).toEqual({ after: `dt=${day(-4)}`, count: 3646 * 24 });
});

test('folders that are no times, and none at all, are looked at one by one', () => {
  const layout = hiveLayout(keysOf('id'));
  expect(partHead(knownPartitions(), layout, 0, NOW)).toBeUndefined();
  expect(partHead(knownPartitions(new Map([['s', textOf(['id=1/', 'id=2/'])]])), layout, 0, NOW)).toBeUndefined();
});
