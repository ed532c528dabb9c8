import { checkRuleColumns, checkRules, type Partially } from './check-rules.ts';
import { columnType, transformFault } from './column-type.ts';
import { didYouMean } from './did-you-mean.ts';
import type { YamlPath } from './fault.ts';
import { parsePartitionField } from './partition-field.ts';
import type { LakeYaml } from './schema.ts';
import { found, type PathFault } from './shape-faults.ts';

export type DefaultsYaml = Partially<NonNullable<LakeYaml['defaults']>>;
/** A table's settings, listed or automatic. */
export type TableYaml = Partially<Omit<NonNullable<LakeYaml['tables']>[string], 'from'>>;

/**
 * What is wrong with one table although each value by itself is fine: settings that exclude each other, partition fields and rules on
 * columns that are not declared.
 * @param name how messages call the table
 */
export function checkTable(name: string, table: TableYaml, path: YamlPath, defaults: DefaultsYaml): PathFault[] {
  const faults: PathFault[] = [];
  const report = (at: YamlPath, message: string) => faults.push({ path: [...path, ...at], part: 'value', message });

  const format = table.format ?? defaults.format;
  const ingest = table.ingest ?? defaults.ingest;
  if (ingest === 'register' && (format === 'csv' || format === 'jsonl')) {
    report(
      [table.ingest === undefined ? 'format' : 'ingest'],
      `expected \`ingest: copy\` for ${format}: only Parquet files can be registered where they lie`,
    );
  }
  if (table.mode === 'overwrite_partitions' && (table.partition_by ?? []).length === 0) {
    report(
      ['mode'],
      'expected `partition_by` along with overwrite_partitions: without partitions there is none to replace. Use overwrite for the whole table',
    );
  }
  faults.push(...checkCsv(table.csv, [...path, 'csv']), ...checkPartitionFields(name, table, path));

  const declared = table.columns === undefined ? undefined : Object.keys(table.columns);
  if (declared?.length === 0)
    report(['columns'], 'expected at least one column; leave `columns` out to take them from the first file');
  if (table.rules !== undefined) faults.push(...checkRules(table.rules, [...path, 'rules']));
  // A table that takes new columns may have some that nobody declared.
  const policy = table.schema ?? defaults.schema;
  if (declared !== undefined && declared.length > 0 && policy !== 'add_columns') {
    const [rules, place] =
      table.rules !== undefined ? [table.rules, [...path, 'rules']] : [defaults.rules ?? [], ['defaults', 'rules']];
    faults.push(...checkRuleColumns(rules, place, declared, name));
  }
  return faults;
}

/** Faults of `csv:` as a whole. */
export function checkCsv(csv: DefaultsYaml['csv'], path: YamlPath): PathFault[] {
  if (csv?.delimiter === undefined || csv.delimiter !== (csv.quote ?? '"')) return [];
  const message = `expected a delimiter other than the quote, ${found(csv.delimiter)} for both`;
  return [{ path: [...path, 'delimiter'], part: 'value', message }];
}

function checkPartitionFields(name: string, table: TableYaml, path: YamlPath): PathFault[] {
  const faults: PathFault[] = [];
  const declared = table.columns;
  const seen = new Set<string>();
  for (const [i, entry] of (table.partition_by ?? []).entries()) {
    const text = typeof entry === 'string' ? entry : entry?.field;
    const at = [...path, 'partition_by', i, ...(typeof entry === 'string' ? [] : ['field'])];
    const report = (message: string) => faults.push({ path: at, part: 'value', message });
    const field = text === undefined ? undefined : parsePartitionField(text);
    if (field === undefined || 'fault' in field) continue;
    const key = `${field.column}\0${field.transform.replace(/\[.*/, '')}`;
    if (seen.has(key)) report(`expected each partition field once, found ${text} again`);
    seen.add(key);
    if (declared === undefined || Object.keys(declared).length === 0) continue;
    const column = Object.hasOwn(declared, field.column) ? declared[field.column] : undefined;
    const typeName = typeof column === 'string' ? column : column?.type;
    const type = typeName === undefined ? undefined : columnType(typeName);
    if (!Object.hasOwn(declared, field.column)) {
      const names = Object.keys(declared);
      report(
        `expected a column that ${name} declares, ${found(field.column)}.${didYouMean(field.column, names) || ` It declares ${names.join(', ')}`}`,
      );
    } else if (typeof type === 'string') {
      const fault = transformFault(field.transform, type);
      if (fault !== undefined) report(`${field.column}: ${fault}`);
    }
  }
  return faults;
}
