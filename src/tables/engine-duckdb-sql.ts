import { LakegateError } from '../errors.ts';
import { pathOf } from '../storage/urls.ts';
import type { Buckets } from './check-buckets.ts';
import { type RowRange, rowsOf } from './engine-rows.ts';
import type { SplitTable } from './model.ts';

/** Types of a file's columns as DuckDB names them, by the columns' names in lower case. */
export type FileTypes = ReadonlyMap<string, { name: string; type: string }>;

/** Integers with a sign, the narrowest first. */
const INTEGERS = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'];
/** What a double holds every value of. */
const IN_DOUBLE = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'FLOAT', 'DOUBLE']);

/**
 * The type that holds the values of a column's types in all files without a loss, as `glue/split.py` has it.
 * @throws LakegateError `invalid` where there is none
 */
export function widestType(column: string, types: readonly string[]): string {
  const distinct = [...new Set(types)];
  if (distinct.length === 1) return distinct[0]!;
  if (distinct.every((type) => INTEGERS.includes(type))) {
    return INTEGERS[Math.max(...distinct.map((type) => INTEGERS.indexOf(type)))]!;
  }
  if (distinct.every((type) => IN_DOUBLE.has(type))) return 'DOUBLE';
  throw new LakegateError(
    'invalid',
    `column ${column} has types that no type holds without a loss: ${distinct.join(', ')}`,
    { context: { column } },
  );
}

/**
 * A SELECT of a table's columns from rows of files.
 * @param typesOf the types of a file
 * @param all every file of the source: they settle the type of a column, whichever of them are read here
 * @throws LakegateError as `widestType`
 */
export function selectRows(
  { columns }: SplitTable,
  ranges: readonly RowRange[],
  typesOf: (file: RowRange['file']) => FileTypes,
  all: readonly FileTypes[],
): string {
  const types = columns.map(({ source }) => {
    const own = all.flatMap((file) => file.get(source.toLowerCase())?.type ?? []);
    return widestType(source, own);
  });
  const parts = readTogether(ranges).map(({ files, where }) => {
    const fileTypes = typesOf(files[0]!);
    const list = columns.map(({ source, name }, index) => {
      const field = fileTypes.get(source.toLowerCase());
      const type = types[index]!;
      const value = field === undefined ? 'NULL' : identifier(field.name);
      return `${field?.type === type ? value : `CAST(${value} AS ${type})`} AS ${identifier(name)}`;
    });
    return `SELECT ${list.join(', ')} FROM ${readParquet(files.map(({ url }) => url))}${where}`;
  });
  if (parts.length > 0) return parts.join('\nUNION ALL ');
  const list = columns.map(({ name }, index) => `CAST(NULL AS ${types[index]!}) AS ${identifier(name)}`);
  return `SELECT ${list.join(', ')} WHERE false`;
}

/** Neighbouring files of one kind are read as one where all of their rows are; of a file that is read in part, row groups without such rows are not. */
function readTogether(ranges: readonly RowRange[]): { files: RowRange['file'][]; where: string }[] {
  const found: { files: RowRange['file'][]; where: string }[] = [];
  for (const { file, from, to } of ranges) {
    const whole = from === 0 && to === rowsOf(file);
    const last = found.at(-1);
    if (whole && last?.where === '' && last.files[0]?.kind === file.kind) last.files.push(file);
    else {
      const where = whole ? '' : ` WHERE file_row_number >= ${from} AND file_row_number < ${to}`;
      found.push({ files: [file], where });
    }
  }
  return found;
}

/** Local files as they are: paths are no patterns, their folders' names no columns, their bytes no text. */
export function readParquet(urls: readonly string[]): string {
  const paths = urls.map((url) => literal(pathOf(url, 'file').replace(/[*?[]/g, '[$&]')));
  return `read_parquet([${paths.join(', ')}], hive_partitioning = false, binary_as_string = false)`;
}

/**
 * Hive's bucket of a column, as `hiveBucket` has it, in DuckDB's SQL. Texts are folded code point by code point: one of n bytes in UTF-8 stands for n
 * steps of the hash.
 * @param type as DuckDB names it
 * @throws LakegateError `unsupported` for a type that buckets are not made of
 */
export function bucketExpression({ column, count }: Buckets, type: string): string {
  const value = identifier(column);
  const word = `${2 ** 32 - 1}`;
  const nothing = type === 'VARCHAR' ? `${value} IS NULL OR ${value} = ''` : `${value} IS NULL`;
  const hash = () => {
    if (type === 'VARCHAR') {
      const points = `list_transform(string_split(${value}, ''), lambda c: unicode(c)::BIGINT)`;
      return `list_reduce(list_prepend(0::BIGINT, ${points}), lambda h, u: (${foldPoint()}) & ${word})`;
    }
    if (type === 'BIGINT') return `xor(${value} & ${word}, (${value} >> 32) & ${word})`;
    if (INTEGERS.includes(type)) return `${value}::BIGINT & ${word}`;
    throw new LakegateError(
      'unsupported',
      `the key ${column} is ${type}: buckets are of a string or an integer. Use --bucketing ctas`,
      { context: { column } },
    );
  };
  return `CASE WHEN ${nothing} THEN 0 ELSE ((${hash()}) & ${2 ** 31 - 1}) % ${count} END`;
}

/** `31 * h + byte` for each byte of the code point `u`, bytes taken as signed. */
function foldPoint(): string {
  const tail = (shift: number) => `(((u >> ${shift}) & 63) - 128)`;
  const steps = (lead: string, shifts: readonly number[]) =>
    shifts.reduce((hash, shift) => `(${hash}) * 31 + ${tail(shift)}`, `h * 31 + ${lead}`);
  return [
    'CASE WHEN u < 128 THEN h * 31 + u',
    `WHEN u < 2048 THEN ${steps('((u >> 6) - 64)', [0])}`,
    `WHEN u < 65536 THEN ${steps('((u >> 12) - 32)', [6, 0])}`,
    `ELSE ${steps('((u >> 18) - 16)', [12, 6, 0])} END`,
  ].join(' ');
}

/** Writes what a SELECT gives as one Parquet file. */
export function copyTo(select: string, path: string): string {
  return `COPY (${select}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880, PER_THREAD_OUTPUT false)`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
