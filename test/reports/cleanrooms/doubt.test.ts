/** Answers that say less than they seem to: a table is called not ready only where that is known. */

import { known } from '../../../src/reports/answer.ts';
import { reportDocument } from '../../../src/reports/cleanrooms/json.ts';
import { allPages } from '../../../src/reports/cleanrooms/paging.ts';
import { verdictOf } from '../../../src/reports/cleanrooms/verdict.ts';
import { awkwardWorld, largeWorld } from './described.ts';
import { closeServers, looking } from './looking.ts';
import { idOf, membershipId, type World } from './world.ts';

afterEach(closeServers);

const RULE = { type: 'CUSTOM' as const, providers: ['123456789012'] };
const denied = { type: 'AccessDeniedException', status: 403, message: 'not authorized' };
const empty = { type: 'none', status: 200 };

/** One table, ready, whose configured table is called what people call it. */
function world(): World {
  return {
    ...awkwardWorld(),
    tables: [
      {
        name: 'part_orders',
        configured: { name: 'Orders, all of them', rule: RULE },
        associations: [
          { membership: 0, name: 'our_orders', rule: { receivers: ['123456789012'], policy: 'collaboration' } },
        ],
      },
      { name: 'part_bare' },
    ],
  };
}

test('a configured table that may not be looked at, under a name of its own, is not taken for missing', async () => {
  const { server, look } = await looking(world());
  const before = await look();
  expect(verdictOf(before, ['part_orders'])).toMatchObject({ verdict: 'ready' });
  server.fail('GetConfiguredTable', { ...denied, about: idOf('configured part_orders') });
  const reports = await look();
  const unknown = 'Unknown (access denied: cleanrooms:GetConfiguredTable)';
  for (const table of reportDocument(reports[0]!).tables) {
    expect(table).toMatchObject({
      configured_table: { exists: null, unknown },
      analysis_rule: { exists: null, unknown },
      association: { exists: null, unknown },
      status: { ready_for_analysis: null, missing: [] },
    });
  }
  expect(verdictOf(reports, ['part_orders'])).toMatchObject({ verdict: 'unknown', notReady: [] });
});

test('where configured tables may not be listed, an association of another name is not taken for missing', async () => {
  const { server, look } = await looking(world());
  server.fail('ListConfiguredTables', denied);
  const [report] = await look();
  expect(report!.tables.map(({ ready }) => ready.known)).toEqual([false, false]);
});

test.each([
  'GetConfiguredTableAnalysisRule',
  'ListConfiguredTables',
  'ListConfiguredTableAssociations',
  'GetConfiguredTable',
])('an empty answer to %s is no No', async (operation) => {
  const { server, look } = await looking(world());
  server.fail(operation, empty);
  const [report] = await look();
  expect(report!.tables.find(({ name }) => name === 'part_orders')).toMatchObject({ ready: { known: false } });
  expect(report!.gaps).toContainEqual({
    action: `cleanrooms:${operation}`,
    reason: 'other',
    message: 'the answer does not hold what was asked for',
    times: 1,
  });
});

test('a membership that is asked for and is not there ends the report', async () => {
  const { look } = await looking(world());
  const nowhere = idOf('nowhere');
  await expect(look({ membership: nowhere })).rejects.toMatchObject({
    kind: 'not_found',
    message: expect.stringContaining(nowhere),
  });
});

test('a database that is not there is said, and is no reason to call everything ready', async () => {
  const { look } = await looking(largeWorld(3));
  const reports = await look({ database: 'acme_prd', membership: membershipId(0) });
  expect(reports[0]!.gaps).toMatchObject([
    { action: 'glue:GetTables', message: 'there is no database acme_prd in the catalogue of us-east-1' },
  ]);
  expect(verdictOf(reports, undefined)).toMatchObject({
    verdict: 'not_ready',
    notReady: [{ table: 'part_*', reasons: ['there are no such tables in acme_prd'] }],
  });
});

test('tables that could not be listed may be missing from a verdict over all of them', async () => {
  const { server, look } = await looking(world());
  server.fail('GetTables', denied);
  const reports = await look();
  expect(reports[0]!.tables.map(({ name }) => name)).toEqual(['part_orders']);
  expect(verdictOf(reports, undefined)).toMatchObject({
    verdict: 'unknown',
    unknown: [{ table: 'part_*', reasons: ['Unknown (access denied: glue:GetTables)'] }],
  });
  expect(verdictOf(reports, ['part_orders'])).toMatchObject({ verdict: 'ready' });
});

test('pages that lead to each other in a circle end', async () => {
  const next: Record<string, string> = { '': 'a', a: 'b', b: 'a' };
  const found = await allPages(
    async (token = '') => known(next[token]),
    () => ['item'],
    (token) => token,
  );
  expect(found).toMatchObject({ known: false, why: { message: 'the same page came twice' } });
});
