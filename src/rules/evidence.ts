import type { NullCount } from '../parquet/model.ts';
import { once } from './once.ts';
import type { AuditedFile } from './rule.ts';

/**
 * The same file, remembering what was already answered, so that several rules on one column cost one question.
 * Questions under way are shared too. Values are not kept: they are what does not fit in memory.
 */
export function sharedEvidence(file: AuditedFile): AuditedFile {
  const fields = once(() => file.fields());
  const bounds = onceEach((name) => file.bounds(name));
  const dictionary = onceEach((name) => file.dictionary(name));
  const nullsOf = new Map<string, Promise<NullCount>>();
  let allNulls: Promise<NullCount[]> | undefined;

  async function nullsByName(names: readonly string[]): Promise<NullCount[]> {
    // One unreadable column fails the question about all; the columns asked for here may still be answered.
    const all = await allNulls?.catch(() => undefined);
    const known = all?.filter((count) => names.includes(count.name)) ?? [];
    if (known.length === new Set(names).size) return known;
    const asked = [...new Set(names)].filter((name) => !nullsOf.has(name));
    if (asked.length > 0) {
      const answer = file.nulls(asked);
      for (const name of asked)
        nullsOf.set(
          name,
          answer.then((counts) => counts.find((count) => count.name === name)!),
        );
    }
    const position = new Map((await fields()).map((field, i) => [field.name, i]));
    const counts = await Promise.all([...new Set(names)].map((name) => nullsOf.get(name)!));
    return counts.sort((a, b) => position.get(a.name)! - position.get(b.name)!);
  }

  return {
    url: file.url,
    rows: file.rows,
    fields,
    ...(file.storedFields && { storedFields: once(() => file.storedFields!()) }),
    nulls(names) {
      if (names !== '*') return nullsByName(names);
      allNulls ??= file.nulls('*');
      return allNulls;
    },
    nullRows: (name, limit) => file.nullRows(name, limit),
    bounds,
    dictionary,
    values: (name) => file.values(name),
  };
}

function onceEach<T>(ask: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (name) => {
    const answer = answers.get(name) ?? ask(name);
    answers.set(name, answer);
    return answer;
  };
}
