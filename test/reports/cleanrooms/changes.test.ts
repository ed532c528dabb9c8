/** What changed since the last report, of each membership since its own; and names that end up in files' names. */
import { carriedOn, changesOf, isRemembered, remembered } from '../../../src/reports/cleanrooms/changes.ts';
import { saveReports } from '../../../src/reports/cleanrooms/make.ts';
import { namePart } from '../../../src/reports/names.ts';
import { createMemoryStore } from '../../../src/storage/memory.ts';
import { CONFIG, largeWorld } from './described.ts';
import { closeServers, looking, NOW } from './looking.ts';
import { membershipId } from './world.ts';

afterEach(closeServers);

const FOLDER = 'memory:/r/';
const MEMORY = `${FOLDER}ACX_Cleanroom_Report_latest.json`;

test('a membership that later reports left out is compared with the last one that had it', async () => {
  const { look } = await looking(largeWorld(3));
  const all = await look();
  const first = carriedOn(remembered(all, NOW), undefined);
  expect(first).not.toHaveProperty('seen');
  const one = all.filter((report) => report.membershipId === membershipId(0));
  const second = carriedOn(remembered(one, NOW + 60_000), first);
  const third = carriedOn(remembered(one, NOW + 120_000), JSON.parse(JSON.stringify(second)));
  expect(isRemembered(JSON.parse(JSON.stringify(third)))).toBe(true);
  expect(all.map((report) => changesOf(report, third)?.since)).toEqual(
    [NOW + 120_000, NOW, NOW].map((at) => new Date(at).toISOString()),
  );
});

test.each([
  ['no report at all', '<html>'],
  ['another shape', '{"version":1,"generatedAt":"2026-01-01T00:00:00Z","memberships":{"a":{"t":"yes"}}}'],
  ['times that are none', '{"version":1,"generatedAt":"2026-01-01T00:00:00Z","memberships":{},"seen":{"a":1}}'],
])('a memory that cannot be read (%s) is left behind, and nothing is said to have changed', async (_, text) => {
  const { look } = await looking(largeWorld(3));
  const reports = await look({ membership: membershipId(0) });
  const store = createMemoryStore();
  await store.create(MEMORY, new TextEncoder().encode(text));
  const { changes, page } = await saveReports(store, FOLDER, CONFIG, reports);
  expect(changes).toEqual([undefined]);
  expect(new TextDecoder().decode((await store.read(page)).bytes)).toContain('There is no earlier report');
  expect((await saveReports(store, FOLDER, CONFIG, reports)).changes).toMatchObject([
    { becameReady: [], stopped: [], added: [], gone: [] },
  ]);
});

test.each([
  ['../../etc/passwd', '______etc_passwd'],
  ['Acme & Co. (2026)\u0000', 'Acme___Co___2026__'],
  ['', 'na'],
  ['漢'.repeat(100), '漢'.repeat(50)],
  [`${'a'.repeat(149)}漢`, 'a'.repeat(149)],
])('%s as part of a name', (name, part) => {
  expect(namePart(name)).toBe(part);
});
