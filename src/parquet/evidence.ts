import { leavesUnder } from './logical.ts';
import type { ColumnChunk, Leaf, LogicalField, RowGroup } from './model.ts';

/**
 * How often a field is null in a row group, as far as the footer alone proves it; undefined when it does not.
 * An absent null_count proves nothing. A list leaf's null_count may or may not count empty lists and missing parents, so it decides only
 * unrepeated columns; a level histogram decides any.
 */
export function provenNulls(group: RowGroup, field: LogicalField): number | undefined {
  if (!field.optional || group.numRows === 0) return 0;
  for (const { leaf } of leavesUnder(field)) {
    const nulls = leaf && nullsByChunk(group.columns[leaf.index]!, leaf, field.definitionLevel);
    if (nulls !== undefined) return nulls;
  }
  return undefined;
}

function nullsByChunk(chunk: ColumnChunk, leaf: Leaf, definitionLevel: number): number | undefined {
  if (chunk.numValues === 0) return 0;
  const histogram = chunk.definitionLevelHistogram;
  if (histogram?.length === leaf.maxDefinitionLevel + 1) {
    const total = histogram.reduce((sum, n) => sum + n, 0);
    if (total === chunk.numValues) return histogram[definitionLevel - 1];
  }
  if (leaf.maxRepetitionLevel > 0 || chunk.nullCount === undefined) return undefined;
  // With nothing else optional above it the leaf is null exactly where the field is; no nulls at all means none at any level.
  return leaf.maxDefinitionLevel === 1 || chunk.nullCount === 0 ? chunk.nullCount : undefined;
}
