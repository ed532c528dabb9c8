import type { GetIdNamespaceOutput, GetSchemaMappingOutput } from '@aws-sdk/client-entityresolution';
import { type Answer, unknownText } from '../answer.ts';
import type { Identities } from './collect-identities.ts';
import { type IdentityRow, NONE } from './model.ts';

const NOTHING: Omit<IdentityRow, 'namespace'> = {
  method: NONE,
  database: NONE,
  region: NONE,
  table: NONE,
  schemaMapping: NONE,
  uniqueId: NONE,
  inputField: NONE,
  matchKey: NONE,
};

/**
 * How records are matched: a row for each ID namespace, input source and field with a match key.
 * @param schemaMapping name of the schema mapping of input sources that name none
 */
export function identityRows({ namespaces, mappings }: Identities, schemaMapping: string): IdentityRow[] {
  if (!namespaces.known) return [{ ...NOTHING, namespace: unknownText(namespaces.why) }];
  return namespaces.value.flatMap(({ summary, details }) => {
    const namespace = summary.idNamespaceName ?? NONE;
    if (!details.known) return [{ ...NOTHING, namespace, method: unknownText(details.why) }];
    if (details.value === undefined) return [];
    return rowsOf(details.value, mappings, schemaMapping).map((row) => ({ namespace, ...row }));
  });
}

function rowsOf(
  details: GetIdNamespaceOutput,
  mappings: Identities['mappings'],
  schemaMapping: string,
): Omit<IdentityRow, 'namespace'>[] {
  const method = methodOf(details);
  const { inputSourceConfig = [] } = details;
  if (inputSourceConfig.length === 0) return [{ ...NOTHING, method }];
  return inputSourceConfig.flatMap(({ inputSourceARN, schemaName }) => {
    const source = glueTable(inputSourceARN);
    return fieldsOf(mappings, schemaName, schemaMapping).map((fields) => ({
      ...NOTHING,
      method,
      ...source,
      ...fields,
    }));
  });
}

/** `rule-based`, `provider`; what Clean Rooms takes for granted where a namespace names no workflow. */
function methodOf({ idMappingWorkflowProperties = [] }: GetIdNamespaceOutput): string {
  const types = idMappingWorkflowProperties.flatMap(({ idMappingType }) => idMappingType ?? []);
  const methods = [...new Set(types.map((type) => type.toLowerCase().replaceAll('_', '-')))];
  return methods.length === 0 ? 'rule-based' : methods.join(', ');
}

/** `arn:aws:glue:<region>:<account>:table/<database>/<table>` */
function glueTable(arn: string | undefined): Partial<IdentityRow> {
  const [, , service, region, , ...rest] = (arn ?? '').split(':');
  const [kind, database, table] = rest.join(':').split('/');
  if (service !== 'glue' || kind !== 'table' || !region || !database || !table) return {};
  return { region, database, table };
}

type MappingFields = Pick<IdentityRow, 'schemaMapping' | 'uniqueId' | 'inputField' | 'matchKey'>;

function fieldsOf(mappings: Identities['mappings'], named: string | undefined, otherwise: string): MappingFields[] {
  const nothing = { schemaMapping: named?.toLowerCase() ?? NONE, uniqueId: NONE, inputField: NONE, matchKey: NONE };
  const silent = (text: string) => [{ ...nothing, uniqueId: text, inputField: text, matchKey: text }];
  if (!mappings.known) return silent(unknownText(mappings.why));
  const name = (named ?? otherwise).toLowerCase();
  const mapping = mappings.value.find(({ summary }) => summary.schemaName?.toLowerCase() === name);
  if (mapping === undefined) return [nothing];
  const own: Answer<GetSchemaMappingOutput | undefined> = mapping.details;
  if (!own.known) return silent(unknownText(own.why)).map((row) => ({ ...row, schemaMapping: name }));
  const fields = own.value?.mappedInputFields ?? [];
  const uniqueId = fields.find(({ type }) => type === 'UNIQUE_ID')?.fieldName ?? NONE;
  const found = { schemaMapping: name, uniqueId };
  const keyed = fields.filter(({ type, matchKey }) => matchKey && (type === 'STRING' || String(type) === 'ID'));
  if (keyed.length === 0) return [{ ...nothing, ...found }];
  return keyed.map(({ fieldName = NONE, matchKey = NONE }) => ({ ...found, inputField: fieldName, matchKey }));
}
