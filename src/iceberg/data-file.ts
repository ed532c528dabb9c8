import type { ParquetFooter } from '../parquet/model.ts';
import { sameInEveryOrder, serializeValue, truncateLower, truncateUpper } from './bounds.ts';
import { columnBounds, columnNullCounts } from './file-bounds.ts';
import type { DataFile, PrimitiveType, Schema, Value } from './model.ts';
import { allFields } from './schema.ts';

/** How much of a column's metrics a manifest keeps (table property `write.metadata.metrics.default` and `….column.<name>`). */
export type MetricsMode =
  | { kind: 'none' }
  | { kind: 'counts' }
  | { kind: 'truncate'; length: number }
  | { kind: 'full' };

const DEFAULT_MODE: MetricsMode = { kind: 'truncate', length: 16 };

/** A metrics mode from its text; undefined when it is none. */
export function parseMetricsMode(text: string): MetricsMode | undefined {
  const word = text.trim().toLowerCase();
  if (word === 'none' || word === 'counts' || word === 'full') return { kind: word };
  const length = Number(/^truncate\((\d{1,9})\)$/.exec(word)?.[1] ?? 0);
  return length > 0 ? { kind: 'truncate', length } : undefined;
}

/** A column's metrics mode. A mode that is none falls back to the default, as in Iceberg Java: a slip there must not stop deliveries. */
function metricsMode(properties: Readonly<Record<string, string>>, column: string): MetricsMode {
  const own = properties[`write.metadata.metrics.column.${column}`];
  const all = properties['write.metadata.metrics.default'];
  const parsed = (text: string | undefined) => (text === undefined ? undefined : parseMetricsMode(text));
  return parsed(own) ?? parsed(all) ?? DEFAULT_MODE;
}

/**
 * A Parquet file as a manifest entry describes it, from its footer alone. The metrics are those of PyIceberg's `add_files`, but where
 * that writes something wrong or unproven it is left out or put right: null counts that some row group lacks; counts of list elements
 * that include empty lists; bounds when a row group with values has none, or when they are NaN, WKB or of a column that must be
 * rewritten; a zero whose sign the file leaves open; shortened text cut within a character; bounds of uuids that readers order differently.
 * @param filePath the file's location, exactly as readers are to open it
 * @param fieldOfLeaf from `matchSchema` with the schema the file is committed under
 * @param partition values in the order of the table's default spec
 * @param metricsProperties the table's properties
 */
export function dataFileFromFooter(input: {
  footer: ParquetFooter;
  filePath: string;
  schema: Schema;
  fieldOfLeaf: ReadonlyMap<number, number>;
  partition: readonly (Value | undefined)[];
  metricsProperties: Readonly<Record<string, string>>;
}): DataFile {
  const { footer, schema, fieldOfLeaf } = input;
  const columnSizes = new Map<number, number>();
  const valueCounts = new Map<number, number>();
  const nullValueCounts = new Map<number, number>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  const nulls = columnNullCounts(footer, fieldOfLeaf);
  const bounds = columnBounds(footer, schema, fieldOfLeaf);
  const places = new Map(allFields(schema).map((entry) => [entry.field.id, entry]));
  for (const [leaf, id] of fieldOfLeaf) {
    const place = places.get(id);
    if (place === undefined || typeof place.field.type !== 'string') continue;
    const chunks = footer.rowGroups.map((group) => group.columns[leaf]!);
    columnSizes.set(id, total(chunks.map((chunk) => chunk.totalCompressedSize)));
    const mode = metricsMode(input.metricsProperties, place.name);
    if (mode.kind === 'none') continue;
    valueCounts.set(id, total(chunks.map((chunk) => chunk.numValues)));
    const nullCount = nulls.get(id);
    if (nullCount !== undefined) nullValueCounts.set(id, nullCount);
    const range = bounds.get(id);
    if (mode.kind === 'counts' || place.path.length > 1 || range === undefined) continue;
    if (!sameInEveryOrder(place.field.type, range.lower, range.upper)) continue;
    const shortened = shorten(place.field.type, range, mode);
    lowerBounds.set(id, serializeValue(place.field.type, shortened.lower));
    if (shortened.upper !== undefined) upperBounds.set(id, serializeValue(place.field.type, shortened.upper));
  }
  return {
    content: 'data',
    filePath: input.filePath,
    fileFormat: 'PARQUET',
    partition: [...input.partition],
    recordCount: footer.numRows,
    fileSizeInBytes: footer.fileSize,
    columnSizes,
    valueCounts,
    nullValueCounts,
    nanValueCounts: new Map(),
    lowerBounds,
    upperBounds,
    splitOffsets: splitOffsets(footer),
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function shorten(
  type: PrimitiveType,
  { lower, upper }: { lower: Value; upper: Value },
  mode: MetricsMode,
): { lower: Value; upper: Value | undefined } {
  if (mode.kind !== 'truncate' || (type !== 'string' && type !== 'binary')) return { lower, upper };
  return { lower: truncateLower(lower, mode.length), upper: truncateUpper(upper, mode.length) };
}

/** Where each row group starts, ascending: readers may share the file out between them there. */
function splitOffsets(footer: ParquetFooter): number[] {
  return footer.rowGroups
    .flatMap((group) => {
      const first = group.columns[0];
      return first === undefined ? [] : [Math.min(first.dataPageOffset, first.dictionaryPageOffset ?? Infinity)];
    })
    .sort((a, b) => a - b);
}
