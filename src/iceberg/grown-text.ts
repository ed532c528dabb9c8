/** Tables whose lists are remembered at a time; a process works on few at once. */
const REMEMBERED = 16;

interface Written<T> {
  items: readonly T[];
  text: string;
  /** Where in `text` each item ends. */
  ends: number[];
}

/**
 * Writes lists that mostly grow at their end, such as a table's snapshots: what a list shares with the one written before, by identity from the
 * front, is not written again. So a commit costs what it adds, not what the table has collected.
 * @param write an item's text; asked once for each object
 * @returns a function of a list's owner and the list that gives the items' texts joined by commas
 */
export function grownText<T extends object>(
  write: (item: T) => string,
): (owner: string, items: readonly T[]) => string {
  const owners = new Map<string, Written<T>>();
  return (owner, items) => {
    const before = owners.get(owner) ?? { items: [], text: '', ends: [] };
    let same = 0;
    while (same < items.length && same < before.items.length && items[same] === before.items[same]) same += 1;
    const ends = before.ends.slice(0, same);
    let text = before.text.slice(0, ends.at(-1) ?? 0);
    for (const item of items.slice(same)) {
      text += text === '' ? write(item) : `,${write(item)}`;
      ends.push(text.length);
    }
    owners.delete(owner);
    owners.set(owner, { items, text, ends });
    if (owners.size > REMEMBERED) owners.delete(owners.keys().next().value!);
    return text;
  };
}
