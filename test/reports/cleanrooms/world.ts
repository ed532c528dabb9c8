/** A described account: what Clean Rooms, Entity Resolution and Glue have in it, and what they answer to each question. */
import { createHash } from 'node:crypto';

export type Json = Record<string, unknown>;

/** A table as people think of it; the answers of three services are made from it. */
export interface WorldTable {
  name: string;
  /** Whether Glue has it. Default: true */
  inGlue?: boolean;
  columns?: string[];
  partitionKeys?: string[];
  /** Its configured table: name, and its rule. Absent: there is none. */
  configured?: {
    name?: string;
    method?: string;
    rule?: { type: 'CUSTOM' | 'AGGREGATION' | 'LIST'; providers?: string[] };
    /** The list says that there is a rule, and it is gone when it is asked for. */
    isRuleGone?: boolean;
    /** Database that it refers to. Default: the world's */
    database?: string;
  };
  /** In which memberships, by number; with its name there and its rule. */
  associations?: {
    membership: number;
    name?: string;
    rule?: { receivers: string[]; policy: 'consolidated' | 'collaboration' | 'association' };
  }[];
}

export interface World {
  account: string;
  region: string;
  database: string;
  tables: WorldTable[];
  /** Names of the collaborations that this account is a member of. */
  collaborations: string[];
  namespaces: Json[];
  mappings: Json[];
  /** Members of each collaboration. */
  members: { accountId: string; abilities: string[] }[];
}

export type WorldAnswer = { value: Json } | { type: string; status: number; message: string };

const at = new Date('2026-01-01T00:00:00Z');
const missing: WorldAnswer = { type: 'ResourceNotFoundException', status: 404, message: 'not found' };

/** An id made from a name, in the form that all ids have. */
export function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

export function membershipId(number: number): string {
  return idOf(`membership ${number}`);
}

const collaborationId = (number: number) => idOf(`collaboration ${number}`);
const times = { createTime: at, updateTime: at };

