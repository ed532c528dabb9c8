import * as z from 'zod';
import { BYTE_SIZE_PATTERN } from './byte-size.ts';

const text = z.string().min(1);

/** Part of a state's, a folder's and a Glue table's name. */
const name = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, {
  error: 'expected up to 40 lower case letters, digits and underscores, a letter first',
});

const prefix = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, {
  error: 'expected lower case letters, digits and underscores such as part_',
});

const table = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_]{0,199}$/, {
  error: 'expected letters, digits and underscores, such as addressable_ids',
});

const columnName = z.string().regex(/^[^\s,=]+$/, { error: "expected a column's name without blanks, commas and =" });

/**
 * `pipelines:` in lake.yaml.
 * @param duration a duration such as `7d`
 * @param rule a rule of the audit
 */
export function pipelinesYamlOf<D extends z.ZodType<string>, R extends z.ZodType>(duration: D, rule: R) {
  const rules = z.array(rule);
  const auditOf = <S extends z.ZodRawShape>(shape: S) =>
    z.union([z.literal('off'), z.strictObject({ rules: rules.optional(), ...shape })]).optional();
  const pipeline = {
    sources: z.array(name).min(1).optional().describe('Sources that it splits, in order. Default: all'),
    target: text
      .optional()
      .describe('Folder of its tables, where a folder of each source is. Default: tables/<pipeline>/'),
    database: text
      .regex(/^[a-z0-9_-]{1,252}$/, { error: 'expected the name of a Glue database, in lower case' })
      .describe('Glue database of its tables'),
    max_columns: z
      .int()
      .min(2)
      .max(1_000)
      .optional()
      .describe('Wider tables fail, partition keys counted. Default: 100, which is what Clean Rooms takes'),
    cut: z.boolean().optional().describe('Whether wider tables lose their last columns instead. Default: false'),
    audit: auditOf({}).describe('Rules for each table before it is registered, or off. Default: the key is never null'),
    reports: z
      .array(z.enum(['cleanrooms', 'monitor']))
      .optional()
      .describe('Reports of this lake that are made when it has ended'),
  };
  return z.strictObject({
    sources: z
      .record(
        name,
        z.strictObject({
          path: text.describe('Folder of the snapshots: under `raw`, or an s3:// URL'),
          map: text.optional().describe('Split map: a CSV file beside lake.yaml, or an s3:// URL'),
          table: table.optional().describe("Without a map: the table of all columns. Default: the source's name"),
          key: columnName.optional().describe('Column that each table carries first. Default: customer_user_id'),
          aliases: z
            .record(columnName, columnName)
            .optional()
            .describe('Source columns under other names: source: name'),
          marker: z
            .string()
            .regex(/^[A-Za-z0-9_.-]+$/, { error: "expected an object's name such as _SUCCESS" })
            .optional()
            .describe('A snapshot counts only with this object in it. Default: every one counts'),
          strict: z
            .boolean()
            .optional()
            .describe('Whether anything noted of map and source stops the run. Default: false'),
          audit: auditOf({
            max_row_change: z
              .number()
              .min(0)
              .optional()
              .describe('Share by which rows may differ from the last snapshot. Default: 0.2'),
          }).describe(
            'What a snapshot is held to before it is split, or off. Default: the key is never null and unique',
          ),
        }),
      )
      .describe('Where wide snapshots arrive, by name'),
    bucketed: z
      .strictObject({
        ...pipeline,
        engine: z.enum(['copy', 'spark']).optional().describe('Default: spark for direct, copy for ctas'),
        bucketing: z.enum(['direct', 'ctas']).optional().describe('Default: direct'),
        buckets: z.int().min(1).max(99_999).optional().describe('Default: 256'),
        table_prefix: prefix.optional().describe('Default: bucketed_'),
        staged_prefix: prefix.optional().describe("Of ctas: what staged tables' names begin with. Default: ext_"),
        keep_versions: duration.optional().describe('Of ctas: how long replaced versions are kept. Default: 7d'),
      })
      .optional()
      .describe('Tables whose rows lie in buckets of the key'),
    partitioned: z
      .strictObject({
        ...pipeline,
        engine: z.enum(['copy', 'spark']).optional().describe('Default: copy'),
        table_prefix: prefix.optional().describe('Default: part_'),
        prepare: z.enum(['sync', 'msck']).optional().describe('How partitions get into Glue. Default: sync'),
        entity_resolution: table
          .optional()
          .describe(
            "Glue table that Entity Resolution's, of the same name and _er, is made of each time. Default: none",
          ),
        keep_versions: duration
          .optional()
          .describe("How long replaced versions of Entity Resolution's table are kept. Default: 7d"),
      })
      .optional()
      .describe('Tables with a partition for each snapshot'),
    file_size: z
      .string()
      .regex(BYTE_SIZE_PATTERN, { error: 'expected a size such as 512MB' })
      .optional()
      .describe('Size of an output file. Default: 512MiB'),
    concurrency: z.int().min(1).max(40).optional().describe('Tables or pieces at the same time. Default: 5'),
    glue: z
      .strictObject({
        worker_type: z.enum(['G.1X', 'G.2X', 'G.4X', 'G.8X', 'G.12X', 'G.16X']).optional().describe('Default: G.4X'),
        workers: z.int().min(2).max(299).optional().describe('Default: 8'),
        timeout: duration.optional().describe('Longest job, in whole minutes. Default: 4h'),
      })
      .optional()
      .describe('Spark jobs of pipelines with `engine: spark`'),
    start: z
      .strictObject({
        schedule: z
          .string()
          .regex(/^(cron|rate)\([^()]+\)$/, { error: 'expected cron(…) or rate(…) as EventBridge has it' })
          .optional()
          .describe('When both are run. Default: never by the clock'),
        on_marker: z
          .boolean()
          .optional()
          .describe("Whether a source's marker runs both when it arrives. Default: false"),
      })
      .optional()
      .describe('On a stage: what starts them besides a person'),
  });
}
