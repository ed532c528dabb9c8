import { LakegateError } from '../errors.ts';
import type { Annotation, Leaf, LogicalField } from '../parquet/model.ts';

/** A column of a table of Glue. */
export interface HiveColumn {
  /** In lower case, as Glue keeps it. */
  name: string;
  type: string;
}

/**
 * A Parquet column as Hive and Athena read it (Athena user guide, "Data types in Amazon Athena").
 * @throws LakegateError `unsupported` naming the column, for types that Athena has no name for
 */
export function hiveColumn(field: LogicalField): HiveColumn {
  return { name: field.name.toLowerCase(), type: hiveType(field) };
}

function hiveType(field: LogicalField): string {
  const [first, second] = field.children;
  switch (field.kind) {
    case 'primitive':
      return leafType(field.leaf!, field.path);
    case 'list':
      return `array<${hiveType(first!)}>`;
    case 'map':
      return `map<${hiveType(first!)},${hiveType(second!)}>`;
    case 'struct':
      return `struct<${field.children.map((child) => `${child.name.toLowerCase()}:${hiveType(child)}`).join(',')}>`;
  }
}

function leafType({ physicalType, annotation }: Leaf, path: string): string {
  if (annotation?.kind === 'decimal') return `decimal(${annotation.precision},${annotation.scale})`;
  switch (physicalType) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INT32':
      return annotation?.kind === 'date' ? 'date' : integerType(annotation, 'int', path);
    case 'INT64':
      return annotation?.kind === 'timestamp' ? 'timestamp' : integerType(annotation, 'bigint', path);
    case 'INT96':
      return 'timestamp';
    case 'FLOAT':
      return 'float';
    case 'DOUBLE':
      return 'double';
    case 'BYTE_ARRAY':
      return annotation !== undefined && ['string', 'enum', 'json'].includes(annotation.kind) ? 'string' : 'binary';
    case 'FIXED_LEN_BYTE_ARRAY':
      if (annotation === undefined || annotation.kind === 'uuid') return 'binary';
      throw unsupported(path, annotation.kind);
  }
}

function integerType(annotation: Annotation | undefined, plain: 'int' | 'bigint', path: string): string {
  if (annotation === undefined) return plain;
  if (annotation.kind !== 'integer') throw unsupported(path, annotation.kind);
  const { bits, signed } = annotation;
  if (signed) return ({ 8: 'tinyint', 16: 'smallint', 32: 'int', 64: 'bigint' } as const)[bits];
  // Without a sign a value may need the next wider type; after 64 bits there is none.
  if (bits <= 16) return 'int';
  throw unsupported(path, `integer of ${bits} bits without a sign`);
}

function unsupported(path: string, kind: string): LakegateError {
  return new LakegateError('unsupported', `column ${path}: Athena has no type for a Parquet ${kind}`, {
    context: { column: path },
  });
}