export function answerOf(world: World, operation: string, input: Json, pageSize: number): WorldAnswer {
  const paged = (key: string, items: Json[], tokenName = 'nextToken'): WorldAnswer => {
    const start = Number(input[tokenName] ?? 0);
    const next = start + pageSize;
    return {
      value: {
        [key]: items.slice(start, next),
        ...(next < items.length && { [tokenName]: String(next) }),
      },
    };
  };
  const number = world.collaborations.findIndex(
    (_, index) =>
      membershipId(index) === input.membershipIdentifier || collaborationId(index) === input.collaborationIdentifier,
  );
  const configured = world.tables.filter((table) => table.configured !== undefined);
  const table = configured.find(({ name }) => idOf(`configured ${name}`) === input.configuredTableIdentifier);
  const associated = world.tables.flatMap((own) =>
    (own.associations ?? [])
      .filter(({ membership }) => membership === number)
      .map((association) => ({ ...own, association, associationName: association.name ?? `acx_${own.name}` })),
  );
  const arn = (service: string, resource: string) => `arn:aws:${service}:${world.region}:${world.account}:${resource}`;
  const inMembership = {
    membershipId: membershipId(number),
    membershipArn: arn('cleanrooms', `membership/${membershipId(number)}`),
  };
  const inCollaboration = {
    collaborationId: collaborationId(number),
    collaborationArn: arn('cleanrooms', `collaboration/${collaborationId(number)}`),
  };
  const payment = { queryCompute: { isResponsible: false } };
  const membership = (index: number): Json => ({
    id: membershipId(index),
    arn: arn('cleanrooms', `membership/${membershipId(index)}`),
    collaborationArn: arn('cleanrooms', `collaboration/${collaborationId(index)}`),
    collaborationId: collaborationId(index),
    collaborationCreatorAccountId: '999900001111',
    collaborationCreatorDisplayName: 'creator',
    collaborationName: world.collaborations[index],
    ...times,
    status: 'ACTIVE',
    memberAbilities: index === 0 ? ['CAN_RECEIVE_RESULTS'] : [],
    paymentConfiguration: payment,
  });
  const summary = ({ name, configured: own }: WorldTable): Json => ({
    id: idOf(`configured ${name}`),
    arn: arn('cleanrooms', `configuredtable/${idOf(`configured ${name}`)}`),
    name: own?.name ?? name,
    ...times,
    analysisRuleTypes: own?.isRuleGone ? ['CUSTOM'] : own?.rule ? [own.rule.type] : [],
    analysisMethod: own?.method ?? 'DIRECT_QUERY',
  });
  const customPolicy = (providers: string[] | undefined): Json => ({
    v1: { custom: { allowedAnalyses: ['ANY_QUERY'], ...(providers && { allowedAnalysisProviders: providers }) } },
  });
  const policyOf = ({ configured: own }: WorldTable): Json => {
    if (own?.rule?.type === 'AGGREGATION') {
      return {
        v1: {
          aggregation: {
            aggregateColumns: [{ columnNames: ['a'], function: 'COUNT' }],
            joinColumns: ['id'],
            dimensionColumns: [],
            scalarFunctions: [],
            outputConstraints: [{ columnName: 'id', minimum: 2, type: 'COUNT_DISTINCT' }],
          },
        },
      };
    }
    if (own?.rule?.type === 'LIST') return { v1: { list: { joinColumns: ['id'], listColumns: ['a'] } } };
    return customPolicy(own?.rule?.providers);
  };
  const sharing = (receivers: string[]): Json => ({ v1: { custom: { allowedResultReceivers: receivers } } });

  switch (operation) {
    case 'GetTables':
      if (input.DatabaseName !== world.database) {
        return { type: 'EntityNotFoundException', status: 400, message: 'no such database' };
      }
      return paged(
        'TableList',
        world.tables
          .filter(({ inGlue = true }) => inGlue)
          .map(({ name, columns = ['id', 'a', 'b'], partitionKeys = ['snapshot_dt'] }) => ({
            Name: name,
            StorageDescriptor: {
              Location: `s3://bucket/${name}/`,
              Columns: columns.map((Name) => ({ Name, Type: 'string' })),
            },
            PartitionKeys: partitionKeys.map((Name) => ({ Name, Type: 'string' })),
          })),
        'NextToken',
      );
    case 'ListMemberships':
      return paged(
        'membershipSummaries',
        world.collaborations.map((_, index) => membership(index)),
      );
    case 'GetMembership':
      if (number < 0) return missing;
      return {
        value: {
          membership: {
            ...membership(number),
            queryLogStatus: 'ENABLED',
            ...(number === 0 && {
              defaultResultConfiguration: {
                outputConfiguration: { s3: { resultFormat: 'PARQUET', bucket: 'results', keyPrefix: 'out/' } },
              },
            }),
          },
        },
      };
    case 'GetCollaboration':
      if (number < 0) return missing;
      return {
        value: {
          collaboration: {
            id: collaborationId(number),
            arn: inCollaboration.collaborationArn,
            name: world.collaborations[number],
            creatorAccountId: '999900001111',
            creatorDisplayName: 'creator',
            ...times,
            memberStatus: 'ACTIVE',
            queryLogStatus: 'ENABLED',
          },
        },
      };
    case 'ListMembers':
      return paged(
        'memberSummaries',
        world.members.map((member) => ({
          ...member,
          status: 'ACTIVE',
          displayName: member.accountId,
          ...times,
          paymentConfiguration: payment,
        })),
      );
    case 'ListConfiguredTables':
      return paged('configuredTableSummaries', configured.map(summary));
    case 'GetConfiguredTable':
      if (table === undefined) return missing;
      return {
        value: {
          configuredTable: {
            ...summary(table),
            tableReference: {
              glue: { databaseName: table.configured?.database ?? world.database, tableName: table.name },
            },
            allowedColumns: (table.columns ?? ['id', 'a', 'b']).slice(0, 2),
          },
        },
      };
    case 'GetConfiguredTableAnalysisRule':
      if (table?.configured?.rule?.type !== input.analysisRuleType) return missing;
      return {
        value: {
          analysisRule: {
            configuredTableId: input.configuredTableIdentifier,
            configuredTableArn: arn('cleanrooms', `configuredtable/${String(input.configuredTableIdentifier)}`),
            policy: policyOf(table!),
            type: input.analysisRuleType,
            ...times,
          },
        },
      };
    case 'ListConfiguredTableAssociations':
      if (number < 0) return missing;
      return paged(
        'configuredTableAssociationSummaries',
        associated.map(({ name, associationName, association }) => ({
          configuredTableId: idOf(`configured ${name}`),
          ...inMembership,
          name: associationName,
          ...times,
          id: idOf(`association ${number} ${name}`),
          arn: arn('cleanrooms', `membership/${membershipId(number)}/configuredtableassociation/x`),
          ...(association.rule && { analysisRuleTypes: ['CUSTOM'] }),
        })),
      );
    case 'GetConfiguredTableAssociationAnalysisRule': {
      const own = associated.find(
        ({ name }) => idOf(`association ${number} ${name}`) === input.configuredTableAssociationIdentifier,
      );
      if (own?.association.rule === undefined || input.analysisRuleType !== 'CUSTOM') return missing;
      return {
        value: {
          analysisRule: {
            membershipIdentifier: membershipId(number),
            configuredTableAssociationId: input.configuredTableAssociationIdentifier,
            configuredTableAssociationArn: arn('cleanrooms', 'x'),
            policy: sharing(own.association.rule.receivers),
            type: 'CUSTOM',
            ...times,
          },
        },
      };
    }
    case 'ListSchemas':
      return paged(
        'schemaSummaries',
        associated.map(({ associationName, configured: own }) => ({
          name: associationName,
          type: 'TABLE',
          creatorAccountId: world.account,
          ...times,
          ...inCollaboration,
          analysisRuleTypes: own?.rule ? [own.rule.type] : [],
        })),
      );
    case 'BatchGetSchemaAnalysisRule': {
      const wanted = input.schemaAnalysisRuleRequests as { name: string; type: string }[];
      if (wanted.length > 25) return { type: 'ValidationException', status: 400, message: 'more than 25' };
      const found = wanted.map(({ name, type }) => {
        const own = associated.find((each) => each.associationName === name);
        return own?.configured?.rule?.type === type ? { name, type, own } : { name, type };
      });
      return {
        value: {
          analysisRules: found.flatMap(({ name, type, own }) => {
            if (own === undefined) return [];
            const { rule } = own.association;
            return [
              {
                collaborationId: collaborationId(number),
                type,
                name,
                ...times,
                policy: policyOf(own),
                ...(rule && rule.policy !== 'association' && { collaborationPolicy: sharing(rule.receivers) }),
                ...(rule?.policy === 'consolidated' && {
                  consolidatedPolicy: {
                    v1: { custom: { allowedAnalyses: ['ANY_QUERY'], allowedResultReceivers: rule.receivers } },
                  },
                }),
              },
            ];
          }),
          errors: found
            .filter(({ own }) => own === undefined)
            .map(({ name, type }) => ({ name, type, code: 'RESOURCE_NOT_FOUND', message: 'no rule' })),
        },
      };
    }
    case 'ListIdNamespaceAssociations':
      return paged(
        'idNamespaceAssociationSummaries',
        number === 0
          ? world.namespaces.map((_, index) => ({
              ...inMembership,
              ...inCollaboration,
              ...times,
              id: idOf(`id association ${index}`),
              arn: arn('cleanrooms', 'x'),
              inputReferenceConfig: { inputReferenceArn: arn('entityresolution', 'x'), manageResourcePolicies: true },
              name: `ids_${index}`,
              inputReferenceProperties: { idNamespaceType: 'SOURCE' },
            }))
          : [],
      );
    case 'GetIdNamespaceAssociation':
      return {
        value: {
          idNamespaceAssociation: {
            id: input.idNamespaceAssociationIdentifier,
            arn: arn('cleanrooms', 'x'),
            ...inMembership,
            ...inCollaboration,
            name: 'ids',
            ...times,
            inputReferenceConfig: { inputReferenceArn: arn('entityresolution', 'x'), manageResourcePolicies: true },
            inputReferenceProperties: { idNamespaceType: 'SOURCE', idMappingWorkflowsSupported: [] },
            idMappingConfig: { allowUseAsDimensionColumn: false },
          },
        },
      };
    case 'ListIdMappingTables':
      return paged(
        'idMappingTableSummaries',
        number === 0
          ? Array.from({ length: 8 }, (_, index) => ({
              ...inCollaboration,
              ...inMembership,
              ...times,
              id: idOf(`mapping table ${index}`),
              arn: arn('cleanrooms', 'x'),
              inputReferenceConfig: { inputReferenceArn: arn('entityresolution', 'x'), manageResourcePolicies: true },
              name: `mapping_${index}`,
            }))
          : [],
      );
    case 'GetIdMappingTable':
      return {
        value: {
          idMappingTable: {
            id: input.idMappingTableIdentifier,
            arn: arn('cleanrooms', 'x'),
            inputReferenceConfig: { inputReferenceArn: arn('entityresolution', 'x'), manageResourcePolicies: true },
            ...inMembership,
            ...inCollaboration,
            name: 'mapping',
            ...times,
            inputReferenceProperties: {
              idMappingTableInputSource: [{ idNamespaceAssociationId: idOf('id association 0'), type: 'SOURCE' }],
            },
          },
        },
      };
    case 'ListIdNamespaces':
      return paged(
        'idNamespaceSummaries',
        world.namespaces.map(({ idNamespaceName, type }) => ({
          idNamespaceName,
          idNamespaceArn: arn('entityresolution', `idnamespace/${String(idNamespaceName)}`),
          type,
          createdAt: at,
          updatedAt: at,
        })),
      );
    case 'GetIdNamespace': {
      const own = world.namespaces.find(({ idNamespaceName }) => idNamespaceName === input.idNamespaceName);
      if (own === undefined) return missing;
      return { value: { idNamespaceArn: arn('entityresolution', 'x'), createdAt: at, updatedAt: at, ...own } };
    }
    case 'ListSchemaMappings':
      return paged(
        'schemaList',
        world.mappings.map(({ schemaName }) => ({
          schemaName,
          schemaArn: arn('entityresolution', 'x'),
          createdAt: at,
          updatedAt: at,
          hasWorkflows: false,
        })),
      );
    case 'GetSchemaMapping': {
      const own = world.mappings.find(({ schemaName }) => schemaName === input.schemaName);
      if (own === undefined) return missing;
      return {
        value: {
          schemaArn: arn('entityresolution', 'x'),
          createdAt: at,
          updatedAt: at,
          hasWorkflows: false,
          ...own,
        },
      };
    }
    default:
      return { type: 'UnknownOperationException', status: 404, message: operation };
  }
}
