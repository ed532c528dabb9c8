import { didYouMean } from '../config/did-you-mean.ts';
import type { LakeConfig, TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { autoTable, route } from '../gate/route.ts';

/**
 * The table a file on the command line is meant for.
 * @param file the file's URL
 * @param name `--table`: `namespace.table`, or the table's name alone where that is not ambiguous
 * @throws LakegateError `usage` when it cannot be told
 */
export function chooseTable(config: LakeConfig, file: string, name: string | undefined): TableConfig {
  if (name !== undefined) return namedTable(config, name);
  const routed = route(config, file);
  if (routed.kind === 'table') return routed.table;
  if (config.autoTables) return autoTable(config, tableNameOf(file));
  const [only, ...others] = config.tables;
  if (only && others.length === 0) return only;
  throw new LakegateError('usage', `which table is ${file} for? Say --table NAME, one of: ${names(config)}`);
}

/** @throws LakegateError `usage` when there is no such table, or several */
export function namedTable(config: LakeConfig, name: string): TableConfig {
  const matches = config.tables.filter((table) => table.name === name || table.name.endsWith(`.${name}`));
  if (matches.length === 1) return matches[0]!;
  if (matches.length > 1) {
    throw new LakegateError(
      'usage',
      `table ${JSON.stringify(name)} could be any of ${matches.map((table) => table.name).join(', ')}`,
    );
  }
  if (config.autoTables) {
    const { namespace } = config.autoTables;
    const own = name.startsWith(`${namespace}.`) ? name.slice(namespace.length + 1) : name;
    if (/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(own)) return autoTable(config, own);
    throw new LakegateError(
      'usage',
      `${JSON.stringify(name)} is no table name: expected letters, digits and _, as in ${namespace}.orders`,
    );
  }
  const known = config.tables.map((table) => table.name);
  throw new LakegateError(
    'usage',
    `lake.yaml has no table ${JSON.stringify(name)}; it has: ${names(config)}.${didYouMean(name, known)} Say which by --table NAME`,
  );
}

function names(config: LakeConfig): string {
  return config.tables.map((table) => table.name).join(', ') || 'none';
}

/** `Daily Orders.2026.parquet` → `daily_orders_2026`: the file's name without what tells the format. */
function tableNameOf(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1);
  const stem = base.replace(/(\.(parquet|csv|tsv|jsonl?|ndjson|gz|zst))+$/i, '');
  const name = stem
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return /^[a-z_]/.test(name) ? name : `t_${name}`;
}
