import * as z from 'zod';
import { isBucketName } from './bucket-name.ts';

const pattern = z.string().regex(/^[^\s/]+$/, { error: 'expected a name such as web_raw, or a pattern such as *_raw' });
const patterns = z.union([pattern, z.array(pattern).min(1)]);

const layout = z
  .string()
  .min(1)
  .describe('hive (key=value folders), or a template such as {year}/{month}/{day} or dt={dt:YYYYMMDD}');

/**
 * `partitions:` in lake.yaml.
 * @param duration a duration such as `3d`
 */
export function partitionsYamlOf<D extends z.ZodType<string>>(duration: D) {
  const every = z.union([z.literal('off'), duration]);
  const lookback = duration.optional();
  const remove = z.boolean().optional();
  const updateSchema = z.boolean().optional();
  return z.strictObject({
    databases: patterns.optional().describe('Glue databases by name, * for any text. Default: *_raw'),
    exclude: patterns.optional().describe('Databases left alone, likewise. Default: none'),
    lookback: lookback.describe('How far back from the newest partition an incremental run looks. Default: 3d'),
    remove: remove.describe('Whether partitions whose folder is gone are taken out of the catalogue. Default: false'),
    update_schema: updateSchema.describe('Whether partitions get the columns their table has by now. Default: false'),
    schedule: z
      .strictObject({
        incremental: every.optional().describe('Folders since the look-back. Default: 15m'),
        full: every.optional().describe('All folders. Default: 1d'),
        reconcile: every.optional().describe('All folders against all partitions of Glue. Default: 7d'),
      })
      .optional()
      .describe('On a stage: how often each kind of run is made, or off'),
    concurrency: z.int().min(1).max(100).optional().describe('Databases at the same time. Default: 10'),
    buckets: z
      .array(z.string().refine(isBucketName, { error: 'expected the name of an S3 bucket' }))
      .optional()
      .describe("Buckets besides the stage's raw one whose events are listened to"),
    tables: z
      .record(
        z.string().regex(/^[^\s/.]+\.[^\s/]+$/, { error: 'expected database.table, * for any text' }),
        z.strictObject({
          layout: layout.optional(),
          lookback: lookback.describe('Default: that of all'),
          remove: remove.describe('Default: that of all'),
          update_schema: updateSchema.describe('Default: that of all'),
          skip: z.string().min(1).optional().describe('Why the table is left alone'),
        }),
      )
      .optional()
      .describe('Settings of single tables by database.table, * for any text; the last that matches counts'),
  });
}
