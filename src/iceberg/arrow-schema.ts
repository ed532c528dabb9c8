/** The names under which PyIceberg knows UTC; it refuses a table with a file of any other zone. */
const UTC = new Set(['UTC', '+00:00', 'Etc/UTC', 'Z']);
/** Arrow extension types that PyIceberg reads. Those of other vendors pyarrow reads as their storage. */
const READABLE_EXTENSIONS = new Set(['arrow.uuid']);
const MOST_FIELDS = 100_000;

/**
 * Columns that Parquet stores well but an Arrow reader makes unreadable, because the schema that pyarrow, pandas and Polars hide in the footer
 * (`ARROW:schema`) types them otherwise: a time zone that is not UTC, JSON, durations. PyIceberg 0.12 cannot read a table with such a
 * file (tried); a rewritten column has no such schema. Format: Arrow `Schema.fbs` in an encapsulated IPC message.
 * @param encoded the key-value entry, base64; undefined or unreadable: no findings, the Parquet schema stands alone
 * @returns what was found, by dotted path with `element`, `key` and `value` for children of lists and maps
 */
export function arrowObstacles(encoded: string | undefined): Map<string, string> {
  const found = new Map<string, string>();
  if (encoded === undefined) return found;
  const bytes = Buffer.from(encoded, 'base64');
  try {
    const buffer = new FlatBuffer(bytes.subarray(bytes.readInt32LE(0) === -1 ? 8 : 4));
    const schema = buffer.table(buffer.root(), HEADER);
    let budget = MOST_FIELDS;
    const visit = (field: number, path: string, depth: number): void => {
      if (--budget < 0 || depth > 100) throw new RangeError('too many fields');
      const obstacle = obstacleOf(buffer, field);
      if (obstacle !== undefined) found.set(path, obstacle);
      const kind = buffer.byte(field, TYPE_KIND);
      const children = buffer.tables(field, CHILDREN);
      if (kind === MAP) {
        const [key, value] = buffer.tables(children[0] ?? 0, CHILDREN);
        if (key !== undefined) visit(key, `${path}.key`, depth + 1);
        if (value !== undefined) visit(value, `${path}.value`, depth + 1);
      } else if (kind === STRUCT) {
        for (const child of children) visit(child, `${path}.${buffer.text(child, NAME)}`, depth + 1);
      } else for (const child of children) visit(child, `${path}.element`, depth + 1);
    };
    for (const field of buffer.tables(schema, FIELDS)) visit(field, buffer.text(field, NAME) ?? '', 0);
  } catch {
    // A read outside the bytes: the entry is broken. What was found before stands.
  }
  return found;
}

/** Slots and type numbers of Arrow's Schema.fbs. */
const HEADER = 2;
const FIELDS = 1;
const NAME = 0;
const TYPE_KIND = 2;
const TYPE = 3;
const CHILDREN = 5;
const METADATA = 6;
const DECIMAL = 7;
const TIMESTAMP = 10;
const STRUCT = 13;
const MAP = 17;
const DURATION = 18;
const VIEWS_AND_RUNS: readonly number[] = [22, 25, 26];

function obstacleOf(buffer: FlatBuffer, field: number): string | undefined {
  const kind = buffer.byte(field, TYPE_KIND);
  for (const entry of buffer.tables(field, METADATA)) {
    const value = buffer.text(entry, 1) ?? '';
    const standard = buffer.text(entry, 0) === 'ARROW:extension:name' && value.startsWith('arrow.');
    if (standard && !READABLE_EXTENSIONS.has(value)) return `Arrow extension type ${value}`;
  }
  if (kind === DURATION) return 'Arrow duration';
  if (VIEWS_AND_RUNS.includes(kind)) return 'Arrow list view or run-end encoding';
  const type = buffer.table(field, TYPE);
  if (kind === DECIMAL && buffer.int(type, 2, 128) > 128) return `Arrow decimal${buffer.int(type, 2, 128)}`;
  const zone = kind === TIMESTAMP ? buffer.text(type, 1) : undefined;
  return zone === undefined || UTC.has(zone) ? undefined : `Arrow time zone ${zone}`;
}

/** As much of a FlatBuffers reader as a schema needs. Positions are absolute; 0 stands for an absent table. Reads outside throw RangeError. */
class FlatBuffer {
  readonly #bytes: Buffer;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  root(): number {
    return this.#bytes.readUInt32LE(0);
  }

  #slot(table: number, slot: number): number {
    if (table === 0) return 0;
    const vtable = table - this.#bytes.readInt32LE(table);
    const at = 4 + slot * 2;
    if (at >= this.#bytes.readUInt16LE(vtable)) return 0;
    const offset = this.#bytes.readUInt16LE(vtable + at);
    return offset === 0 ? 0 : table + offset;
  }

  byte(table: number, slot: number): number {
    const at = this.#slot(table, slot);
    return at === 0 ? 0 : this.#bytes.readUInt8(at);
  }

  int(table: number, slot: number, otherwise: number): number {
    const at = this.#slot(table, slot);
    return at === 0 ? otherwise : this.#bytes.readInt32LE(at);
  }

  table(table: number, slot: number): number {
    const at = this.#slot(table, slot);
    return at === 0 ? 0 : at + this.#bytes.readUInt32LE(at);
  }

  tables(table: number, slot: number): number[] {
    const at = this.table(table, slot);
    if (at === 0) return [];
    const count = this.#bytes.readUInt32LE(at);
    if (count > MOST_FIELDS) throw new RangeError('too many entries');
    return Array.from({ length: count }, (_, i) => at + 4 + i * 4 + this.#bytes.readUInt32LE(at + 4 + i * 4));
  }

  text(table: number, slot: number): string | undefined {
    const at = this.table(table, slot);
    if (at === 0) return undefined;
    return this.#bytes.toString('utf8', at + 4, at + 4 + this.#bytes.readUInt32LE(at));
  }
}
