import { LakegateError } from '../errors.ts';
import type { IcebergType, NestedField, Schema } from '../iceberg/model.ts';
import type { MappedField } from '../iceberg/name-mapping.ts';
import { childFields, formatType } from '../iceberg/types.ts';
import { type FlatColumn, isFlat } from '../parquet/flat-column.ts';
import type { LogicalField, ParquetFooter } from '../parquet/model.ts';
import type { ColumnBatch } from '../parquet/rows.ts';
import { collectBadValues } from './bad-values.ts';
import { nullColumn } from './column-builder.ts';
import type { Misfit } from './convert-json.ts';
import { flatConverter } from './flat-convert.ts';
import { parquetConverter } from './parquet-value.ts';
import type { Column, MapEntry, RowBatch, RowValue, StructValue } from './row-batch.ts';

type ValueReader = (value: unknown, misfit: Misfit) => RowValue;

/**
 * The rows of a Parquet file as values of the table's columns. Columns are matched by field id where the file has ids, else by name, older names
 * included; optional columns that it lacks are null. As in `textRows`, every row is checked, and from the first bad value on no more rows are given.
 * @param decoded the file's rows in order, all columns, as `readRows` gives them: flat columns are converted as a whole and stay flat
 * @param nameMapping the table's `schema.name-mapping.default`, as `matchSchema` takes it
 * @throws LakegateError `invalid` for columns that the table lacks, whose types do not go together or that are required and not there; and at the end,
 *   for values that their column cannot hold exactly (context `{url, count, first}`)
 */
export async function* parquetRows(
  footer: ParquetFooter,
  decoded: AsyncIterable<ColumnBatch>,
  schema: Schema,
  nameMapping: readonly MappedField[] = [],
): AsyncGenerator<RowBatch> {
  const bad = collectBadValues(footer.url);
  const { url } = footer;
  const columns = matchFields(footer.fields, schema.fields, nameMapping, '', url).map(({ field, source }) => ({
    field,
    source: source?.name,
    read: valueReader(source, field, nameMapping, field.name, url),
    readFlat: flatReader(source, field),
  }));
  for await (const batch of decoded) {
    const misfitAt =
      (index: number): Misfit =>
      (path, value, expected) =>
        bad.add({ row: batch.firstRow + index }, path, value, expected);
    const values = columns.map(({ field, source, read, readFlat }): Column => {
      const column = source === undefined ? undefined : batch.columns[source];
      if (column === undefined && !field.required && typeof field.type === 'string') {
        return nullColumn(field.type, batch.rows);
      }
      if (column !== undefined && isFlat(column)) return readFlat(column, misfitAt);
      return Array.from({ length: batch.rows }, (_, index) => read(column?.[index], misfitAt(index)));
    });
    if (bad.count === 0) yield { firstRow: batch.firstRow, rows: batch.rows, columns: values };
  }
  bad.refuse();
}

/** Reads whole columns; only of a field that `valueReader` took, so that there is a conversion. */
function flatReader(
  source: LogicalField | undefined,
  field: NestedField,
): (column: FlatColumn, misfitAt: (index: number) => Misfit) => FlatColumn {
  const { type, name, required } = field;
  const convert = typeof type === 'string' && source?.leaf !== undefined ? flatConverter(source.leaf, type) : undefined;
  return (column, misfitAt) => {
    if (convert === undefined) throw new LakegateError('internal', `Column "${name}" cannot be read as a flat one.`);
    const expected = formatType(type);
    if (required && column.present !== undefined) {
      for (const [row, present] of column.present.entries()) {
        if (present === 0) misfitAt(row)(name, null, `${expected} (required)`);
      }
    }
    return convert(column, (row, value) => misfitAt(row)(name, value, `${expected}, without losing anything`));
  };
}

