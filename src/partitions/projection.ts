import { isDate } from './value-type.ts';

/**
 * The statement that makes Athena work out a table's partitions by itself, where that fits: one key of whole days in ISO form, a folder each. It
 * then needs nobody to register them; engines that do not know of projection (Spark, Redshift Spectrum) see none any more.
 * @param values the table's partitions
 */
export function projectionStatement(
  table: { database: string; name: string; keys: readonly { name: string; type: string }[] },
  location: string,
  folders: readonly { values: readonly string[]; prefix: string }[],
): string | undefined {
  const [key, ...more] = table.keys;
  if (key === undefined || more.length > 0 || folders.length < FEWEST || !/^(date|string)$/.test(key.type))
    return undefined;
  const before = /^([^0-9]*)\d{4}-\d{2}-\d{2}\/$/.exec(folders[0]!.prefix)?.[1];
  const fits = folders.every(({ values: [day = ''], prefix }) => isDate(day) && prefix === `${before}${day}/`);
  if (!fits) return undefined;
  const oldest = folders.reduce((first, { values: [day = ''] }) => (day < first ? day : first), folders[0]!.values[0]!);
  const properties: [string, string][] = [
    ['projection.enabled', 'true'],
    [`projection.${key.name}.type`, 'date'],
    [`projection.${key.name}.format`, 'yyyy-MM-dd'],
    [`projection.${key.name}.range`, `${oldest},NOW`],
    ['storage.location.template', `${location}${before}\${${key.name}}/`],
  ];
  const pairs = properties.map(([name, value]) => `${quoted(name)} = ${quoted(value)}`).join(', ');
  return `ALTER TABLE ${identifier(table.database)}.${identifier(table.name)} SET TBLPROPERTIES (${pairs});`;
}

/** So many days in a row of folders are no accident. */
const FEWEST = 7;

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** As Athena's DDL, which is Hive's, quotes names. */
function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
