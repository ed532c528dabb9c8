import type { LoadedTable, NewTable } from '../catalogs/catalog.ts';
import type { TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import type { Schema } from '../iceberg/model.ts';
import { createNameMapping, formatNameMapping, NAME_MAPPING_PROPERTY } from '../iceberg/name-mapping.ts';
import { toIcebergSchema } from '../iceberg/parquet-schema.ts';
import { buildSpec } from '../iceberg/partition.ts';
import { assignIds, schemaFromColumns } from '../iceberg/schema.ts';
import type { Inspected } from './inspect.ts';
import type { TableTarget } from './ports.ts';

/**
 * The table, created where there is none: with the columns declared for it, else with those of the first file.
 * @returns and whether it was created by this call
 * @throws LakegateError `invalid` when the file cannot give a table its columns
 */
export async function ensureTable(
  target: TableTarget,
  config: TableConfig,
  found: LoadedTable | undefined,
  first: Inspected,
  file: string,
): Promise<{ table: LoadedTable; created: boolean }> {
  if (found) return { table: found, created: false };
  const definition = newTable(config, first, file);
  try {
    return { table: await target.catalog.createTable(target.identifier, definition), created: true };
  } catch (error) {
    // Another runner's first delivery was quicker.
    if (isKind(error, 'exists')) return { table: await target.catalog.loadTable(target.identifier), created: false };
    throw error;
  }
}

function newTable(config: TableConfig, first: Inspected, file: string): NewTable {
  const schema = config.columns ? schemaFromColumns(config.columns) : schemaOf(first, file);
  return {
    schema,
    spec: buildSpec(schema, config.partitionBy),
    properties: {
      // Files that others wrote carry no field ids: their columns are found by name.
      [NAME_MAPPING_PROPERTY]: formatNameMapping(createNameMapping(schema)),
      ...config.properties,
    },
  };
}

function schemaOf(first: Inspected, file: string): Schema {
  if (first.kind === 'text') {
    const { fields } = assignIds(first.columns ?? [], 1);
    if (fields.length === 0)
      throw new LakegateError('invalid', `${file} has no columns to make a table of`, { context: { file } });
    return { type: 'struct', schemaId: 0, fields };
  }
  const { schema, unsupported } = toIcebergSchema(first.footer);
  const lost = unsupported.filter(({ rewrite }) => !rewrite);
  if (lost.length > 0 || schema.fields.length === 0) {
    const reasons = lost.map(({ column, found, why }) => `column ${column} (${found}): ${why}`);
    throw new LakegateError(
      'invalid',
      `${file} cannot become an Iceberg table: ${reasons.join('; ') || 'it has no columns'}`,
      {
        context: { file },
      },
    );
  }
  return schema;
}
