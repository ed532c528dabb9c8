/** Worlds that tests look at. */
import type { CleanRoomsReportConfig } from '../../../src/config/reports.ts';
import type { World, WorldTable } from './world.ts';

export const CONFIG: CleanRoomsReportConfig = {
  database: 'acme_prod',
  tablePrefix: 'part_',
  skipTables: ['part_addressable_ids', 'part_addressable_ids_er'],
  associationPrefix: 'acx_',
  schemaMapping: 'ACX_SCHEMA',
  accounts: { '123456789012': 'Advertiser', '555566667777': 'Query, "Submitter"' },
  namePrefix: 'ACX',
  naming: 'timestamp',
  folder: 'cleanrooms-reports/',
  everyMs: 86_400_000,
};

const CUSTOM = { rule: { type: 'CUSTOM' as const, providers: ['123456789012'] } };
const RECEIVER_ARN = 'arn:aws:cleanrooms:us-east-1:555566667777:membership/1a2b3c4d-0000-1111-2222-333344445555';

/** Table number n, whose last digit says what is the matter with it. */
export function numbered(n: number): WorldTable {
  const name = `part_t_${String(n).padStart(3, '0')}`;
  const rule = { receivers: ['123456789012'], policy: 'collaboration' as const };
  const memberships = n <= 30 ? [0, 1] : [0];
  const associations = memberships.map((membership) => ({ membership, rule }));
  switch (n % 10) {
    case 1:
      return { name };
    case 2:
      return { name, configured: {}, associations };
    case 3:
      return { name, configured: { rule: { type: 'AGGREGATION' } }, associations };
    case 4:
      return { name, configured: { rule: { type: 'CUSTOM' } }, associations };
    case 5:
      return { name, configured: CUSTOM };
    case 6:
      return { name, configured: CUSTOM, associations: memberships.map((membership) => ({ membership })) };
    case 7:
      return {
        name,
        configured: { ...CUSTOM, name: name.toUpperCase() },
        associations: associations.map((each) => ({ ...each, name: `ACX_${name.toUpperCase()}` })),
      };
    case 8:
      return {
        name,
        configured: CUSTOM,
        associations: memberships.map((membership) => ({
          membership,
          rule: { receivers: [RECEIVER_ARN, '123456789012'], policy: 'consolidated' },
        })),
      };
    case 9:
      return { name, configured: { isRuleGone: true }, associations };
    default:
      return {
        name,
        configured: CUSTOM,
        associations: memberships.map((membership) => ({
          membership,
          rule: { receivers: ['123456789012'], policy: 'association' },
        })),
      };
  }
}

const glueArn = (table: string) => `arn:aws:glue:us-east-1:111122223333:table/acme_prod/${table}`;

const IDENTITIES: Pick<World, 'namespaces' | 'mappings'> = {
  namespaces: [
    {
      idNamespaceName: 'ACXIdNamespace',
      type: 'SOURCE',
      inputSourceConfig: [{ inputSourceARN: glueArn('part_addressable_ids_er'), schemaName: 'ACX_SCHEMA' }],
      idMappingWorkflowProperties: [{ idMappingType: 'PROVIDER' }],
    },
    {
      idNamespaceName: 'no_workflow',
      type: 'SOURCE',
      inputSourceConfig: [{ inputSourceARN: glueArn('ids'), schemaName: 'acx_Schema' }],
    },
    { idNamespaceName: 'target_only', type: 'TARGET', idMappingWorkflowProperties: [{ idMappingType: 'RULE_BASED' }] },
    ...Array.from({ length: 6 }, (_, index) => ({ idNamespaceName: `other_${index}`, type: 'TARGET' })),
  ],
  mappings: [
    {
      schemaName: 'acx_schema',
      mappedInputFields: [
        { fieldName: 'row_id', type: 'UNIQUE_ID' },
        { fieldName: 'customer_user_id', type: 'STRING', matchKey: 'customer_user_id' },
        { fieldName: 'city', type: 'STRING' },
      ],
    },
    ...Array.from({ length: 8 }, (_, index) => ({ schemaName: `more_${index}`, mappedInputFields: [] })),
  ],
};

const MEMBERS = [
  { accountId: '123456789012', abilities: ['CAN_QUERY', 'CAN_RECEIVE_RESULTS'] },
  ...Array.from({ length: 7 }, (_, index) => ({ accountId: `00000000000${index}`, abilities: [] })),
  { accountId: '555566667777', abilities: ['CAN_RECEIVE_RESULTS'] },
];

/** Three memberships, every list over several pages, all that can be the matter with a table. */
export function largeWorld(tables = 60): World {
  return {
    account: '111122223333',
    region: 'us-east-1',
    database: 'acme_prod',
    collaborations: ['Acme & Partner', 'Second', 'Third'],
    tables: [
      ...Array.from({ length: tables }, (_, index) => numbered(index + 1)),
      { name: 'part_addressable_ids', configured: CUSTOM, associations: [{ membership: 0 }] },
      { name: 'bucket_t_001', configured: CUSTOM, associations: [{ membership: 0 }] },
      { name: 'part_elsewhere', inGlue: false, configured: { ...CUSTOM, database: 'other_db' } },
      { name: 'part_dropped', inGlue: false, configured: CUSTOM, associations: [{ membership: 0 }] },
    ],
    members: MEMBERS,
    ...IDENTITIES,
  };
}

/** Few tables, with all that CSV, HTML and spreadsheets trip over in their names. */
export function awkwardWorld(): World {
  const associations = [{ membership: 0, rule: { receivers: ['123456789012'], policy: 'collaboration' as const } }];
  return {
    account: '111122223333',
    region: 'us-east-1',
    database: 'acme_prod',
    collaborations: ['=HYPERLINK("http://evil","Ünïted, "quoted"\nCo")<script>alert(1)</script>'],
    tables: [
      {
        name: 'part_plain',
        configured: { rule: { type: 'CUSTOM', providers: ['123456789012', '555566667777', '999988887777'] } },
        partitionKeys: ['snapshot_dt', 'region'],
        associations,
      },
      { name: 'part_bare', partitionKeys: [] },
      { name: 'part_ünïcode', configured: { name: '-1+1, "odd"', rule: { type: 'LIST' } }, associations },
      { name: 'part_xss', configured: { name: '<img src=x onerror=alert(1)>', ...CUSTOM } },
    ],
    members: [{ accountId: '123456789012', abilities: ['CAN_RECEIVE_RESULTS'] }],
    namespaces: [
      {
        idNamespaceName: '@ids, "n"',
        type: 'SOURCE',
        inputSourceConfig: [
          { inputSourceARN: glueArn('ids_er'), schemaName: 'ACX_SCHEMA' },
          { inputSourceARN: 'arn:aws:s3:::not-glue' },
        ],
      },
    ],
    mappings: [
      {
        schemaName: 'Acx_Schema',
        mappedInputFields: [
          { fieldName: 'row_id', type: 'UNIQUE_ID' },
          { fieldName: '+email', type: 'STRING', matchKey: 'e,mail' },
          { fieldName: 'phone', type: 'STRING', matchKey: '\tphone' },
        ],
      },
    ],
  };
}
