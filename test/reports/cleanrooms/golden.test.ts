/**
 * The files as they were reviewed, byte for byte: names with commas, quotes, line breaks, the start of a formula, and letters beyond ASCII.
 * UPDATE_GOLDEN=1 writes them anew, for another review.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityCsv, tablesCsv } from '../../../src/reports/cleanrooms/csv.ts';
import { saveReports } from '../../../src/reports/cleanrooms/make.ts';
import { createMemoryStore } from '../../../src/storage/memory.ts';
import { awkwardWorld, CONFIG, largeWorld } from './described.ts';
import { closeServers, looking } from './looking.ts';

afterEach(closeServers);

const FOLDER = join('test', 'fixtures', 'reports');

function expectGolden(name: string, text: string): void {
  const path = join(FOLDER, name);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, 'utf8'));
}

test.each([
  ['awkward', awkwardWorld],
  ['large', () => largeWorld(20)],
])('%s', async (name, world) => {
  const { look } = await looking(world());
  const [report] = await look();
  expectGolden(`${name}_Tables.csv`, tablesCsv(report!));
  expectGolden(`${name}_IdentityResolution.csv`, identityCsv(report!));
});

describe('names', () => {
  async function names(config: Partial<typeof CONFIG>): Promise<string[]> {
    const { look } = await looking(largeWorld(2));
    const reports = await look(config);
    const { files } = await saveReports(createMemoryStore(), 'memory:/r/', { ...CONFIG, ...config }, reports);
    return files.map((url) => url.slice('memory:/r/'.length)).filter((file) => !file.endsWith('.csv'));
  }

  test('several memberships are told apart by their collaborations', async () => {
    expect(await names({})).toEqual([
      'ACX_Cleanroom_Report_Acme___Partner_20261112_101503.json',
      'ACX_Cleanroom_Report_Second_20261112_101503.json',
      'ACX_Cleanroom_Report_Third_20261112_101503.json',
      'ACX_Cleanroom_Report_20261112_101503.html',
    ]);
  });

  test('a name of the day, a prefix of its own', async () => {
    expect(await names({ naming: 'day', namePrefix: 'OMC' })).toEqual([
      'OMC_Cleanroom_Report_Acme___Partner_20261112.json',
      'OMC_Cleanroom_Report_Second_20261112.json',
      'OMC_Cleanroom_Report_Third_20261112.json',
      'OMC_Cleanroom_Report_20261112.html',
    ]);
  });
});
