import type { Finding, FindingKind, MapEntry, SplitTable } from './model.ts';

export interface MatchOptions {
  /** The column that every table carries first, as it is called in the outputs. */
  key: string;
  /** Names in the source and what they are called in the outputs, where that is more than lower case. */
  aliases: Readonly<Record<string, string>>;
  /** Columns that a table may have, partition keys counted: 100 in a Clean Room. */
  maxColumns: number;
  /** Columns that the folders add, such as snapshot_dt. */
  partitionKeys: readonly string[];
  /** These tables alone; all of them when empty. */
  only: readonly string[];
}

/** Names that are safe as a folder and as a table of Glue. */
const TABLE_NAME = /^[A-Za-z0-9_]{1,200}$/;

/**
 * Holds a split map against the source's columns, letter case aside, and says all that is wrong at once.
 * @param source names of the source's top-level columns
 * @returns the tables in the map's order, with what of their columns the source has; and the findings
 */
export function matchSplitMap(
  entries: readonly MapEntry[],
  source: readonly string[],
  options: MatchOptions,
): { tables: SplitTable[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const report = (kind: FindingKind, fatal: boolean, message: string, at: Partial<Finding> = {}) =>
    findings.push({ kind, fatal, message, ...at });
  const known = sourceByName(source, options, report);
  checkAliases(source, options, report);
  const key = options.key.toLowerCase();
  const keySource = known.get(key);
  if (keySource === undefined) {
    report('missing_key', true, `the source has no key column \`${options.key}\`: each table has to carry it`, {
      column: options.key,
    });
  }
  const owners = new Map<string, string>();
  const tables = [...Map.groupBy(entries, ({ table }) => table)]
    .filter(([name]) => options.only.length === 0 || options.only.includes(name))
    .map(([name, own]) => {
      const mapped = tableColumns(name, own, { known, key, owners, outputName: outputNames(options), report });
      const columns = keySource === undefined ? mapped : [{ source: keySource, name: key }, ...mapped];
      checkTable({ name, columns }, mapped.length, options, report);
      return { name, columns };
    });
  checkTableNames([...new Set(entries.map(({ table }) => table))], options.only, report);
  const mappedNames = new Set(entries.map(({ column }) => outputNames(options)(column)));
  for (const [name, column] of known) {
    if (name === key || mappedNames.has(name)) continue;
    report('unmapped_column', false, `no table has the source's column \`${column}\``, { column });
  }
  return { tables, findings };
}

type Report = (kind: FindingKind, fatal: boolean, message: string, at?: Partial<Finding>) => void;

function outputNames({ aliases }: MatchOptions): (column: string) => string {
  const byLower = new Map(Object.entries(aliases).map(([from, to]) => [from.toLowerCase(), to.toLowerCase()]));
  return (column) => byLower.get(column.toLowerCase()) ?? column.toLowerCase();
}

/** The source's columns by the names they get. */
function sourceByName(source: readonly string[], options: MatchOptions, report: Report): Map<string, string> {
  const nameOf = outputNames(options);
  const known = new Map<string, string>();
  for (const column of source) {
    const name = nameOf(column);
    const other = known.get(name);
    if (other !== undefined) {
      report('same_name', true, `the source's columns \`${other}\` and \`${column}\` would both be \`${name}\``, {
        column,
      });
    } else known.set(name, column);
  }
  return known;
}

/** An alias that is of no column has done nothing: it may be misspelt, or the source's column may be called otherwise by now. */
function checkAliases(source: readonly string[], { aliases }: MatchOptions, report: Report): void {
  const present = new Set(source.map((column) => column.toLowerCase()));
  for (const [column, name] of Object.entries(aliases)) {
    if (present.has(column.toLowerCase())) continue;
    report('unknown_alias', false, `the source has no column \`${column}\`, which the aliases call \`${name}\``, {
      column,
    });
  }
}

interface TableContext {
  known: ReadonlyMap<string, string>;
  key: string;
  /** Which table has a column. */
  owners: Map<string, string>;
  outputName: (column: string) => string;
  report: Report;
}

/** A table's columns but for the key. */
function tableColumns(
  table: string,
  entries: readonly MapEntry[],
  { known, key, owners, outputName, report }: TableContext,
): { source: string; name: string }[] {
  const seen = new Map<string, number>();
  const columns: { source: string; name: string }[] = [];
  for (const { column, line } of entries) {
    const name = outputName(column);
    const at = { table, column, line };
    const before = seen.get(name);
    if (before !== undefined) {
      report('duplicate', false, `line ${line}: ${table} has \`${column}\` already, in line ${before}`, at);
      continue;
    }
    seen.set(name, line);
    if (name === key) continue;
    const owner = owners.get(name);
    if (owner !== undefined) {
      report('shared_column', false, `line ${line}: \`${column}\` is in ${owner} and in ${table}`, at);
    } else owners.set(name, table);
    const source = known.get(name);
    if (source === undefined) {
      report('missing_column', false, `line ${line}: the source has no column \`${column}\` for ${table}`, at);
    } else columns.push({ source, name });
  }
  if (!seen.has(key)) {
    report('no_key', false, `${table} does not list the key \`${key}\`; it is put first all the same`, { table });
  }
  return columns;
}

function checkTable({ name, columns }: SplitTable, mapped: number, options: MatchOptions, report: Report): void {
  if (mapped === 0) report('empty_table', true, `${name} would have no column but the key`, { table: name });
  const width = columns.length + options.partitionKeys.length;
  if (width > options.maxColumns) {
    const keys = options.partitionKeys.map((key) => `\`${key}\``).join(', ');
    report(
      'too_wide',
      false,
      `${name} has ${columns.length} columns and ${keys}, ${width} in all: more than ${options.maxColumns}`,
      { table: name },
    );
  }
  for (const key of options.partitionKeys) {
    if (!columns.some((column) => column.name === key)) continue;
    report('same_name', true, `${name} has a column \`${key}\`, which is the name of its partitions`, { table: name });
  }
}

function checkTableNames(names: readonly string[], only: readonly string[], report: Report): void {
  const byLower = new Map<string, string>();
  for (const name of names) {
    if (!TABLE_NAME.test(name) || name.toLowerCase() === 'metadata' || name.startsWith('_')) {
      report(
        'bad_name',
        true,
        `${JSON.stringify(name)} cannot be a table: expected letters, digits and underscores, not metadata`,
        {
          table: name,
        },
      );
    }
    const other = byLower.get(name.toLowerCase());
    if (other !== undefined) {
      report('bad_name', true, `the tables ${other} and ${name} differ in letter case alone`, { table: name });
    }
    byLower.set(name.toLowerCase(), name);
  }
  for (const name of only) {
    if (!names.includes(name)) report('unknown_table', true, `the split map has no table ${name}`, { table: name });
  }
}
