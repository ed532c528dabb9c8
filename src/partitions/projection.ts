import { isDate } from './value-type.ts';

/**
 * The statement that makes Athena work out a table's partitions by itself, where that fits: one key of whole days in ISO form, a folder each. It
 * then needs nobody to register them; engines that do not know of projection (Spark, Redshift Spectrum) see none any more.
 * @param folders the table's partitions
 * @returns undefined where it does not fit, or where a name or the place would have to be escaped
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
  // What Athena's DDL would take for the end of a text, or the projection for a key of its own.
  if (/['"`\\$\p{C}\p{Zl}\p{Zp}]/u.test([table.database, table.name, key.name, location, before].join('')))
    return undefined;
  const oldest = folders.reduce((first, { values: [day = ''] }) => (day < first ? day : first), folders[0]!.values[0]!);
  const properties: [string, string][] = [
    ['projection.enabled', 'true'],
    [`projection.${key.name}.type`, 'date'],
    [`projection.${key.name}.format`, 'yyyy-MM-dd'],
    [`projection.${key.name}.range`, `${oldest},NOW`],
    ['storage.location.template', `${location}${before}\${${key.name}}/`],
  ];
  const pairs = properties.map(([name, value]) => `'${name}' = '${value}'`).join(', ');
  return `ALTER TABLE \`${table.database}\`.\`${table.name}\` SET TBLPROPERTIES (${pairs});`;
}

/** So many days in a row of folders are no accident. */
const FEWEST = 7;
