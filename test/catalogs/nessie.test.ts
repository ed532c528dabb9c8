/** The client of Nessie's branches against scripted answers: what each answer means, and what is asked. */
import type { CatalogBranches } from '../../src/catalogs/branches.ts';
import { nessieBranches } from '../../src/catalogs/nessie-branches.ts';
import type { RestAnswer } from '../../src/catalogs/rest-answer.ts';
import type { RestRequest } from '../../src/catalogs/rest-transport.ts';
import { collect } from '../contract/collect.ts';

const API = 'https://nessie.example/api/v2';
const TABLE = { namespace: ['shop'], name: "or'ders" };
const MAIN = { type: 'BRANCH', name: 'main', hash: 'aa' };

/** Answers requests one after the other. */
function scripted(...answers: { status: number; body?: unknown; text?: string }[]): {
  branches: CatalogBranches;
  asked: RestRequest[];
} {
  const asked: RestRequest[] = [];
  const send = async (request: RestRequest): Promise<RestAnswer> => {
    asked.push(request);
    const { status, body = {}, text } = answers.shift()!;
    return { status, text: text ?? JSON.stringify(body) };
  };
  const branches = nessieBranches(API, 'main', send, () => {
    throw new Error('no table is asked for');
  });
  return { branches, asked };
}

const commit = (hash: string, properties: Record<string, string[]> = {}) => ({
  commitMeta: { hash, commitTime: '2026-01-02T03:04:05.678901Z', allProperties: properties },
});
const refused = (status: number, errorCode: string) => ({ status, body: { message: 'no', errorCode } });

test('a branch tells where it started from main, when its last commit was made and what that says', async () => {
  const metadata = {
    numCommitsAhead: 2,
    commonAncestorHash: 'aa',
    commitMetaOfHEAD: commit('cc', { 'lakegate.keep-ms': ['5'] }).commitMeta,
  };
  const { branches, asked } = scripted({
    status: 200,
    body: { reference: { type: 'BRANCH', name: 'wap-1', hash: 'cc', metadata } },
  });
  expect(await branches.find('wap/1')).toEqual({
    name: 'wap-1',
    hash: 'cc',
    startedFrom: 'aa',
    last: { hash: 'cc', atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), properties: { 'lakegate.keep-ms': '5' } },
  });
  expect(asked.map(({ url }) => url)).toEqual([`${API}/trees/wap%2F1?fetch=ALL`]);
});

test('a branch to which nothing was committed started where it is', async () => {
  const metadata = { numCommitsAhead: 0, commonAncestorHash: 'aa' };
  const { branches } = scripted({ status: 200, body: { reference: { ...MAIN, name: 'wap-1', metadata } } });
  expect(await branches.find('wap-1')).toMatchObject({ hash: 'aa', startedFrom: 'aa' });
});

test('no such branch is undefined to find, and no fault to drop', async () => {
  const { branches } = scripted(refused(404, 'REFERENCE_NOT_FOUND'), refused(404, 'REFERENCE_NOT_FOUND'));
  expect(await branches.find('wap-1')).toBeUndefined();
  await branches.drop({ name: 'wap-1', hash: 'cc' });
});

test('a branch is created from a commit of main; a name that is taken exists, a commit that has gone is a conflict', async () => {
  const { branches, asked } = scripted(
    { status: 200, body: { reference: { ...MAIN, name: 'wap-1' } } },
    refused(409, 'REFERENCE_ALREADY_EXISTS'),
    refused(404, 'REFERENCE_NOT_FOUND'),
  );
  expect(await branches.create('wap-1', { name: 'main', hash: 'aa' })).toEqual({ name: 'wap-1', hash: 'aa' });
  expect(asked[0]).toMatchObject({ method: 'POST', url: `${API}/trees?name=wap-1&type=BRANCH` });
  expect(JSON.parse(asked[0]!.body!)).toEqual(MAIN);
  await expect(branches.create('wap-1', MAIN)).rejects.toMatchObject({ kind: 'exists' });
  await expect(branches.create('wap-1', MAIN)).rejects.toMatchObject({ kind: 'conflict' });
});

