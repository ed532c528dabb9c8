/** The report over the SDK's own clients: what is asked, and what the cells say. */
import { tablesCsv } from '../../../src/reports/cleanrooms/csv.ts';
import { reportDocument } from '../../../src/reports/cleanrooms/json.ts';
import type { CleanRoomsReport } from '../../../src/reports/cleanrooms/model.ts';
import { verdictOf } from '../../../src/reports/cleanrooms/verdict.ts';
import { largeWorld } from './described.ts';
import { closeServers, looking } from './looking.ts';
import { membershipId } from './world.ts';

afterEach(closeServers);

function stateOf(report: CleanRoomsReport, name: string) {
  const table = reportDocument(report).tables.find(({ table_name }) => table_name === name)!;
  return { ready: table.status.ready_for_analysis, missing: table.status.missing, unknown: table.status.unknown };
}

test('60 tables in three memberships, several pages everywhere: each table is what the account says', async () => {
  const { server, look } = await looking(largeWorld());
  const reports = await look();
  expect(server.violations).toEqual([]);
  expect(reports.map(({ collaborationName }) => collaborationName)).toEqual(
    ['Acme & Partner', 'Second', 'Third'].map((value) => ({ known: true, value })),
  );
  const [first, second, third] = reports as [CleanRoomsReport, CleanRoomsReport, CleanRoomsReport];
  // 60, and one that Glue has lost. Skipped ones, other prefixes and other databases are not among them.
  expect(reports.map(({ tables }) => tables.length)).toEqual([61, 61, 61]);
  const states = Object.fromEntries(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [n, stateOf(first, `part_t_0${n + 10}`)]),
  );
  const ready = { ready: true, unknown: [] };
  const notReady = { ready: false, unknown: [] };
  expect(states).toEqual({
    0: { ...ready, missing: [] },
    1: {
      ...notReady,
      missing: [
        'missing configured table',
        'missing analysis rule',
        'not in collaboration',
        'missing collaboration rule',
      ],
    },
    2: { ...notReady, missing: ['missing analysis rule'] },
    3: { ...notReady, missing: ['analysis rule is AGGREGATION, not CUSTOM'] },
    4: { ...notReady, missing: ['no analysis provider in its analysis rule'] },
    5: { ...notReady, missing: ['not in collaboration', 'missing collaboration rule'] },
    6: { ...ready, missing: ['missing collaboration rule'] },
    7: { ...ready, missing: [] },
    8: { ...ready, missing: [] },
    9: { ...notReady, missing: ['missing analysis rule'] },
  });
  expect(stateOf(first, 'part_dropped')).toMatchObject({ ready: true });
  expect(stateOf(second, 'part_t_048')).toMatchObject({
    ready: false,
    missing: ['not in collaboration', 'missing collaboration rule'],
  });
  expect(third.tables.filter(({ ready: own }) => own.known && own.value)).toEqual([]);
  expect(reports.flatMap(({ gaps }) => gaps)).toEqual([]);
});

test('receivers are account ids, whether they came as ARNs or as ids, by whichever policy says them', async () => {
  const { look } = await looking(largeWorld());
  const [report] = await look({ membership: membershipId(0) });
  const receivers = Object.fromEntries(
    report!.tables.map(({ name, collaborationRule }) => [
      name,
      collaborationRule.known && collaborationRule.value?.receivers,
    ]),
  );
  expect(receivers).toMatchObject({
    part_t_010: ['123456789012'],
    part_t_017: ['123456789012'],
    part_t_018: ['555566667777', '123456789012'],
  });
  expect(reportDocument(report!)).toMatchObject({
    membership_id: membershipId(0),
    collaboration_name: 'Acme & Partner',
    summary: {
      tables_count: 61,
      glue_tables_count: 60,
      configured_tables_count: 58,
      id_namespace_associations_count: 9,
      id_mapping_tables_count: 8,
      entity_resolution_namespaces_count: 9,
      schema_mappings_count: 9,
    },
    membership_results_delivery: {
      can_receive_results: true,
      receivers: ['123456789012', '555566667777'],
      default_result_configuration: { url: 's3://results/out/', format: 'PARQUET' },
    },
  });
});

test('associated tables come first, then names', async () => {
  const { look } = await looking(largeWorld(20));
  const [report] = await look();
  const rows = report!.tables.map(
    ({ name, association }) => `${association.known && association.value ? 0 : 1} ${name}`,
  );
  expect(rows).toEqual([...rows].sort());
});

test('only what lake.yaml demands counts in the verdict; what is not there is not ready', async () => {
  const { look } = await looking(largeWorld(10));
  const reports = await look({ membership: membershipId(0) });
  expect(verdictOf(reports, ['PART_T_010', 'part_t_008'])).toMatchObject({ verdict: 'ready', demanded: 2 });
  expect(verdictOf(reports, ['part_nowhere']).notReady).toEqual([
    { membership: membershipId(0), table: 'part_nowhere', reasons: ['there is no such table'] },
  ]);
  expect(verdictOf(reports, undefined)).toMatchObject({ verdict: 'not_ready', demanded: 11 });
});

