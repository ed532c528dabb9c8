import * as z from 'zod';
import { catalogYaml, secretName, variableName } from './catalog-schema.ts';
import { columnType as parseColumnType } from './column-type.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { monitorYamlOf } from './monitor-schema.ts';
import { parsePartitionField } from './partition-field.ts';
import { partitionsYamlOf } from './partitions-schema.ts';
import { pipelinesYamlOf } from './pipelines-schema.ts';
import { cleanRoomsYamlOf } from './reports-schema.ts';
import { stageYamlOf } from './stage-schema.ts';

/**
 * The shape of lake.yaml. A message that starts with `expected` stands for itself; the others are worded in `shape-faults.ts`.
 * Descriptions are what an editor shows. No defaults and no conversions here: what was checked is what stands in the file.
 */

const text = z.string().min(1);
const column = text.describe("A column's name; fields of a struct as a dotted path");
const columnList = z.union([column, z.array(column).min(1)]);

const duration = z
  .string({ error: 'expected a duration such as 14d, 12h or 30m' })
  .regex(DURATION_PATTERN, { error: 'expected a duration such as 14d, 12h or 30m' })
  .refine((value) => !DURATION_PATTERN.test(value) || parseDuration(value) !== undefined, {
    error: 'expected a duration of at most ten years (3650d)',
  });

const columnType = z.string().superRefine((value, context) => {
  const type = parseColumnType(value);
  if (typeof type !== 'string') context.addIssue({ code: 'custom', message: type.fault });
});

const columns = z
  .record(
    text,
    z.union([
      columnType,
      z.strictObject({
        type: columnType,
        required: z.boolean().optional().describe('Whether null is refused by the table itself. Default: false'),
      }),
    ]),
  )
  .describe('Columns of a new table: name and Iceberg type. Default: taken from the first file');

const number = z.number();
const literal = z.union([number, text]);

const rule = z
  .strictObject({
    not_null: columnList.optional().describe('Columns without nulls, or "*" for all'),
    max_null_fraction: z
      .strictObject({ column, at_most: z.number().min(0).max(1).describe('From 0 to 1') })
      .optional()
      .describe('At most this share of nulls'),
    row_count: z
      .strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional() })
      .optional()
      .describe('Rows of a delivery'),
    range: z
      .strictObject({ column, min: literal.optional(), max: literal.optional() })
      .optional()
      .describe('Smallest and largest allowed value: numbers, ISO dates or timestamps'),
    accepted_values: z
      .strictObject({ column, values: z.array(z.union([z.string(), number, z.boolean()])).min(1) })
      .optional()
      .describe('The only values allowed'),
    unique: columnList.optional().describe('Columns whose combination does not repeat within a delivery'),
    schema: z
      .strictObject({
        columns: z.record(text, columnType),
        allow_extra: z.boolean().optional().describe('Default: false'),
      })
      .optional()
      .describe('Columns and types a delivery must have'),
    freshness: z
      .strictObject({ column, within: duration })
      .optional()
      .describe('The newest date or timestamp is not older than this when the audit runs'),
    sql: z
      .strictObject({ name: text, query: text.describe("The delivery's rows are the view `delivery`") })
      .optional()
      .describe('Each row that the query returns is a violation'),
  })
  .describe('One rule');

const partitionField = z.string().superRefine((value, context) => {
  const field = parsePartitionField(value);
  if ('fault' in field) context.addIssue({ code: 'custom', message: field.fault });
});

const channel = z.string().regex(/^(#[^\s#@<>&,]{1,80}|[CDG][A-Z0-9]{7,})$/, {
  error: 'expected a Slack channel in quotes such as "#orders", or a channel id such as C0123456789',
});

const oneCharacter = z.string().length(1, { error: 'expected one character' });

const tableSettings = {
  format: z.enum(['auto', 'parquet', 'csv', 'jsonl']).optional().describe("Default: auto, by the file's extension"),
  ingest: z
    .enum(['copy', 'register'])
    .optional()
    .describe('copy into the warehouse, or register in place. Default: copy'),
  schema: z.enum(['strict', 'add_columns']).optional().describe('Whether deliveries may add columns. Default: strict'),
  on_failure: z
    .enum(['keep_branch', 'discard'])
    .optional()
    .describe('What becomes of the branch of a delivery that failed its audit. Default: keep_branch'),
  keep_branch_for: duration.optional().describe('How long a failed delivery stays on its branch. Default: 14d'),
  owner: text.optional().describe('Who answers for the table; named in messages'),
  channel: channel.optional().describe("Slack channel for this table. Default: the lake's"),
  csv: z
    .strictObject({
      delimiter: oneCharacter.optional().describe('Default: a comma'),
      header: z.boolean().optional().describe('Whether the first line names the columns. Default: true'),
      quote: oneCharacter.optional().describe('Default: "'),
      null_value: z
        .union([z.string(), z.array(z.string())])
        .optional()
        .describe('Cells read as null. Default: empty ones'),
    })
    .optional(),
  properties: z
    .record(text, z.union([z.string(), number, z.boolean()]))
    .optional()
    .describe('Iceberg table properties, set when the table is created'),
  rules: z.array(rule).optional().describe('What the audit checks; [] checks nothing. Default: not_null: "*"'),
};