test('a branch is dropped only where it was seen', async () => {
  const { branches, asked } = scripted({ status: 200 }, refused(409, 'REFERENCE_CONFLICT'));
  await branches.drop({ name: 'wap-1', hash: 'cc' });
  expect(asked[0]).toMatchObject({ method: 'DELETE', url: `${API}/trees/wap-1@cc?type=BRANCH` });
  await expect(branches.drop({ name: 'wap-1', hash: 'cc' })).rejects.toMatchObject({ kind: 'conflict' });
});

describe('merging', () => {
  const words = { message: 'lakegate: 1 deliveries', properties: { 'lakegate.deliveries': 'a' } };
  const head = { status: 200, body: { reference: MAIN } };
  const from = { name: 'wap-1', hash: 'cc' };

  test('names the commits on both sides, and carries the properties in the body', async () => {
    const { branches, asked } = scripted(head, { status: 200, text: 'whatever it says' });
    await branches.merge(from, words);
    expect(asked[1]).toMatchObject({ method: 'POST', url: `${API}/trees/main@aa/history/merge` });
    expect(JSON.parse(asked[1]!.body!)).toEqual({ fromRefName: 'wap-1', fromHash: 'cc', commitMeta: words });
  });

  test.each([
    ['the same table changed on main', 409, 'conflict'],
    ['the branch has gone', 404, 'conflict'],
    ['the server failed on the way', 500, 'unknown_outcome'],
    ['the server was busy', 503, 'unavailable'],
  ])('%s (%i): %s', async (_, status, kind) => {
    const { branches } = scripted(head, refused(status, 'X'));
    await expect(branches.merge(from, words)).rejects.toMatchObject({ kind, retryable: true });
  });

  test('without main there is nothing to merge into', async () => {
    const { branches } = scripted(refused(404, 'REFERENCE_NOT_FOUND'));
    await expect(branches.merge(from, words)).rejects.toMatchObject({ kind: 'config' });
  });
});

test('history is asked for by table, page by page, and ends at the commit it is read back to', async () => {
  const { branches, asked } = scripted(
    { status: 200, body: { logEntries: [commit('dd', { a: ['1'] })], hasMore: true, token: 't/1' } },
    { status: 200, body: { logEntries: [commit('cc'), commit('bb'), commit('aa')], hasMore: true, token: 't/2' } },
  );
  const found = await collect(branches.history(TABLE, 'bb'));
  expect(found.map(({ hash, properties }) => [hash, properties])).toEqual([
    ['dd', { a: '1' }],
    ['cc', {}],
  ]);
  const queries = asked.map(({ url }) => new URL(url).searchParams);
  expect(queries.map((query) => query.get('page-token'))).toEqual([null, 't/1']);
  expect(queries[0]!.get('limit-hash')).toBe('bb');
  // Whatever the name holds, it is one string of the filter's language.
  expect(queries[0]!.get('filter')).toBe(
    `'lakegate.table' in commit.properties && commit.properties['lakegate.table'] == "shop.or'ders"`,
  );
});

test('branches are listed by the start of their names, which cannot leave the filter', async () => {
  const { branches, asked } = scripted({ status: 200, body: { references: [MAIN], hasMore: false } });
  expect(await branches.list('w"ap\\')).toEqual([{ name: 'main', hash: 'aa' }]);
  expect(new URL(asked[0]!.url).searchParams.get('filter')).toBe(
    `refType == 'BRANCH' && ref.name.startsWith("w\\"ap\\\\")`,
  );
});

test.each([
  ['no JSON', '<html>'],
  ['a branch without a commit', '{"reference":{"type":"BRANCH","name":"main"}}'],
  [
    'a commit at no time',
    '{"reference":{"name":"main","hash":"aa","metadata":{"commitMetaOfHEAD":{"hash":"aa","commitTime":"?"}}}}',
  ],
])('an answer that is none is said to be so: %s', async (_, text) => {
  const { branches } = scripted({ status: 200, text });
  await expect(branches.find('main')).rejects.toMatchObject({ kind: 'corrupt' });
});