describe('what cannot be found out', () => {
  const denied = { type: 'AccessDeniedException', status: 403, message: 'User: arn is not authorized' };

  test('a right that is missing is no No: in the cells, in the verdict and in the summary', async () => {
    const { server, look } = await looking(largeWorld(20));
    server.fail('GetConfiguredTableAnalysisRule', denied);
    const [report] = await look();
    const csv = tablesCsv(report!).split('\r\n');
    const row = csv.find((line) => line.includes(',part_t_010,'))!.split(',');
    const unknown = 'Unknown (access denied: cleanrooms:GetConfiguredTableAnalysisRule)';
    expect([row[5], row[10], row[11], row[12], row[16]]).toEqual(['Yes', unknown, unknown, 'Yes', unknown]);
    // What is known to be missing decides, whatever else is not known.
    expect(stateOf(report!, 'part_t_015')).toMatchObject({
      ready: false,
      missing: ['not in collaboration', 'missing collaboration rule'],
    });
    expect(report!.gaps).toEqual([
      { action: 'cleanrooms:GetConfiguredTableAnalysisRule', reason: 'denied', message: denied.message, times: 17 },
    ]);
  });

  test.each([
    ['GetTables', 'glue:GetTables', 'glue_table'],
    ['ListConfiguredTables', 'cleanrooms:ListConfiguredTables', 'configured_table'],
    ['ListConfiguredTableAssociations', 'cleanrooms:ListConfiguredTableAssociations', 'association'],
    ['ListMemberships', 'cleanrooms:ListMemberships', 'association'],
    ['BatchGetSchemaAnalysisRule', 'cleanrooms:BatchGetSchemaAnalysisRule', undefined],
    ['ListSchemas', 'cleanrooms:ListSchemas', undefined],
    ['ListIdNamespaces', 'entityresolution:ListIdNamespaces', undefined],
    ['GetMembership', 'cleanrooms:GetMembership', undefined],
  ])('%s refused', async (operation, action, field) => {
    const { server, look } = await looking(largeWorld(20));
    server.fail(operation, denied);
    const reports = await look();
    expect(reports[0]!.gaps.map((gap) => gap.action)).toContain(action);
    for (const report of reports) {
      const document = reportDocument(report);
      expect(document.tables.length).toBeGreaterThan(15);
      if (field === undefined) continue;
      for (const table of document.tables) {
        expect(table[field]).toMatchObject({ exists: null, unknown: `Unknown (access denied: ${action})` });
      }
      expect(JSON.stringify(document.tables)).not.toContain('"exists":false,"id":null,"name":null,"unknown"');
    }
    expect(server.violations).toEqual([]);
  });

  test('the rule of an association speaks where the schema is silent', async () => {
    const { server, look } = await looking(largeWorld(20));
    server.fail('BatchGetSchemaAnalysisRule', denied);
    const [report] = await look();
    const table = report!.tables.find(({ name }) => name === 'part_t_010')!;
    expect(table.collaborationRule).toEqual({ known: true, value: { type: 'CUSTOM', receivers: ['123456789012'] } });
  });

  test('throttling is waited out; beyond that it is shown', async () => {
    const { server, look } = await looking(largeWorld(20));
    const throttling = { type: 'ThrottlingException', status: 429, message: 'Rate exceeded' };
    server.fail('GetConfiguredTable', { ...throttling, times: 30 });
    server.fail('ListSchemas', throttling);
    const [report] = await look();
    expect(report!.gaps).toEqual([
      { action: 'cleanrooms:ListSchemas', reason: 'throttled', message: 'Rate exceeded', times: 1 },
    ]);
    expect(report!.tables.every(({ configured }) => configured.known)).toBe(true);
  });

  test('servers that fail for a while are asked again; answers that nobody foresaw are shown', async () => {
    const { server, look } = await looking(largeWorld(20));
    server.fail('ListConfiguredTables', { type: 'InternalServerException', status: 500, times: 3 });
    server.fail('GetIdNamespace', { type: 'InternalServerException', status: 500, about: 'no_workflow' });
    server.fail('ListMembers', { type: 'ValidationException', status: 400, message: 'odd' });
    const [report] = await look();
    expect(report!.gaps.map(({ action, reason }) => `${action} ${reason}`)).toEqual([
      'cleanrooms:ListMembers other',
      'entityresolution:GetIdNamespace unavailable',
    ]);
    expect(report!.tables.some(({ ready }) => ready.known && ready.value)).toBe(true);
  });

  test('credentials that AWS does not know end the report', async () => {
    const { server, look } = await looking(largeWorld(5));
    server.fail('ListMemberships', { type: 'UnrecognizedClientException', status: 403, message: 'bad token' });
    await expect(look()).rejects.toMatchObject({ name: 'LakegateError', kind: 'config' });
  });
});

describe('pace', () => {
  test('250 tables are done in two minutes, at five requests a second', async () => {
    const { server, times, look } = await looking(largeWorld(250), 100);
    const reports = await look({ membership: membershipId(0) });
    expect(reports[0]!.tables).toHaveLength(251);
    expect(server.violations).toEqual([]);
    expect(Math.max(...times)).toBeLessThan(120_000);
    for (const start of times) {
      expect(times.filter((time) => time >= start && time < start + 1000).length).toBeLessThanOrEqual(6);
    }
  }, 60_000);

  test('retries and parallel memberships share those five', async () => {
    const { server, times, look } = await looking(largeWorld(40));
    const throttling = { type: 'ThrottlingException', status: 429, message: 'Rate exceeded' };
    server.fail('GetConfiguredTable', { ...throttling, times: 20 });
    server.fail('ListConfiguredTableAssociations', { type: 'InternalServerException', status: 500, times: 9 });
    expect((await look()).flatMap(({ gaps }) => gaps)).toEqual([]);
    expect(times.length).toBeGreaterThan(100);
    for (const start of times) {
      expect(times.filter((time) => time >= start && time < start + 1000).length).toBeLessThanOrEqual(6);
    }
  }, 60_000);
});
