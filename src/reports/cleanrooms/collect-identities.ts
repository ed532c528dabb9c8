import type {
  GetIdNamespaceOutput,
  GetSchemaMappingOutput,
  IdNamespaceSummary,
  SchemaMappingSummary,
} from '@aws-sdk/client-entityresolution';
import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { type Answer, known } from '../answer.ts';
import type { CleanRoomsSource } from './source.ts';

/** What Entity Resolution has in the account. */
export interface Identities {
  namespaces: Answer<{ summary: IdNamespaceSummary; details: Answer<GetIdNamespaceOutput | undefined> }[]>;
  mappings: Answer<{ summary: SchemaMappingSummary; details: Answer<GetSchemaMappingOutput | undefined> }[]>;
}

/** ID namespaces, all or those that lake.yaml names, and schema mappings, each with its details. */
export async function collectIdentities(
  source: CleanRoomsSource,
  { idNamespaces }: Pick<CleanRoomsReportConfig, 'idNamespaces'>,
): Promise<Identities> {
  const wanted = idNamespaces?.map((name) => name.toLowerCase());
  const [namespaces, mappings] = await Promise.all([source.idNamespaces(), source.schemaMappings()]);
  return {
    namespaces: await withDetails(
      namespaces.known && wanted !== undefined
        ? known(namespaces.value.filter((each) => wanted.includes(String(each.idNamespaceName).toLowerCase())))
        : namespaces,
      (each) => source.idNamespace(String(each.idNamespaceName)),
    ),
    mappings: await withDetails(mappings, (each) => source.schemaMapping(String(each.schemaName))),
  };
}

async function withDetails<S, D>(
  listed: Answer<S[]>,
  ask: (summary: S) => Promise<Answer<D | undefined>>,
): Promise<Answer<{ summary: S; details: Answer<D | undefined> }[]>> {
  if (!listed.known) return listed;
  return known(await Promise.all(listed.value.map(async (summary) => ({ summary, details: await ask(summary) }))));
}
