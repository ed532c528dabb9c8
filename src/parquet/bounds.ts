import type { AuditValue } from '../rules/rule.ts';
import { auditForm, type RowValue, rowForm } from './convert.ts';
import type { Leaf, ParquetFooter, PhysicalType } from './model.ts';

const WIDTHS: Partial<Record<PhysicalType, number>> = { BOOLEAN: 1, INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };

/** Bounds of a column: `lower` ≤ every value ≤ `upper`; where `exact`, both are values of the column. */
export interface Bounds {
  lower: AuditValue;
  upper: AuditValue;
  exact: boolean;
}

/**
 * A leaf's smallest and largest value by the footer's statistics (`min_value` and `max_value`), in the form of `readValues`. Undefined when any
 * row group with values lacks them, for types without an order that statistics follow (INT96, interval, geometry), for text cut inside a
 * character, and for floating point: statistics leave NaN out, so they cannot say that every value lies between them.
 */
export function statisticsBounds(footer: ParquetFooter, leaf: Leaf): Bounds | undefined {
  if (!ordered(leaf)) return undefined;
  const form = rowForm(leaf);
  let lower: Bound | undefined;
  let upper: Bound | undefined;
  let exact = true;
  for (const { columns } of footer.rowGroups) {
    const chunk = columns[leaf.index]!;
    if (chunk.numValues === 0 || chunk.nullCount === chunk.numValues) continue;
    const min = boundOf(leaf, chunk.minValue, form);
    const max = boundOf(leaf, chunk.maxValue, form);
    if (min === undefined || max === undefined || compare(max, min) < 0) return undefined;
    // Only text and bytes are ever shortened; a writer that does not say may have.
    const shortens = leaf.physicalType === 'BYTE_ARRAY' || leaf.physicalType === 'FIXED_LEN_BYTE_ARRAY';
    const assumed = !shortens || leaf.annotation?.kind === 'decimal' || leaf.annotation?.kind === 'uuid';
    exact &&= (chunk.minExact ?? assumed) && (chunk.maxExact ?? assumed);
    if (lower === undefined || compare(min, lower) < 0) lower = min;
    if (upper === undefined || compare(max, upper) > 0) upper = max;
  }
  if (lower === undefined || upper === undefined) return undefined;
  const audit = auditForm(leaf);
  return { lower: audit(lower.value), upper: audit(upper.value), exact };
}

interface Bound {
  value: RowValue;
  bytes: Uint8Array;
}

function ordered({ physicalType, annotation }: Leaf): boolean {
  if (physicalType === 'INT96' || physicalType === 'FLOAT' || physicalType === 'DOUBLE') return false;
  const kind = annotation?.kind;
  return kind !== 'float16' && kind !== 'interval' && kind !== 'geometry' && kind !== 'geography' && kind !== 'null';
}

function boundOf(leaf: Leaf, bytes: Uint8Array | undefined, form: (stored: unknown) => RowValue): Bound | undefined {
  const width = WIDTHS[leaf.physicalType];
  if (bytes === undefined || (width !== undefined && bytes.length !== width)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stored = (): unknown => {
    switch (leaf.physicalType) {
      case 'BOOLEAN':
        return bytes[0] !== 0;
      case 'INT32':
        return view.getInt32(0, true);
      case 'INT64':
        return view.getBigInt64(0, true);
      default:
        return bytes;
    }
  };
  try {
    return { value: form(stored()), bytes };
  } catch {
    // Text cut inside a character is no text: these statistics say nothing that can be shown.
    return undefined;
  }
}

/** By value; text and bytes by their bytes, which is the order statistics follow. */
function compare(a: Bound, b: Bound): number {
  if (typeof a.value === 'string' || a.value instanceof Uint8Array) return Buffer.compare(a.bytes, b.bytes);
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}
