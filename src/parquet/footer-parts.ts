import { readingOf } from './fault.ts';
import {
  changed,
  encodeInteger,
  encodeStruct,
  integerOf,
  type RawField,
  rawList,
  rawStruct,
  textOf,
} from './raw-thrift.ts';
import { eachField } from './thrift-sink.ts';

/** Field ids of parquet.thrift. */
export const FILE = { schema: 2, numRows: 3, rowGroups: 4, keyValues: 5, createdBy: 6, columnOrders: 7 } as const;
export const ELEMENT = { name: 4, children: 5 } as const;
export const GROUP = {
  columns: 1,
  byteSize: 2,
  numRows: 3,
  sorting: 4,
  fileOffset: 5,
  compressedSize: 6,
  ordinal: 7,
} as const;

/** A footer's thrift in the parts that a copy of some of its columns is put together from; each part is the bytes it was. */
export interface FooterParts {
  /** FileMetaData. */
  fields: RawField[];
  /** What it says of all row groups together. */
  numRows: number;
  /** The schema's root element. */
  root: Uint8Array;
  /** Top-level columns in file order. */
  columns: ColumnParts[];
  /** One for each leaf, where the file has them. */
  columnOrders?: { type: number; items: Uint8Array[] };
  keyValues: { key: string; pair: Uint8Array }[];
  /** RowGroup structs: taken apart one at a time (`rowGroupParts`), since those of wide files are large. */
  rowGroups: Uint8Array[];
}

export interface ColumnParts {
  name: string;
  /** Its schema elements, itself first. */
  elements: Uint8Array[];
  /** Its leaves: [first, end) of all the file's. */
  firstLeaf: number;
  endLeaf: number;
}

export interface RowGroupParts {
  fields: RawField[];
  numRows: number;
  /** ColumnChunk, one for each leaf. */
  chunks: Uint8Array[];
}

/**
 * Takes a footer apart. It has been read by `parseMetadata` before, which checks what it says.
 * @param bytes FileMetaData's thrift
 * @param name how error messages call the file
 * @throws LakegateError `corrupt`
 */
export function footerParts(bytes: Uint8Array, name: string): FooterParts {
  return readingOf(name, 'its footer', () => {
    const { fields } = rawStruct(bytes);
    const fieldOf = (id: number) => fields.find((field) => field.id === id)?.value;
    const elements = rawList(fieldOf(FILE.schema) ?? EMPTY_LIST).items;
    const [root] = elements;
    if (root === undefined) throw new Error('has no schema');
    const orders = fieldOf(FILE.columnOrders);
    const numRows = fieldOf(FILE.numRows);
    return {
      fields,
      numRows: numRows === undefined ? 0 : integerOf(numRows),
      root,
      columns: columnsOf(elements),
      ...(orders === undefined ? {} : { columnOrders: rawList(orders) }),
      keyValues: rawList(fieldOf(FILE.keyValues) ?? EMPTY_LIST).items.map((pair) => {
        const key = rawStruct(pair).fields.find(({ id }) => id === 1);
        return { key: key === undefined ? '' : textOf(key.value), pair };
      }),
      rowGroups: rawList(fieldOf(FILE.rowGroups) ?? EMPTY_LIST).items,
    };
  });
}

/** Takes a row group apart. @throws Error when it is no thrift */
export function rowGroupParts(group: Uint8Array): RowGroupParts {
  const { fields } = rawStruct(group);
  const numRows = fields.find(({ id }) => id === GROUP.numRows);
  const chunks = fields.find(({ id }) => id === GROUP.columns);
  if (numRows === undefined) throw new Error('does not say how many rows it has');
  return {
    fields,
    numRows: integerOf(numRows.value),
    chunks: chunks === undefined ? [] : rawList(chunks.value).items,
  };
}

/** A footer's bytes without its row groups: schema, writer, key-value entries. */
export function withoutRowGroups({ fields }: FooterParts): Uint8Array {
  return encodeStruct(
    changed(
      fields,
      new Map([
        [FILE.rowGroups, EMPTY_LIST],
        [FILE.numRows, encodeInteger(0)],
      ]),
    ),
  );
}

/** A list of no structs. */
const EMPTY_LIST = Uint8Array.of(0x0c);

function columnsOf(elements: readonly Uint8Array[]): ColumnParts[] {
  const columns: ColumnParts[] = [];
  let leaf = 0;
  for (let at = 1; at < elements.length; ) {
    const start = at;
    const firstLeaf = leaf;
    let top: string | undefined;
    // Depth first: an element's children follow it, so a column ends where as many elements have come as were announced.
    for (let open = 1; open > 0; at += 1) {
      const element = elements[at];
      if (element === undefined) throw new Error('schema needs more elements than it has');
      const { children, name } = elementFacts(element);
      if (at === start) top = name;
      open += children - 1;
      if (children === 0) leaf += 1;
    }
    if (top === undefined) throw new Error('has a schema element without a name');
    columns.push({
      name: top,
      elements: elements.slice(start, at),
      firstLeaf,
      endLeaf: leaf,
    });
  }
  return columns;
}

/** How many children a schema element has, and its name. */
function elementFacts(bytes: Uint8Array): { children: number; name?: string } {
  const facts: { children: number; name?: string } = { children: 0 };
  eachField({ bytes, offset: 0 }, ({ id, start, end }) => {
    if (id === ELEMENT.children) facts.children = integerOf(bytes.subarray(start, end));
    else if (id === ELEMENT.name) facts.name = textOf(bytes.subarray(start, end));
  });
  return facts;
}
