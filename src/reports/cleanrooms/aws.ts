import * as rooms from '@aws-sdk/client-cleanrooms';
import * as resolution from '@aws-sdk/client-entityresolution';
import { GetTablesCommand, GlueClient, type Table } from '@aws-sdk/client-glue';
import pLimit from 'p-limit';
import { awsFault } from '../../aws/aws-fault.ts';
import { type AskingPorts, CLEAN_ROOMS_RATE, createAsk } from './asking.ts';
import { allPages, partOf, presentList } from './paging.ts';
import { ruleAnswers } from './rule-answers.ts';
import type { CleanRoomsSource, GlueTableFacts } from './source.ts';

export interface AwsSourceOptions extends Omit<AskingPorts, 'fatal'> {
  region: string;
}

/** Questions under way at the same time to services that are not paced. */
const PARALLEL = 8;

/** Items of a page: as many as Clean Rooms gives, since each page is a request. */
const maxResults = 100;

/** Rules of one request (API reference, BatchGetSchemaAnalysisRule). */
const RULES_AT_ONCE = 25;

/** No credentials, or none that AWS takes: then nothing can be said, and no cell is worth showing. */
const NO_CREDENTIALS =
  /^(CredentialsProviderError|ExpiredToken|RequestExpired|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken)/;

/**
 * Asks AWS Clean Rooms (5 requests a second), Entity Resolution and Glue (8 at a time). Tries are counted here, not in the SDK: its retries
 * would not keep the rate.
 */
