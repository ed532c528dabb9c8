import { LakegateError } from '../errors.ts';
import type { TableIdentifier } from './catalog.ts';
import { compareIdentifiers } from './identifier.ts';
import { identifiersInAnswer, namespacesInAnswer, type Page, type RestAnswer } from './rest-answer.ts';
import { answerFault } from './rest-fault.ts';
import type { RestRoutes } from './rest-routes.ts';
import type { RestTransport } from './rest-transport.ts';

/** Requests of one listing that are under way at once. */
const CONCURRENT = 8;

/** The server as it is asked by a listing. */
export interface Listed {
  routes: RestRoutes;
  send: RestTransport;
  /** Its address, for errors. */
  server: string;
  /** Whether namespaces lie in namespaces; a server that knows one level only is not asked for more. */
  nested: boolean;
}

/** Every table of every namespace, all pages, sorted by name. What is dropped meanwhile is left out. */
export async function listAllTables(listed: Listed): Promise<TableIdentifier[]> {
  const tables: TableIdentifier[] = [];
  let level = await namespacesIn(listed, []);
  while (level.length > 0) {
    const below: string[][] = [];
    await inParallel(level, async (namespace) => {
      tables.push(...(await tablesIn(listed, namespace)));
      if (listed.nested) below.push(...(await namespacesIn(listed, namespace)));
    });
    level = below;
  }
  return tables.sort(compareIdentifiers);
}

/** The namespaces directly in one. Servers that take no notice of `parent` give all again: those are no children. */
async function namespacesIn(listed: Listed, parent: readonly string[]): Promise<string[][]> {
  const all = await allPages(
    listed,
    'list namespaces',
    (token) => listed.routes.namespaces(parent, token),
    namespacesInAnswer,
  );
  return all.filter(
    (levels) => levels.length === parent.length + 1 && parent.every((level, index) => levels[index] === level),
  );
}

/** The tables of one namespace, all pages, sorted by name. */
export async function listTablesIn(listed: Listed, namespace: readonly string[]): Promise<TableIdentifier[]> {
  return (await tablesIn(listed, namespace)).sort(compareIdentifiers);
}

async function tablesIn(listed: Listed, namespace: readonly string[]): Promise<TableIdentifier[]> {
  return allPages(
    listed,
    `list tables of ${namespace.join('.')}`,
    (token) => listed.routes.tables(namespace, token),
    identifiersInAnswer,
  );
}

async function allPages<T>(
  { send, server }: Listed,
  what: string,
  route: (pageToken: string | undefined) => string,
  read: (answer: RestAnswer, where: string) => Page<T>,
): Promise<T[]> {
  const members: T[] = [];
  const seen = new Set<string>();
  for (let token: string | undefined; ; ) {
    const answer = await send({ method: 'GET', url: route(token), what });
    if (answer.status === 404) return members;
    if (answer.status !== 200) throw answerFault(answer, { what, server, changes: false });
    const page = read(answer, `The catalogue server ${server}, asked to ${what}`);
    members.push(...page.members);
    if (page.next === undefined) return members;
    if (seen.has(page.next)) {
      throw new LakegateError(
        'corrupt',
        `The catalogue server ${server}, asked to ${what}, gives the same page again and again. Its listing cannot be used.`,
        { context: { server } },
      );
    }
    seen.add(page.next);
    token = page.next;
  }
}

async function inParallel<T>(members: readonly T[], work: (member: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < members.length) await work(members[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT, members.length) }, worker));
}
