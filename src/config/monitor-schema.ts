import * as z from 'zod';
import { isBucketName } from './bucket-name.ts';
import { BYTE_SIZE_PATTERN } from './byte-size.ts';
import { folder, namePart } from './reports-schema.ts';

const text = z.string().min(1);

const byteSize = z
  .string({ error: 'expected a size such as 512MB or 16MiB' })
  .regex(BYTE_SIZE_PATTERN, { error: 'expected a size such as 512MB or 16MiB' });

/** The data monitor report in lake.yaml. @param duration a duration such as `1d` @param channel a Slack channel */
export function monitorYamlOf<D extends z.ZodType<string>, C extends z.ZodType<string>>(duration: D, channel: C) {
  const thresholds = {
    partitions: z
      .union([z.int().min(1), z.strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional() })])
      .optional()
      .describe('Partitions that the newest snapshot should have. Default: any number'),
    freshness: duration.optional().describe('Greatest age of the newest snapshot or commit. Default: 45d'),
    row_change: z
      .number()
      .min(0)
      .optional()
      .describe('Percent by which the rows may differ from the snapshot before. Default: 20'),
    file_size: z
      .strictObject({
        min: byteSize.optional().describe('Default: 16MB'),
        max: byteSize.optional().describe('Default: 2GB'),
        small_files: z.int().min(0).optional().describe('So many smaller files are taken as they are. Default: 10'),
      })
      .optional(),
    key: z
      .union([text, z.array(text).min(1)])
      .optional()
      .describe('Columns without nulls whose combination does not repeat'),
    key_rows: z
      .int()
      .min(0)
      .optional()
      .describe('Tables with more rows are not searched for repeated keys. Default: 10000000'),
    snapshot_key: text.optional().describe('Partition key that tells snapshots apart. Default: snapshot_dt'),
  };
  return z
    .strictObject({
      folder: folder.optional().describe('Folder of the reports. Default: data-monitor/'),
      name_prefix: namePart.optional().describe("Start of the files' names. Default: ACX"),
      every: duration.optional().describe('On a stage: how often it is made, from 1h on. Default: 1d'),
      channel: channel.optional().describe("Slack channel for its summary. Default: the lake's"),
      databases: z
        .array(
          z.strictObject({
            name: text,
            prefix: text.optional().describe("What the tables' names begin with"),
            buckets: z
              .array(z.string().refine(isBucketName, { error: "expected a bucket's name" }))
              .optional()
              .describe('On a stage: buckets that their files lie in, which the report then may read'),
          }),
        )
        .optional()
        .describe('Glue databases whose Parquet tables are watched too'),
      folders: z.array(text).optional().describe('Folders or s3:// URLs in which each folder is a Parquet table'),
      ...thresholds,
      tables: z
        .record(text, z.strictObject(thresholds))
        .optional()
        .describe('Other thresholds for some tables, by name; * stands for any characters'),
    })
    .describe('The data monitor report');
}

export type MonitorYaml = z.infer<ReturnType<typeof monitorYamlOf>>;
export type MonitorThresholdsYaml = NonNullable<MonitorYaml['tables']>[string];