export function createAwsSource({ region, ...ports }: AwsSourceOptions): CleanRoomsSource {
  const settings = {
    region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  };
  const cleanRooms = new rooms.CleanRoomsClient(settings);
  const entities = new resolution.EntityResolutionClient(settings);
  const glue = new GlueClient(settings);
  const fatal = (error: unknown) =>
    NO_CREDENTIALS.test(String((error as Error | undefined)?.name))
      ? awsFault(error, 'make the Clean Rooms report')
      : undefined;
  const paced = createAsk({ ...ports, fatal }, CLEAN_ROOMS_RATE);
  const unpaced = createAsk({ ...ports, fatal });
  const limit = pLimit(PARALLEL);
  const room = <T>(action: string, send: () => Promise<T>) => paced(`cleanrooms:${action}`, send);
  const roomPart = async <A, T>(action: string, send: () => Promise<A>, pick: (answer: A) => T | undefined) =>
    partOf(`cleanrooms:${action}`, await room(action, send), pick);
  const roomList = <P extends { nextToken?: string | undefined }, T>(
    action: string,
    send: (nextToken: string | undefined) => Promise<P>,
    items: (page: P) => readonly T[] | undefined,
  ) =>
    presentList(
      (token) =>
        roomPart(
          action,
          () => send(token),
          (page) => items(page) && page,
        ),
      items,
    );
  const entity = <T>(action: string, send: () => Promise<T>) =>
    limit(() => unpaced(`entityresolution:${action}`, send));

  return {
    glueTables: async (DatabaseName) =>
      allPages(
        (NextToken) =>
          limit(() => unpaced('glue:GetTables', () => glue.send(new GetTablesCommand({ DatabaseName, NextToken })))),
        (page) => (page.TableList ?? []).map(tableFacts),
        (page) => page.NextToken,
      ),

    memberships: () =>
      roomList(
        'ListMemberships',
        (nextToken) => cleanRooms.send(new rooms.ListMembershipsCommand({ nextToken, maxResults })),
        (page) => page.membershipSummaries,
      ),
    membership: (membershipIdentifier) =>
      roomPart(
        'GetMembership',
        () => cleanRooms.send(new rooms.GetMembershipCommand({ membershipIdentifier })),
        (answer) => answer.membership,
      ),
    collaboration: (collaborationIdentifier) =>
      roomPart(
        'GetCollaboration',
        () => cleanRooms.send(new rooms.GetCollaborationCommand({ collaborationIdentifier })),
        (answer) => answer.collaboration,
      ),
    members: (collaborationIdentifier) =>
      roomList(
        'ListMembers',
        (nextToken) =>
          cleanRooms.send(new rooms.ListMembersCommand({ collaborationIdentifier, nextToken, maxResults })),
        (page) => page.memberSummaries,
      ),
    configuredTables: () =>
      roomList(
        'ListConfiguredTables',
        (nextToken) => cleanRooms.send(new rooms.ListConfiguredTablesCommand({ nextToken, maxResults })),
        (page) => page.configuredTableSummaries,
      ),
    configuredTable: (configuredTableIdentifier) =>
      roomPart(
        'GetConfiguredTable',
        () => cleanRooms.send(new rooms.GetConfiguredTableCommand({ configuredTableIdentifier })),
        (answer) => answer.configuredTable,
      ),
    tableRule: (configuredTableIdentifier, analysisRuleType) =>
      roomPart(
        'GetConfiguredTableAnalysisRule',
        () =>
          cleanRooms.send(
            new rooms.GetConfiguredTableAnalysisRuleCommand({ configuredTableIdentifier, analysisRuleType }),
          ),
        ({ analysisRule: rule }) =>
          // A rule says here who may analyse; without it, it would be taken for one that lets nobody.
          rule?.type === 'CUSTOM' && rule.policy?.v1?.custom === undefined ? undefined : rule,
      ),
    associations: (membershipIdentifier) =>
      roomList(
        'ListConfiguredTableAssociations',
        (nextToken) =>
          cleanRooms.send(
            new rooms.ListConfiguredTableAssociationsCommand({ membershipIdentifier, nextToken, maxResults }),
          ),
        (page) => page.configuredTableAssociationSummaries,
      ),
    associationRule: (membershipIdentifier, configuredTableAssociationIdentifier, analysisRuleType) =>
      roomPart(
        'GetConfiguredTableAssociationAnalysisRule',
        () =>
          cleanRooms.send(
            new rooms.GetConfiguredTableAssociationAnalysisRuleCommand({
              membershipIdentifier,
              configuredTableAssociationIdentifier,
              analysisRuleType,
            }),
          ),
        (answer) => answer.analysisRule,
      ),
    schemas: (collaborationIdentifier) =>
      roomList(
        'ListSchemas',
        (nextToken) =>
          cleanRooms.send(new rooms.ListSchemasCommand({ collaborationIdentifier, nextToken, maxResults })),
        (page) => page.schemaSummaries,
      ),
    async schemaRules(collaborationIdentifier, asked) {
      const batches = Array.from({ length: Math.ceil(asked.length / RULES_AT_ONCE) }, (_, index) =>
        asked.slice(index * RULES_AT_ONCE, (index + 1) * RULES_AT_ONCE),
      );
      const answers = await Promise.all(
        batches.map(async (batch) =>
          ruleAnswers(
            batch,
            await room('BatchGetSchemaAnalysisRule', () =>
              cleanRooms.send(
                new rooms.BatchGetSchemaAnalysisRuleCommand({
                  collaborationIdentifier,
                  schemaAnalysisRuleRequests: [...batch],
                }),
              ),
            ),
          ),
        ),
      );
      return answers.flat();
    },
    idNamespaceAssociations: (membershipIdentifier) =>
      roomList(
        'ListIdNamespaceAssociations',
        (nextToken) =>
          cleanRooms.send(
            new rooms.ListIdNamespaceAssociationsCommand({ membershipIdentifier, nextToken, maxResults }),
          ),
        (page) => page.idNamespaceAssociationSummaries,
      ),
    idNamespaceAssociation: (membershipIdentifier, idNamespaceAssociationIdentifier) =>
      roomPart(
        'GetIdNamespaceAssociation',
        () =>
          cleanRooms.send(
            new rooms.GetIdNamespaceAssociationCommand({ membershipIdentifier, idNamespaceAssociationIdentifier }),
          ),
        (answer) => answer.idNamespaceAssociation,
      ),
    idMappingTables: (membershipIdentifier) =>
      roomList(
        'ListIdMappingTables',
        (nextToken) =>
          cleanRooms.send(new rooms.ListIdMappingTablesCommand({ membershipIdentifier, nextToken, maxResults })),
        (page) => page.idMappingTableSummaries,
      ),
    idMappingTable: (membershipIdentifier, idMappingTableIdentifier) =>
      roomPart(
        'GetIdMappingTable',
        () => cleanRooms.send(new rooms.GetIdMappingTableCommand({ membershipIdentifier, idMappingTableIdentifier })),
        (answer) => answer.idMappingTable,
      ),

    idNamespaces: () =>
      presentList(
        (nextToken) =>
          entity('ListIdNamespaces', () => entities.send(new resolution.ListIdNamespacesCommand({ nextToken }))),
        (page) => page.idNamespaceSummaries,
      ),
    idNamespace: (idNamespaceName) =>
      entity('GetIdNamespace', () => entities.send(new resolution.GetIdNamespaceCommand({ idNamespaceName }))),
    schemaMappings: () =>
      presentList(
        (nextToken) =>
          entity('ListSchemaMappings', () => entities.send(new resolution.ListSchemaMappingsCommand({ nextToken }))),
        (page) => page.schemaList,
      ),
    schemaMapping: (schemaName) =>
      entity('GetSchemaMapping', () => entities.send(new resolution.GetSchemaMappingCommand({ schemaName }))),
  };
}

function tableFacts({ Name, StorageDescriptor, PartitionKeys }: Table): GlueTableFacts {
  return {
    name: Name ?? '',
    ...(StorageDescriptor?.Location !== undefined && { location: StorageDescriptor.Location }),
    columns: (StorageDescriptor?.Columns ?? []).map((column) => column.Name ?? ''),
    partitionKeys: (PartitionKeys ?? []).map((key) => key.Name ?? ''),
  };
}
