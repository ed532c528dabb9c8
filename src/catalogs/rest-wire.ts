import { stringifyLossless } from '../iceberg/lossless-json.ts';
import type { TableRequirement, TableUpdate } from '../iceberg/model.ts';
import { schemaToJson } from '../iceberg/schema-json.ts';
import { refToJson, snapshotText } from '../iceberg/snapshot-json.ts';
import { partitionSpecToJson } from '../iceberg/spec-json.ts';
import type { NewTable, TableIdentifier } from './catalog.ts';

/**
 * Requests' bodies as JSON text, ids exact (Iceberg REST OpenAPI: CommitTableRequest, CreateTableRequest, CreateNamespaceRequest).
 */

/** A commit. */
export function commitBody(requirements: readonly TableRequirement[], updates: readonly TableUpdate[]): string {
  const asked = requirements.map((requirement) => stringifyLossless(requirementToJson(requirement)));
  return `{"requirements":[${asked.join(',')}],"updates":[${updates.map(updateText).join(',')}]}`;
}

/** A new table of format version 2. @param location undefined: the server chooses */
export function createTableBody(table: TableIdentifier, definition: NewTable, location: string | undefined): string {
  return stringifyLossless({
    name: table.name,
    location,
    schema: schemaToJson(definition.schema),
    'partition-spec': partitionSpecToJson(definition.spec),
    'stage-create': false,
    // Said aloud, because the default is the server's, and may one day be another version.
    properties: { ...definition.properties, 'format-version': '2' },
  });
}

/** A new namespace without properties. */
export function createNamespaceBody(namespace: readonly string[]): string {
  return stringifyLossless({ namespace, properties: {} });
}

function requirementToJson(requirement: TableRequirement): Record<string, unknown> {
  const { type } = requirement;
  switch (type) {
    case 'assert-create':
      return { type };
    case 'assert-table-uuid':
      return { type, uuid: requirement.uuid };
    case 'assert-ref-snapshot-id':
      // The key has to be there: null says that the ref must not exist.
      return { type, ref: requirement.ref, 'snapshot-id': requirement.snapshotId ?? null };
    case 'assert-last-assigned-field-id':
      return { type, 'last-assigned-field-id': requirement.lastAssignedFieldId };
    case 'assert-current-schema-id':
      return { type, 'current-schema-id': requirement.currentSchemaId };
    case 'assert-last-assigned-partition-id':
      return { type, 'last-assigned-partition-id': requirement.lastAssignedPartitionId };
    case 'assert-default-spec-id':
      return { type, 'default-spec-id': requirement.defaultSpecId };
    case 'assert-default-sort-order-id':
      return { type, 'default-sort-order-id': requirement.defaultSortOrderId };
  }
}

function updateText(update: TableUpdate): string {
  if (update.action === 'add-snapshot') {
    return `{"action":"add-snapshot","snapshot":${snapshotText(update.snapshot)}}`;
  }
  return stringifyLossless(updateToJson(update));
}

function updateToJson(update: Exclude<TableUpdate, { action: 'add-snapshot' }>): Record<string, unknown> {
  const { action } = update;
  switch (action) {
    case 'add-schema':
      return { action, schema: schemaToJson(update.schema), 'last-column-id': update.lastColumnId };
    case 'set-current-schema':
      return { action, 'schema-id': update.schemaId };
    case 'add-spec':
      return { action, spec: partitionSpecToJson(update.spec) };
    case 'set-default-spec':
      return { action, 'spec-id': update.specId };
    case 'set-snapshot-ref':
      return { action, 'ref-name': update.ref, ...refToJson(update.value) };
    case 'remove-snapshot-ref':
      return { action, 'ref-name': update.ref };
    case 'remove-snapshots':
      return { action, 'snapshot-ids': update.snapshotIds };
    case 'set-properties':
      return { action, updates: update.updates };
    case 'remove-properties':
      return { action, removals: update.removals };
    case 'set-location':
      return { action, location: update.location };
  }
}
