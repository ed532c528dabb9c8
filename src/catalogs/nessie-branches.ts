import { LakegateError } from '../errors.ts';
import { arrayAt, asObject, corrupt, type JsonObject, stringAt } from '../iceberg/json-object.ts';
import type { CatalogBranch, CatalogBranches, CatalogCommit, KnownBranch } from './branches.ts';
import { TABLE_PROPERTY, tableProperty } from './branches.ts';
import type { RestAnswer } from './rest-answer.ts';
import { answerFault } from './rest-fault.ts';
import type { RestRequest, RestTransport } from './rest-transport.ts';

/** Commits asked for at once. */
const PAGE = 200;

/**
 * Nessie's branches (REST API v2: `/trees`, projectnessie.org/develop/rest). Every change names the commit it was decided on, so that nothing is
 * moved or dropped that is not as it was seen.
 * @param api the API's root, ending in `/api/v2`
 * @param at gives the catalogue of a branch
 */
export function nessieBranches(
  api: string,
  main: string,
  send: RestTransport,
  at: CatalogBranches['at'],
): CatalogBranches {
  async function ask(request: RestRequest, changes: boolean, expected: readonly number[]): Promise<RestAnswer> {
    const answer = await send(request);
    if (expected.includes(answer.status)) return answer;
    throw answerFault(answer, { what: request.what, server: api, changes });
  }

  async function* pages(url: (token: string) => string, what: string, members: string): AsyncGenerator<JsonObject> {
    for (let token = ''; ; ) {
      const next = token === '' ? '' : `&page-token=${encodeURIComponent(token)}`;
      const answer = await ask({ method: 'GET', url: url(next), what }, false, [200]);
      const page = objectIn(answer, what);
      for (const member of arrayAt(page, members, what)) yield asObject(member, what);
      if (page.hasMore !== true) return;
      token = stringAt(page, 'token', what);
    }
  }

  async function find(name: string): Promise<KnownBranch | undefined> {
    const what = `look at the branch ${name}`;
    const url = `${api}/trees/${encodeURIComponent(name)}?fetch=ALL`;
    const answer = await ask({ method: 'GET', url, what }, false, [200, 404]);
    if (answer.status === 404) return undefined;
    return branchIn(asObject(objectIn(answer, what).reference, what), what);
  }

  return {
    main,
    at,
    find,
    async list(prefix) {
      const what = 'list branches';
      const filter = `refType == 'BRANCH' && ref.name.startsWith(${JSON.stringify(prefix)})`;
      const query = `fetch=ALL&max-records=${PAGE}&filter=${encodeURIComponent(filter)}`;
      const found: KnownBranch[] = [];
      for await (const reference of pages((next) => `${api}/trees?${query}${next}`, what, 'references'))
        found.push(branchIn(reference, what));
      return found;
    },
    async create(name, from) {
      const what = `create the branch ${name}`;
      const url = `${api}/trees?name=${encodeURIComponent(name)}&type=BRANCH`;
      const body = JSON.stringify({ type: 'BRANCH', name: from.name, hash: from.hash });
      const answer = await ask({ method: 'POST', url, body, what }, true, [200, 404, 409]);
      if (answer.status === 200) return branchIn(asObject(objectIn(answer, what).reference, what), what);
      const { message, context } = answerFault(answer, { what, server: api, changes: true });
      throw new LakegateError(answer.status === 409 ? 'exists' : 'conflict', message, { context });
    },
    async drop(branch) {
      const url = `${api}/trees/${pinned(branch)}?type=BRANCH`;
      await ask({ method: 'DELETE', url, what: `drop the branch ${branch.name}` }, true, [200, 204, 404]);
    },
    async merge(from, { message, properties }) {
      const what = `merge ${from.name} into ${main}`;
      const target = await find(main);
      if (target === undefined) throw missing(main, api);
      const body = JSON.stringify({
        fromRefName: from.name,
        fromHash: from.hash,
        commitMeta: { message, properties },
      });
      const url = `${api}/trees/${pinned(target)}/history/merge`;
      const answer = await ask({ method: 'POST', url, body, what }, true, [200, 404]);
      if (answer.status === 200) return;
      const fault = answerFault(answer, { what, server: api, changes: true });
      throw new LakegateError('conflict', fault.message, { context: fault.context });
    },
    async *history(table, since) {
      const what = `read the history of ${main}`;
      const name = JSON.stringify(tableProperty(table));
      const filter = `'${TABLE_PROPERTY}' in commit.properties && commit.properties['${TABLE_PROPERTY}'] == ${name}`;
      const limit = since === undefined ? '' : `&limit-hash=${encodeURIComponent(since)}`;
      const query = `max-records=${PAGE}&filter=${encodeURIComponent(filter)}${limit}`;
      const url = (next: string) => `${api}/trees/${encodeURIComponent(main)}/history?${query}${next}`;
      for await (const entry of pages(url, what, 'logEntries')) {
        const commit = commitIn(asObject(entry.commitMeta, what), what);
        if (commit.hash === since) return;
        yield commit;
      }
    },
  };
}

/** `name@hash`, as paths have it. */
function pinned({ name, hash }: CatalogBranch): string {
  return `${encodeURIComponent(name)}@${encodeURIComponent(hash)}`;
}

function missing(branch: string, api: string): LakegateError {
  return new LakegateError(
    'config',
    `Nessie at ${api} has no branch ${branch}. Create it there, or set \`branch\` of the catalogue.`,
    { context: { branch } },
  );
}

function objectIn(answer: RestAnswer, what: string): JsonObject {
  try {
    return asObject(JSON.parse(answer.text), what);
  } catch (cause) {
    if (cause instanceof LakegateError) throw cause;
    throw corrupt(what, 'the server should answer with JSON; check that `uri` is the root of a Nessie server');
  }
}

function branchIn(reference: JsonObject, what: string): KnownBranch {
  const branch = { name: stringAt(reference, 'name', what), hash: stringAt(reference, 'hash', what) };
  if (reference.metadata === undefined || reference.metadata === null) return branch;
  const { commitMetaOfHEAD: head, commonAncestorHash, numCommitsAhead } = asObject(reference.metadata, what);
  const startedFrom = numCommitsAhead === 0 ? branch.hash : commonAncestorHash;
  return {
    ...branch,
    ...(typeof startedFrom === 'string' ? { startedFrom } : {}),
    ...(head === undefined || head === null ? {} : { last: commitIn(asObject(head, what), what) }),
  };
}

function commitIn(meta: JsonObject, what: string): CatalogCommit {
  const atMs = Date.parse(stringAt(meta, 'commitTime', what));
  if (Number.isNaN(atMs)) throw corrupt(what, '"commitTime" should be a time');
  const given = meta.allProperties === undefined ? {} : asObject(meta.allProperties, what);
  const properties = Object.entries(given).flatMap(([key, values]) =>
    Array.isArray(values) && typeof values[0] === 'string' ? [[key, values[0]]] : [],
  );
  return { hash: stringAt(meta, 'hash', what), atMs, properties: Object.fromEntries(properties) };
}
