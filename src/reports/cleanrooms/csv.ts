import { type Answer, following, unknownText, yesNo } from '../answer.ts';
import { type CsvCell, csvText } from '../csv.ts';
import { accountsText } from './accounts.ts';
import { type CleanRoomsReport, NONE, type TableState } from './model.ts';

/** Columns of `_Tables.csv`: people's sheets and programs go by these names and this order. */
const TABLE_COLUMNS = [
  'collaboration_name',
  'table_name',
  'glue_exists',
  'glue_column_count',
  'glue_partition_keys',
  'configured_table_exists',
  'configured_table_id',
  'configured_table_name',
  'allowed_columns_count',
  'analysis_method',
  'analysis_rule_exists',
  'Allowed Analyses for Query',
  'association_exists',
  'association_name',
  'collaboration_rule_exists',
  'in_collaboration',
  'ready_for_analysis',
] as const;

/** Columns of `_IdentityResolution.csv`. */
const IDENTITY_COLUMNS = [
  'collaboration_name',
  'id namespace',
  'Id namespace method',
  'source db',
  'region',
  'table',
  'schema mapping',
  'unique id',
  'input field',
  'matchkey',
] as const;

/** `_Tables.csv`: a line for each table. Truths are Yes, No, or why they are not known; what is not there is N/A. */
export function tablesCsv(report: CleanRoomsReport): string {
  const name = collaborationCell(report);
  return csvText(
    TABLE_COLUMNS,
    report.tables.map((table) => tableCells(table, report.accounts).toSpliced(0, 0, name)),
  );
}

/** `_IdentityResolution.csv`: a line for each field that records are matched by. */
export function identityCsv(report: CleanRoomsReport): string {
  const name = collaborationCell(report);
  return csvText(
    IDENTITY_COLUMNS,
    report.identities.map((row) => [
      name,
      row.namespace,
      row.method,
      row.database,
      row.region,
      row.table,
      row.schemaMapping,
      row.uniqueId,
      row.inputField,
      row.matchKey,
    ]),
  );
}

function tableCells(table: TableState, accounts: CleanRoomsReport['accounts']): CsvCell[] {
  const { glue, configured, rule, association, collaborationRule } = table;
  const exists = (answer: Answer<unknown>) => yesNo(following(answer, (value) => value !== undefined));
  const inside = <T>(answer: Answer<T | undefined>, give: (value: T) => CsvCell): CsvCell => {
    if (!answer.known) return unknownText(answer.why);
    return answer.value === undefined ? NONE : give(answer.value);
  };
  return [
    table.name,
    exists(glue),
    inside(glue, ({ columns }) => columns.length),
    inside(glue, ({ partitionKeys }) => partitionKeys.join(', ') || NONE),
    exists(configured),
    inside(configured, ({ id }) => id),
    inside(configured, ({ name }) => name),
    inside(configured, ({ columns }) => inside(columns, (all) => all.length)),
    inside(configured, ({ method }) => method || NONE),
    exists(rule),
    inside(rule, ({ providers }) => accountsText(providers, accounts) || NONE),
    exists(association),
    inside(association, ({ name }) => name),
    exists(collaborationRule),
    exists(association),
    yesNo(table.ready),
  ];
}

function collaborationCell({ collaborationName }: CleanRoomsReport): string {
  return collaborationName.known ? (collaborationName.value ?? NONE) : unknownText(collaborationName.why);
}
