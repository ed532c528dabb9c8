/** The Clean Rooms report's files where people and programs open them: Python, DuckDB, Chromium; and the command against moto. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CleanRoomsClient, CreateCollaborationCommand, CreateMembershipCommand } from '@aws-sdk/client-cleanrooms';
import { CreateDatabaseCommand, CreateTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Browser, Page } from 'playwright-core';
import { runCli } from '../../src/cli/program.ts';
import { type SavedReport, saveReports } from '../../src/reports/cleanrooms/make.ts';
import { createFileStore } from '../../src/storage/file.ts';
import { awkwardWorld, CONFIG, largeWorld } from '../reports/cleanrooms/described.ts';
import { closeServers, looking } from '../reports/cleanrooms/looking.ts';
import { membershipId, type World } from '../reports/cleanrooms/world.ts';
import { launchChromium } from './chromium.ts';
import { startMoto } from './emulators/index.ts';
import { installed } from './emulators/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'lakegate-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(closeServers);

async function save(name: string, world: World, denied?: string): Promise<SavedReport> {
  const { look, server } = await looking(world);
  if (denied !== undefined) {
    server.fail(denied, { type: 'AccessDeniedException', status: 403, message: 'not <b>authorized</b>', times: 3 });
  }
  const reports = await look({ membership: membershipId(0) });
  return saveReports(createFileStore(), `file://${folder}/${name}/`, CONFIG, reports);
}

const pathOf = (url: string) => url.replace('file://', '');

describe('CSV', () => {
  const PYTHON =
    'import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8")))))';

  test('Python and DuckDB read the same cells, none of which a spreadsheet runs', async () => {
    const { files } = await save('csv', awkwardWorld());
    for (const path of files.filter((url) => url.endsWith('.csv')).map(pathOf)) {
      const rows = JSON.parse(
        execFileSync(installed('venv', 'bin', 'python'), ['-c', PYTHON, path], { encoding: 'utf8' }),
      ) as string[][];
      const widths = new Set(rows.map(({ length }) => length));
      expect([...widths]).toEqual([path.endsWith('_Tables.csv') ? 17 : 10]);
      expect(rows.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
      expect(rows[1]![0]).toBe('\'=HYPERLINK("http://evil","Ünïted, "quoted"\nCo")<script>alert(1)</script>');
      const connection = await (await DuckDBInstance.create()).connect();
      const read = await connection.runAndReadAll(
        `SELECT * FROM read_csv('${path}', header = true, all_varchar = true, nullstr = '\\N')`,
      );
      expect([read.columnNames(), ...read.getRowsJS()]).toEqual(rows);
      connection.closeSync();
    }
  });
});

describe('the page in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => browser?.close());

  async function open(
    saved: SavedReport,
    width = 1280,
    scheme: 'light' | 'dark' = 'light',
  ): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('dialog', (dialog) => {
      faults.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== saved.page && !request.url().startsWith('data:')) faults.push(`asked for ${request.url()}`);
    });
    await page.goto(saved.page);
    return { page, faults };
  }

  /** Looked at by a person: SCREENSHOTS=/some/folder keeps them. */
  async function screenshot(page: Page, name: string): Promise<void> {
    const { SCREENSHOTS } = process.env;
    if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  test('renders, filters by state and by text, and asks nobody for anything', async () => {
    const saved = await save('page', largeWorld(60), 'GetConfiguredTableAnalysisRule');
    const { page, faults } = await open(saved);
    const rows = page.locator('tr[data-row]:visible');
    expect(await rows.count()).toBe(61);
    const ready = page.getByRole('button', { name: /^Ready/ });
    await ready.click();
    expect(await ready.getAttribute('aria-pressed')).toBe('true');
    expect(await rows.count()).toBe(Number(await ready.locator('b').textContent()));
    await page.getByRole('button', { name: /^Not known/ }).click();
    // A third answer was refused, about a table that is in no collaboration: it is not ready, whatever its rule says.
    expect(await rows.count()).toBe(2);
    await screenshot(page, 'desktop-unknown');
    await page.getByRole('button', { name: /^All/ }).click();
    await screenshot(page, 'desktop');
    await page.getByRole('searchbox').fill('aggregation part_t_01');
    expect(await rows.locator('td:first-child').allTextContents()).toEqual(['part_t_013']);
    expect(faults).toEqual([]);
    await page.close();
  });

  test.each(['light', 'dark'] as const)('fits a phone, %s', async (scheme) => {
    const { page, faults } = await open(
      await save(`phone-${scheme}`, largeWorld(20), 'GetConfiguredTableAnalysisRule'),
      375,
      scheme,
    );
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(375);
    await screenshot(page, `phone-${scheme}`);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('runs nothing that came in with a name', async () => {
    const { page, faults } = await open(await save('xss', awkwardWorld()));
    expect(await page.locator('h2').first().textContent()).toContain('<script>alert(1)</script>');
    expect(await page.getByText('<img src=x onerror=alert(1)>').count()).toBe(1);
    expect(await page.locator('img, script').count()).toBe(1);
    expect(faults).toEqual([]);
    // What got past the escaping would meet the page's policy.
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')");
    expect(await page.evaluate('window.ran')).toBeUndefined();
    await page.close();
  });
});

test('the command against moto: what it has is right, what it has not is not known', async () => {
  const moto = await startMoto();
  try {
    Object.assign(process.env, moto.env);
    const rooms = new CleanRoomsClient({});
    const glue = new GlueClient({});
    const { collaboration } = await rooms.send(
      new CreateCollaborationCommand({
        name: 'Acme "Co"',
        description: 'd',
        members: [],
        creatorMemberAbilities: ['CAN_QUERY', 'CAN_RECEIVE_RESULTS'],
        creatorDisplayName: 'us',
        queryLogStatus: 'DISABLED',
      }),
    );
    await rooms.send(
      new CreateMembershipCommand({ collaborationIdentifier: collaboration!.id, queryLogStatus: 'DISABLED' }),
    );
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'acme_prod' } }));
    for (const Name of ['part_a', 'part_b', 'other']) {
      await glue.send(
        new CreateTableCommand({
          DatabaseName: 'acme_prod',
          TableInput: { Name, StorageDescriptor: { Columns: [{ Name: 'id', Type: 'int' }] }, PartitionKeys: [] },
        }),
      );
    }
    writeFileSync(join(folder, 'lake.yaml'), 'reports: { cleanrooms: { database: acme_prod } }\n');
    const out = new PassThrough();
    const err = new PassThrough();
    const terminal = { out, err, cwd: folder, env: { ...process.env, ...moto.env } };
    const code = await runCli(['report', 'cleanrooms', '--out', 'moto', '--json'], terminal);
    out.end();
    err.end();
    expect([await text(err), code]).toEqual(['', 0]);
    const { files, reports } = JSON.parse(await text(out)) as {
      files: string[];
      reports: { collaboration: string; gaps: { action: string }[] }[];
    };
    expect(reports.map(({ collaboration: name }) => name)).toEqual(['Acme "Co"']);
    const csv = readFileSync(pathOf(files[1]!), 'utf8').split('\r\n');
    expect(csv.slice(1, -1).map((line) => line.split(',').slice(1, 4))).toEqual([
      ['part_a', 'Yes', '1'],
      ['part_b', 'Yes', '1'],
    ]);
    process.stdout.write(`moto does not know: ${reports[0]!.gaps.map(({ action }) => action).join(', ')}\n`);
  } finally {
    await moto.stop();
  }
});
