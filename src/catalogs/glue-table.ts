import type { Column, Table, TableInput } from '@aws-sdk/client-glue';
import { LakegateError } from '../errors.ts';
import type { IcebergType, NestedField, PrimitiveType, TableMetadata } from '../iceberg/model.ts';
import type { TableIdentifier } from './catalog.ts';
import { checkIdentifier, formatIdentifier } from './identifier.ts';

/** A Glue table as Iceberg's catalogues for Glue write it (Iceberg Java: GlueTableOperations, IcebergToGlueConverter). */

const TABLE_TYPE = 'table_type';
const METADATA_LOCATION = 'metadata_location';
const PREVIOUS_METADATA_LOCATION = 'previous_metadata_location';

/** Glue's bounds (API reference, "Column"): a comment's characters. */
const LONGEST_COMMENT = 255;

/** Parts of a table that are no pointer to Iceberg metadata, and that UpdateTable would drop if they were not sent again. */
const OTHERS_PARTS = [
  'Description',
  'Owner',
  'LastAccessTime',
  'LastAnalyzedTime',
  'Retention',
  'PartitionKeys',
  'ViewOriginalText',
  'ViewExpandedText',
] as const satisfies readonly (keyof TableInput & keyof Table)[];

/** Where an Iceberg table's metadata is; undefined when the entry is something else: a Hive table, a view, a link to another account's table. */
export function metadataLocationOf(table: Table): string | undefined {
  if (table.TargetTable !== undefined && table.TargetTable !== null) return undefined;
  if (table.Parameters?.[TABLE_TYPE]?.toUpperCase() !== 'ICEBERG') return undefined;
  return table.Parameters[METADATA_LOCATION] || undefined;
}

/** What an entry is, for a person who expected an Iceberg table. */
export function kindOf(table: Table): string {
  if (table.TargetTable !== undefined && table.TargetTable !== null) {
    return `a link to ${table.TargetTable.DatabaseName}.${table.TargetTable.Name} of the catalogue ${table.TargetTable.CatalogId}`;
  }
  if (table.TableType?.toUpperCase().includes('VIEW')) return 'a view';
  const type = table.Parameters?.[TABLE_TYPE];
  if (type?.toUpperCase() === 'ICEBERG') return 'an Iceberg table without a metadata_location';
  return type ? `a table of type ${JSON.stringify(type)}` : 'a Hive table';
}

/**
 * The entry that points to a table's new metadata, for CreateTable or UpdateTable.
 * @param previous the entry as it is now, whose parts that others set are kept; undefined for a new table
 */
export function tableInput(
  name: string,
  metadata: TableMetadata,
  location: string,
  previous: Table | TableInput | undefined,
): TableInput {
  const before = previous?.Parameters?.[METADATA_LOCATION];
  const kept = Object.fromEntries(
    OTHERS_PARTS.flatMap((part) => {
      const value = previous?.[part];
      // Glue gives some texts back empty that it takes only filled.
      return value === undefined || value === null || value === '' ? [] : [[part, value]];
    }),
  );
  return {
    ...kept,
    Name: name,
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...previous?.Parameters,
      [TABLE_TYPE]: 'ICEBERG',
      [METADATA_LOCATION]: location,
      ...(before === undefined ? {} : { [PREVIOUS_METADATA_LOCATION]: before }),
    },
    StorageDescriptor: {
      ...previous?.StorageDescriptor,
      Location: metadata.location,
      Columns: columnsOf(metadata, previous?.StorageDescriptor?.Columns ?? []),
    },
  };
}

/**
 * The columns that Athena and the console show: those of the current schema, then those that only older schemas had, marked as not current.
 * @param previous as they are in Glue: comments and parameters that people gave them stay
 */
function columnsOf(metadata: TableMetadata, previous: readonly Column[]): Column[] {
  const known = new Map(previous.map((column) => [column.Parameters?.['iceberg.field.id'] ?? column.Name, column]));
  const columns = new Map<string, Column>();
  const add = (field: NestedField, current: boolean): void => {
    if (columns.has(field.name)) return;
    const old = known.get(String(field.id)) ?? known.get(field.name);
    const comment = field.doc === undefined ? old?.Comment : shortened(field.doc);
    columns.set(field.name, {
      Name: field.name,
      Type: hiveType(field.type),
      ...(comment ? { Comment: comment } : {}),
      Parameters: {
        ...old?.Parameters,
        'iceberg.field.id': String(field.id),
        'iceberg.field.optional': String(!field.required),
        'iceberg.field.current': String(current),
      },
    });
  };
  const isCurrent = ({ schemaId }: { schemaId: number }) => schemaId === metadata.currentSchemaId;
  for (const field of metadata.schemas.find(isCurrent)?.fields ?? []) add(field, true);
  for (const schema of metadata.schemas) if (!isCurrent(schema)) for (const field of schema.fields) add(field, false);
  return [...columns.values()];
}

function shortened(text: string): string {
  // Glue takes a comment of one line.
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_COMMENT ? `${line.slice(0, LONGEST_COMMENT - 1)}…` : line;
}

const HIVE_TYPES: Readonly<Partial<Record<PrimitiveType, string>>> = {
  long: 'bigint',
  time: 'string',
  uuid: 'string',
  timestamptz: 'timestamp',
};

/** Hive's name for an Iceberg type, as Iceberg Java writes it to Glue. */
export function hiveType(type: IcebergType): string {
  if (typeof type === 'string') {
    if (type.startsWith('decimal')) return type.replace(' ', '');
    return type.startsWith('fixed') ? 'binary' : (HIVE_TYPES[type] ?? type);
  }
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}:${hiveType(field.type)}`).join(',')}>`;
    case 'list':
      return `array<${hiveType(type.element)}>`;
    case 'map':
      return `map<${hiveType(type.key)},${hiveType(type.value)}>`;
  }
}

/** Whether Glue could have a table of this name: it has one level of namespaces, and folds names to lower case. */
export function isGlueName({ namespace, name }: TableIdentifier): boolean {
  return [...namespace, name].every((part) => part !== '' && part === part.toLowerCase()) && namespace.length === 1;
}

/**
 * Checks a new table's name by the rules that Glue, Athena and Iceberg Java's GlueCatalog have together.
 * @throws LakegateError `invalid`
 */
export function checkGlueIdentifier(table: TableIdentifier): void {
  checkIdentifier(table);
  const written = formatIdentifier(table);
  const refuse = (why: string): LakegateError =>
    new LakegateError('invalid', `${JSON.stringify(written)} cannot be a table of Glue: ${why}`, {
      context: { table: written },
    });
  if (table.namespace.length !== 1) {
    throw refuse(
      `a namespace is a Glue database there and has one level, found ${table.namespace.length}. Write for example "${table.namespace.join('_')}.${table.name}".`,
    );
  }
  for (const [part, most] of [[table.namespace[0]!, 252] as const, [table.name, 255] as const]) {
    if (/^[a-z0-9_]+$/.test(part) && part.length <= most) continue;
    const suggested = part
      .toLowerCase()
      .replace(/[^a-z0-9_]+/g, '_')
      .slice(0, most);
    throw refuse(
      `${JSON.stringify(part)} should be 1 to ${most} lower case letters, digits and underscores. Write for example "${suggested}".`,
    );
  }
}
