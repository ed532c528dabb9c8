import type { Annotation, ColumnChunk, LogicalField, ParquetFooter, PhysicalType } from '../../src/parquet/model.ts';

/** A leaf to build a footer from. */
export interface Stored {
  name: string;
  physicalType: PhysicalType;
  annotation?: Annotation;
  typeLength?: number;
  required?: boolean;
  fieldId?: number;
  /** One per row group. */
  chunks?: Partial<ColumnChunk>[];
}

/** A footer of flat columns, made by hand. */
export function footerOf(columns: readonly Stored[], keyValueMetadata: Record<string, string> = {}): ParquetFooter {
  const fields = columns.map((column, index): LogicalField => {
    const { name, physicalType, annotation, typeLength, fieldId } = column;
    const optional = column.required !== true;
    const level = optional ? 1 : 0;
    return {
      name,
      path: name,
      kind: 'primitive',
      optional,
      definitionLevel: level,
      repetitionLevel: 0,
      fieldId,
      children: [],
      leaf: {
        index,
        path: [name],
        physicalType,
        typeLength,
        annotation,
        maxDefinitionLevel: level,
        maxRepetitionLevel: 0,
      },
    };
  });
  const groups = Math.max(1, ...columns.map((column) => column.chunks?.length ?? 0));
  const chunk = (given: Partial<ColumnChunk> = {}): ColumnChunk => ({
    codec: 'SNAPPY',
    numValues: 10,
    totalCompressedSize: 100,
    totalUncompressedSize: 100,
    dataPageOffset: 4,
    encodings: ['PLAIN'],
    hasStatistics: Object.keys(given).length > 0,
    ...given,
  });
  return {
    url: 'memory:/f.parquet',
    fileSize: 1000,
    footerStart: 800,
    numRows: 10 * groups,
    fields,
    leaves: fields.map((field) => field.leaf!),
    rowGroups: Array.from({ length: groups }, (_, i) => ({
      numRows: 10,
      firstRow: 10 * i,
      columns: columns.map((column) => chunk(column.chunks?.[i])),
    })),
    keyValueMetadata,
  };
}

/** A parent over a hand-made leaf. */
export function group(
  name: string,
  kind: 'struct' | 'list' | 'map',
  children: LogicalField[],
  optional = true,
): LogicalField {
  return { name, path: name, kind, optional, definitionLevel: 1, repetitionLevel: 0, children };
}
