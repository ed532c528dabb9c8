import type { Table } from '@aws-sdk/client-glue';
import { LakegateError } from '../errors.ts';
import type { LoadedTable, TableIdentifier } from './catalog.ts';
import { glueFault } from './glue-fault.ts';
import { kindOf } from './glue-table.ts';
import { formatIdentifier } from './identifier.ts';

/** What the Glue catalogue refuses by itself, beside what the service refuses (glue-fault.ts). */

/** There is an entry of the name, and it is no Iceberg table: lakegate neither reads nor replaces it. */
export function notIceberg(table: TableIdentifier, catalog: string, content: Table): LakegateError {
  return new LakegateError(
    'unsupported',
    `${formatIdentifier(table)} in the catalogue ${catalog} is ${kindOf(content)}, expected an Iceberg table. Choose another name, or make it one (CTAS in Athena).`,
    { context: { table: formatIdentifier(table), catalog } },
  );
}

export function missingTable(table: TableIdentifier, catalog: string): LakegateError {
  return new LakegateError(
    'not_found',
    `There is no table ${formatIdentifier(table)} in the catalogue ${catalog}. \`lakegate table list\` shows those there are.`,
    { context: { table: formatIdentifier(table), catalog } },
  );
}

export function tableExists(table: TableIdentifier, catalog: string, cause: unknown): LakegateError {
  return new LakegateError(
    'exists',
    `Cannot create ${formatIdentifier(table)}: the catalogue ${catalog} already has a table or view of this name. Load it, or choose another name.`,
    { context: { table: formatIdentifier(table), catalog }, cause },
  );
}

export function noPlace(table: TableIdentifier, catalog: string): LakegateError {
  return new LakegateError(
    'config',
    `Table ${formatIdentifier(table)}: its database has no location and the catalogue ${catalog} no warehouse, so there is no place for it. Set "warehouse", or give the table a location.`,
    { context: { table: formatIdentifier(table), catalog } },
  );
}

/** @param current where the table is now, if that is known */
export function movedOn(
  base: LoadedTable,
  catalog: string,
  current: string | undefined,
  cause?: unknown,
): LakegateError {
  const table = formatIdentifier(base.identifier);
  const found = current === undefined ? 'it was changed or dropped meanwhile' : `found ${current}`;
  return new LakegateError(
    'conflict',
    `Cannot commit to ${table} in the catalogue ${catalog}: somebody else was first. Expected the table at ${base.metadataLocation}, ${found}. Reload it and try again.`,
    { context: { table, expected: base.metadataLocation, found: current }, cause },
  );
}

/** A write whose answer was lost, and that nobody could look up. */
export function unknownOutcome(table: string, catalog: string, cause: unknown): LakegateError {
  const said = cause instanceof LakegateError ? cause.message : glueFault(cause, `change ${table}`, catalog).message;
  return new LakegateError(
    'unknown_outcome',
    `Nobody can say whether the change of ${table} in the catalogue ${catalog} took place. Reload it and compare. ${said}`,
    { context: { table, catalog }, cause },
  );
}
