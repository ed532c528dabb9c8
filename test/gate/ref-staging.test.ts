import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stagingContract } from '../contract/staging.contract.ts';
import { lakeConfig } from '../faults/lake.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

stagingContract('branches of the table, SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lakegate-staging-'));
  folders.push(folder);
  return lakeConfig(folder);
});