const newTable = {
  mode: z.enum(['append', 'overwrite', 'overwrite_partitions']).optional().describe('Default: append'),
  columns: columns.optional(),
  partition_by: z
    .array(
      z.union([
        partitionField,
        z.strictObject({ field: partitionField, name: text.optional().describe("The partition field's own name") }),
      ]),
    )
    .optional()
    .describe('Partition fields of a new table: region, day(ordered_at), bucket(16, id), truncate(4, code)'),
};

const folder = text;

/** The whole of lake.yaml. */
export const lakeYaml = z.strictObject({
  version: z.literal(1).optional().describe('Version of this file format. Default: 1'),
  name: z
    .string()
    .regex(/^[a-z](?:-?[a-z0-9]){0,19}$/, { error: 'expected up to 20 lower case letters, digits and hyphens' })
    .optional()
    .describe('Names what is deployed: <name>-<stage>-… Default: lakegate'),
  raw: folder.optional().describe('Folder or s3:// URL that drops land in. Default: ./raw. On a stage: its raw bucket'),
  warehouse: folder
    .optional()
    .describe("Folder or s3:// URL of the tables' files. Default: ./warehouse. On a stage: its lake bucket"),
  records: folder.optional().describe('Folder of the delivery records. Default: .lakegate/deliveries in the warehouse'),
  catalog: text.optional().describe('Catalogue where a table names none. Default: the only one'),
  catalogs: z.record(text, catalogYaml).optional().describe('Default: `local`, a SQLite database beside lake.yaml'),
  defaults: z.strictObject(tableSettings).optional().describe('Settings of every table that does not have its own'),
  tables: z
    .record(
      text,
      z.strictObject({
        from: text.describe('Folder under `raw` whose files belong to the table'),
        catalog: text.optional().describe("Default: the lake's catalogue"),
        ...newTable,
        ...tableSettings,
      }),
    )
    .optional(),
  auto_tables: z
    .strictObject({
      namespace: text.describe('Files under <raw>/<name>/ belong to the table <namespace>.<name>'),
      catalog: text.optional(),
      ...newTable,
      ...tableSettings,
    })
    .optional()
    .describe('Settings for tables that are not listed under `tables`'),
  notify: z
    .strictObject({
      slack: z
        .strictObject({
          channel: channel.optional().describe('Default: the environment variable SLACK_CHANNEL'),
          token_env: variableName
            .optional()
            .describe("Environment variable that holds the bot's token. Default: SLACK_TOKEN"),
          token_secret: secretName.optional().describe("On a stage: Secrets Manager entry that holds the bot's token"),
        })
        .optional(),
      teams: z
        .strictObject({
          webhook_env: variableName
            .optional()
            .describe('Environment variable that holds the URL of an incoming webhook'),
          webhook_secret: secretName.optional().describe('On a stage: Secrets Manager entry that holds that URL'),
        })
        .optional(),
      suppress_for: z
        .union([z.literal('off'), duration])
        .optional()
        .describe(
          'On a stage: the same trouble of the same table is not told again for this long, or off. Default: 1h',
        ),
    })
    .optional(),
  reports: z
    .strictObject({
      cleanrooms: cleanRoomsYamlOf(duration, channel)
        .optional()
        .describe('Which tables are ready for analysis in AWS Clean Rooms'),
      monitor: monitorYamlOf(duration, channel).optional().describe('Whether the tables are in good health'),
    })
    .optional()
    .describe('Reports, made by `lakegate report` and on schedule'),
  partitions: partitionsYamlOf(duration)
    .optional()
    .describe('Partitions of Glue databases, registered as their folders appear. Default: not managed'),
  pipelines: pipelinesYamlOf(duration, rule).optional().describe('Wide snapshots split into tables'),
  stages: z
    .record(
      z
        .string()
        .regex(/^[a-z](?:-?[a-z0-9]){0,11}$/, { error: 'expected up to 12 lower case letters, digits and hyphens' }),
      stageYamlOf(duration, channel),
    )
    .optional()
    .describe('Deployments by name, such as dev, beta and prod'),
});

export type LakeYaml = z.infer<typeof lakeYaml>;
export type RuleYaml = z.infer<typeof rule>;

/** JSON Schema (2020-12) of lake.yaml, for editors: `# yaml-language-server: $schema=lake.schema.json`. */
export function lakeYamlJsonSchema(): Record<string, unknown> {
  return { title: 'lake.yaml', ...z.toJSONSchema(lakeYaml, { io: 'input' }) };
}