function matchFields(
  sources: readonly LogicalField[],
  fields: readonly NestedField[],
  mapping: readonly MappedField[],
  parent: string,
  url: string,
): { field: NestedField; source: LogicalField | undefined }[] {
  const byId = sources.some((source) => source.fieldId !== undefined);
  const idOf = (source: LogicalField): number | undefined => {
    if (byId) return source.fieldId;
    const mapped = mapping.find((entry) => entry.names.includes(source.name))?.fieldId;
    const known = fields.find((field) => field.id === mapped) ?? fields.find((field) => field.name === source.name);
    return known?.id;
  };
  const matched = fields.map((field) => ({ field, source: sources.find((source) => idOf(source) === field.id) }));
  const used = new Set(matched.map(({ source }) => source));
  const extra = sources.filter((source) => !used.has(source));
  const missing = matched.filter(({ field, source }) => source === undefined && field.required);
  if (extra.length > 0 || missing.length > 0) {
    const faults = [
      ...extra.map((source) => `column "${parent}${source.name}" is not in the table`),
      ...missing.map(
        ({ field }) => `required column "${parent}${field.name}" (${formatType(field.type)}) is not in the file`,
      ),
    ];
    throw new LakegateError(
      'invalid',
      `${url}: ${faults.join('; ')}. Add the columns to the table, or correct the file.`,
      {
        context: {
          url,
          unknown: extra.map((source) => source.path),
          missing: missing.map(({ field }) => `${parent}${field.name}`),
        },
      },
    );
  }
  return matched;
}

function valueReader(
  source: LogicalField | undefined,
  field: NestedField,
  mapping: readonly MappedField[],
  path: string,
  url: string,
): ValueReader {
  if (source === undefined) return () => undefined;
  const below = mapping.find((entry) => entry.fieldId === field.id)?.fields ?? [];
  const present = presentReader(source, field.type, below, path, url);
  return (value, misfit) => {
    if (value !== null && value !== undefined) return present(value, misfit);
    if (field.required) misfit(path, null, `${formatType(field.type)} (required)`);
    return undefined;
  };
}

function presentReader(
  source: LogicalField,
  type: IcebergType,
  mapping: readonly MappedField[],
  path: string,
  url: string,
): ValueReader {
  if (typeof type === 'string') {
    const convert = source.leaf === undefined ? undefined : parquetConverter(source.leaf, type);
    if (convert === undefined) throw mismatch(source, type, path, url);
    return (value, misfit) => {
      const converted = convert(value);
      if (converted === undefined) misfit(path, value, `${type}, without losing anything`);
      return converted;
    };
  }
  if (source.kind !== type.type) throw mismatch(source, type, path, url);
  const children = childFields(type);
  if (type.type === 'struct') {
    const readers = matchFields(source.children, children, mapping, `${path}.`, url).map((match) => ({
      name: match.field.name,
      source: match.source?.name,
      read: valueReader(match.source, match.field, mapping, `${path}.${match.field.name}`, url),
    }));
    return (value, misfit) => {
      const object = value as Readonly<Record<string, unknown>>;
      const struct: StructValue = Object.create(null);
      for (const reader of readers) {
        const has = reader.source !== undefined && Object.hasOwn(object, reader.source);
        struct[reader.name] = reader.read(has ? object[reader.source ?? ''] : undefined, misfit);
      }
      return struct;
    };
  }
  const readers = children.map((child, index) =>
    valueReader(source.children[index], child, mapping, `${path}.${child.name}`, url),
  );
  const [first = () => undefined, second = () => undefined] = readers;
  if (type.type === 'list') {
    return (value, misfit) => Array.from(value as ArrayLike<unknown>, (item) => first(item, misfit));
  }
  return (value, misfit): MapEntry[] =>
    (value as [unknown, unknown][]).map(([key, item]) => ({ key: first(key, misfit), value: second(item, misfit) }));
}

function mismatch(source: LogicalField, type: IcebergType, path: string, url: string): LakegateError {
  const { leaf } = source;
  const found =
    leaf === undefined
      ? source.kind
      : `${leaf.physicalType}${leaf.annotation === undefined ? '' : ` (${describeAnnotation(leaf.annotation)})`}`;
  return new LakegateError(
    'invalid',
    `${url}: column "${path}": expected ${formatType(type)}, found Parquet ${found}, which is no such type. Correct the file, or change the column's type.`,
    { context: { url, column: path, expected: formatType(type), found } },
  );
}

function describeAnnotation(annotation: NonNullable<LogicalField['leaf']>['annotation'] & object): string {
  const { kind, ...details } = annotation;
  return [kind, ...Object.entries(details).map(([name, value]) => `${name} ${value}`)].join(', ');
}
