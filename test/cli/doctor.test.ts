import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { renderFindings } from '../../src/cli/findings.ts';
import { createOutput, type Terminal } from '../../src/cli/output.ts';
import type { Finding } from '../../src/doctor/verdict.ts';
import { lakeFolder, removeFolders } from './lake-folder.ts';

afterAll(removeFolders);

const LAKE_YAML = `
tables:
  sales.orders: { from: orders/ }
notify:
  slack: { channel: "#lake" }
stages:
  dev: { account: "111111111111", region: eu-west-1 }
`;

interface Report {
  stage?: string;
  checks: Finding[];
}

const statuses = ({ checks }: Report) => Object.fromEntries(checks.map(({ name, status }) => [name, status]));

test('a lake on a laptop is looked at, and nothing is made by it', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', LAKE_YAML);
  const { code, value } = await folder.json<Report>('doctor');
  expect(code).toBe(0);
  expect(statuses(value)).toEqual({
    versions: 'ok',
    'lake.yaml': 'ok',
    'raw area': 'ok',
    warehouse: 'ok',
    'delivery records': 'ok',
    'catalogue local': 'ok',
    Slack: 'warning',
  });
  expect(['raw', 'warehouse'].filter((name) => existsSync(join(folder.path, name)))).toEqual([]);
  const told = await folder.run('doctor', { env: { SLACK_TOKEN: 'xoxb-not-to-be-shown' } });
  expect(told.out).toMatch(/ok +Slack +#lake, the token is in SLACK_TOKEN/);
  expect(told.out).not.toContain('xoxb');
});

test('tables that are there are counted, without a lake.yaml too', async () => {
  const folder = lakeFolder();
  await folder.run(['drop', folder.parquet('orders.parquet', 3)]);
  const { code, out } = await folder.run('doctor');
  expect(code).toBe(0);
  expect(out).toContain('an embedded lake in ./.lakegate');
  folder.write('lake.yaml', LAKE_YAML);
  await folder.run(['drop', folder.parquet('orders.parquet', 3)]);
  expect((await folder.run('doctor')).out).toMatch(/ok +catalogue local +answers, its table is there/);
});

test('a faulty lake.yaml is a finding with every fault, and nothing else is looked at', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', 'tables: { a: { from: x } }\nrawr: 1\n');
  const { code, value } = await folder.json<Report>('doctor');
  expect(code).toBe(1);
  expect(statuses(value)).toEqual({ versions: 'ok', 'lake.yaml': 'failed' });
  expect(value.checks[1]!.found).toMatch(/faults:\n.*lake\.yaml:\d+:\d+/);
});

test('a folder that a file stands in the way of is a failure, and says where', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', LAKE_YAML);
  folder.write('raw', 'a file');
  const { code, out } = await folder.run('doctor');
  expect(code).toBe(1);
  expect(out).toMatch(/failed +raw area +.*raw is no folder\n +→ change its rights, or the folder in lake\.yaml/);
});

test('a stage that there is not is wrong usage', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', LAKE_YAML);
  expect(await folder.run('doctor --stage dve')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Did you mean'),
  });
});

test('a stage of which nothing can be looked at is not called well', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', LAKE_YAML);
  const env = {
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_MAX_ATTEMPTS: '1',
  };
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    const { code, value } = await folder.json<Report>('doctor --stage dev');
    expect(code).toBe(1);
    const { versions, 'lake.yaml': read, ...looked } = statuses(value);
    expect([versions, read]).toEqual(['ok', 'ok']);
    expect([...new Set(Object.values(looked))]).toEqual(['unchecked']);
  } finally {
    process.env = before;
  }
});

describe('findings on a terminal', () => {
  const findings: Finding[] = [
    { name: 'AWS credentials', status: 'ok', found: 'account 111111111111' },
    {
      name: 'queue gate-dead',
      status: 'failed',
      found: '3 given up',
      todo: 'mend the cause, then `lakegate delivery redrive`',
    },
    { name: 'rule a', status: 'failed', found: 'there is no rule a', todo: 'deploy' },
    { name: 'rule b', status: 'failed', found: 'there is no rule \u{1b}[31mb', todo: 'deploy' },
    { name: 'c', status: 'unchecked', found: 'no answer' },
    { name: 'd', status: 'unchecked', found: 'no answer' },
  ];
  const render = (out: { isTTY?: boolean; columns?: number }) => {
    const stream = { write: () => true, ...out } as unknown as Terminal['out'];
    return renderFindings(findings, createOutput({ out: stream, err: stream, cwd: '/', env: {} }, { stage: 'dev' }));
  };

  test('to a program: a line each, never broken, without colour', () => {
    expect(render({}).split('\n')).toEqual([
      'ok         AWS credentials  account 111111111111',
      'failed     queue gate-dead  3 given up',
      '                            → mend the cause, then `lakegate delivery redrive --stage dev`',
      'failed     rule a           there is no rule a',
      'failed     rule b           there is no rule \\u{1b}[31mb',
      '                            → deploy',
      'unchecked  2 things         no answer',
      '',
      '1 ok, 3 failed, 2 could not be checked',
    ]);
  });

  test('in colour', () => {
    expect(render({ isTTY: true, columns: 100 })).toContain(
      '\u{1b}[31mfailed\u{1b}[39m     queue gate-dead  3 given up',
    );
  });

  test.each([40, 60, 80, 120])('no line is longer than a terminal of %d', (columns) => {
    const plain = stripVTControlCharacters(render({ isTTY: true, columns }));
    expect(plain.split('\n').filter((line) => line.length > columns)).toEqual([]);
  });
});
