import type { CatalogAuth } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import type { TableIdentifier } from './catalog.ts';
import { formatIdentifier } from './identifier.ts';

/** S3 user guide, "Naming rules for tables and namespaces". */
const S3_TABLES_NAME = /^[a-z0-9][a-z0-9_]{0,254}$/;

/** What a kind of server can hold, as far as it is known before it is asked. */
export interface NameRules {
  /** Whether a namespace can lie in another. */
  nested: boolean;
  /** Whether new tables lie where the server puts them, and nowhere else. */
  serverChoosesLocation: boolean;
  /** Why no table can have this name here; undefined: it can. */
  fault(table: TableIdentifier): string | undefined;
}

/** The rules of the server behind a way of signing: S3 Tables and Glue have theirs, of others nothing is known. */
export function nameRules(auth: CatalogAuth): NameRules {
  const service = auth.kind === 'sigv4' ? auth.service : undefined;
  if (service === 's3tables') return { nested: false, serverChoosesLocation: true, fault: faultInS3Tables };
  if (service === 'glue') return { nested: false, serverChoosesLocation: false, fault: moreLevels };
  return { nested: true, serverChoosesLocation: false, fault: noPath };
}

/** @throws LakegateError `invalid` */
export function checkName(table: TableIdentifier, rules: NameRules, catalog: string): void {
  const fault = rules.fault(table);
  if (fault === undefined) return;
  const name = formatIdentifier(table);
  throw new LakegateError('invalid', `The catalogue ${catalog} cannot have a table ${JSON.stringify(name)}: ${fault}`, {
    context: { table: name, catalog },
  });
}

/** Parts that no path can carry, encoded or not: a URL with them names something else. */
function noPath(table: TableIdentifier): string | undefined {
  const odd = [...table.namespace, table.name].find((part) => /^\.{0,2}$/.test(part));
  if (odd !== undefined) return `${JSON.stringify(odd)} is no name.`;
  return table.namespace.length === 0 ? 'it has no namespace. Write namespace.table.' : undefined;
}

function faultInS3Tables(table: TableIdentifier): string | undefined {
  const odd = [...table.namespace, table.name].find((part) => !S3_TABLES_NAME.test(part));
  if (odd === undefined) return moreLevels(table);
  return `S3 Tables takes names of 1 to 255 lower case letters, digits and underscores, beginning with a letter or digit, found ${JSON.stringify(odd.slice(0, 100))}.`;
}

function moreLevels(table: TableIdentifier): string | undefined {
  if (table.namespace.length === 1) return noPath(table);
  return `its namespaces have one level, found ${table.namespace.length}. Write namespace.table.`;
}
