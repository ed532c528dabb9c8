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
  let token: string | undefined;
  for (;;) {
    const page = await ask(token);
    if (!page.known) return page;
    if (page.value === undefined) return known(undefined);
    all.push(...(items(page.value) ?? []));
    const next = tokenOf(page.value);
    if (next === undefined || next === '') return known(all);
    if (next === token) return unknown({ reason: 'other', action: 'paging', message: 'the same page came twice' });
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
