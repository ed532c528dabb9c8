import * as z from 'zod';
import { isBucketName } from './bucket-name.ts';
import { region } from './catalog-schema.ts';

const BUCKET = 'expected the name of an S3 bucket: 3 to 63 lower case letters, digits, hyphens and dots';

const bucketName = z.string().refine(isBucketName, { error: BUCKET });

const bucket = z.strictObject({
  name: bucketName.optional().describe('Default: <name>-<stage>-<purpose>-<account>-<region>'),
  existing: z.boolean().optional().describe('Whether it is there already and is only used. Default: false'),
});

/** CloudWatch Logs' retention times, in days (API reference, PutRetentionPolicy). */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const email = z.email({ error: 'expected an e-mail address' });

/**
 * A stage in lake.yaml: one deployment.
 * @param duration a duration such as `5m`
 * @param channel a Slack channel
 */
export function stageYamlOf<D extends z.ZodType<string>, C extends z.ZodType<string>>(duration: D, channel: C) {
  return z.strictObject({
    account: z
      .string({ error: 'expected an AWS account id: twelve digits, in quotes' })
      .regex(/^\d{12}$/, { error: 'expected an AWS account id: twelve digits, in quotes' })
      .describe('AWS account, in quotes'),
    region: region.describe('AWS region'),
    catalog: z
      .string()
      .min(1)
      .optional()
      .describe('Catalogue where a table names none. Default: nessie where the stage brings one, else glue'),
    channel: channel
      .optional()
      .describe("Slack channel for everything of this stage. Default: the tables' and the lake's"),
    buckets: z
      .strictObject({
        raw: bucket.optional().describe('Drops land here'),
        lake: bucket.optional().describe('Tables and delivery records'),
        results: bucket.optional().describe('Query results and reports'),
      })
      .optional()
      .describe('Default: all three are created'),
    gate: z
      .strictObject({
        memory: z.int().min(256).max(10_240).optional().describe('Megabytes of the audit function. Default: 1024'),
        timeout: duration.optional().describe('Longest invocation, at most 15m. Default: 5m'),
        batch_size: z.int().min(1).max(10_000).optional().describe('Drops handed over at once. Default: 100'),
        batch_window: duration.optional().describe('How long a batch waits to fill, at most 5m. Default: 5s'),
        concurrency: z.int().min(2).max(1_000).optional().describe('Invocations at the same time. Default: 10'),
        attempts: z
          .int()
          .min(1)
          .max(1_000)
          .optional()
          .describe('Attempts before an event goes to the dead-letter queue. Default: 5'),
      })
      .optional()
      .describe('Sizes of the gate'),
    log_days: z
      .int()
      .refine((days) => LOG_DAYS.includes(days), {
        error: `expected one of CloudWatch's retention times: ${LOG_DAYS.join(', ')}`,
      })
      .optional()
      .describe('Days that logs are kept. Default: 30'),
    alarm_email: email.optional().describe('Hears of alarms too. Default: Slack alone'),
    nessie: z
      .enum(['fargate', 'lightsail'])
      .optional()
      .describe(
        'Brings a Nessie catalogue with it: private on Fargate, or a cheap public Lightsail service. Default: none',
      ),
    destroy_data: z
      .boolean()
      .optional()
      .describe(
        'Whether `cdk destroy` deletes data, if it is asked for a second time by `-c destroyData=STAGE`. Default: false',
      ),
  });
}
