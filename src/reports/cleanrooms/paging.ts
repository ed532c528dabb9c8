import { type Answer, following, known, unknown } from '../answer.ts';

/**
 * All pages of a list, asked for one after the other. A page that cannot be had makes the whole list unknown: half a list would be taken for all.
 * @returns undefined where what is listed does not exist
 */
export async function allPages<P, T>(
  ask: (token: string | undefined) => Promise<Answer<P | undefined>>,
  items: (page: P) => readonly T[] | undefined,
  tokenOf: (page: P) => string | undefined,
): Promise<Answer<T[] | undefined>> {
  const all: T[] = [];
  const seen = new Set<string>();
  let token: string | undefined;
  for (;;) {
    const page = await ask(token);
    if (!page.known) return page;
    if (page.value === undefined) return known(undefined);
    all.push(...(items(page.value) ?? []));
    const next = tokenOf(page.value);
    if (next === undefined || next === '') return known(all);
    if (seen.has(next)) return unknown({ reason: 'other', action: 'paging', message: 'the same page came twice' });
    seen.add(next);
    token = next;
  }
}

/** The same, of a service whose pages have `nextToken`, where what does not exist has nothing to list. */
export async function presentList<P extends { nextToken?: string | undefined }, T>(
  ask: (token: string | undefined) => Promise<Answer<P | undefined>>,
  items: (page: P) => readonly T[] | undefined,
): Promise<Answer<T[]>> {
  return following(await allPages(ask, items, ({ nextToken }) => nextToken), (found) => found ?? []);
}

/** What an answer holds. One without it is no answer: it says neither that there is such a thing nor that there is none. */
export function partOf<A, T>(
  action: string,
  answer: Answer<A | undefined>,
  pick: (answer: A) => T | undefined,
): Answer<T | undefined> {
  if (!answer.known) return answer;
  if (answer.value === undefined) return known(undefined);
  const part = pick(answer.value);
  if (part !== undefined) return known(part);
  return unknown({ reason: 'other', action, message: 'the answer does not hold what was asked for' });
}
