/** Tables whose lists are remembered at a time; a process works on few at once. */
const REMEMBERED = 16;

interface Written<T> {
  items: readonly T[];
  /** The texts joined by commas, UTF-8, with room behind them. */
  buffer: Buffer;
  /** Where in `buffer` each item ends. */
  ends: number[];
}

/**
 * Writes lists that mostly grow at their end, such as a table's snapshots: what a list shares with the one written before, by identity from the
 * front, is not written again. So a commit costs what it adds, not what the table has collected.
 * @param write an item's text; asked once for each object
 * @returns a function of a list's owner and the list that gives the items' texts joined by commas, as UTF-8; good until it is asked again
 */
export function grownText<T extends object>(
  write: (item: T) => string,
): (owner: string, items: readonly T[]) => Uint8Array {
  const owners = new Map<string, Written<T>>();
  return (owner, items) => {
    const before = owners.get(owner) ?? { items: [], buffer: Buffer.alloc(0), ends: [] };
    let same = 0;
    while (same < items.length && same < before.items.length && items[same] === before.items[same]) same += 1;
    const ends = before.ends.slice(0, same);
    const kept = ends.at(-1) ?? 0;
    const added = items
      .slice(same)
      .map((item, index) => Buffer.from(same + index === 0 ? write(item) : `,${write(item)}`));
    const length = added.reduce((total, text) => total + text.length, kept);
    const buffer = length <= before.buffer.length ? before.buffer : Buffer.alloc(length * 2);
    if (buffer !== before.buffer) before.buffer.copy(buffer, 0, 0, kept);
    let end = kept;
    for (const text of added) {
      text.copy(buffer, end);
      end += text.length;
      ends.push(end);
    }
    owners.delete(owner);
    owners.set(owner, { items, buffer, ends });
    if (owners.size > REMEMBERED) owners.delete(owners.keys().next().value!);
    return buffer.subarray(0, length);
  };
}
