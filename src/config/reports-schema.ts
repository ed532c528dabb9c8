import * as z from 'zod';
import { region } from './catalog-schema.ts';

const text = z.string().min(1);

const membershipId = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, {
  error: "expected a membership's id such as 1a2b3c4d-0000-1111-2222-333344445555",
});

/** Part of a file name, and of a name in Clean Rooms. */
export const namePart = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,40}$/, { error: 'expected up to 40 letters, digits, hyphens and underscores' });

const accountId = z.string().regex(/^\d{12}$/, { error: 'expected an AWS account id: twelve digits, in quotes' });

export const folder = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.=-]*(\/[A-Za-z0-9_][A-Za-z0-9_.=-]*)*\/?$/, {
  error: 'expected a folder in the results bucket, such as reports/',
});

/** The Clean Rooms report in lake.yaml. @param duration a duration such as `1d` @param channel a Slack channel */
export function cleanRoomsYamlOf<D extends z.ZodType<string>, C extends z.ZodType<string>>(duration: D, channel: C) {
  return z.strictObject({
    database: text.describe('Glue database whose tables are reported'),
    table_prefix: z.string().optional().describe('Tables whose names start with this. Default: part_'),
    skip_tables: z
      .array(text)
      .optional()
      .describe('Tables left out. Default: part_addressable_ids, part_addressable_ids_er'),
    must_be_ready: z
      .array(text)
      .optional()
      .describe('Tables that `lakegate report check` demands. Default: every table of the report'),
    membership: membershipId.optional().describe('One membership. Default: every active one'),
    region: region.optional().describe("Default: the stage's, else AWS_REGION"),
    association_prefix: namePart.optional().describe("What associations' names have before the table's. Default: acx_"),
    id_namespaces: z.array(text).optional().describe('ID namespaces that are reported. Default: all'),
    schema_mapping: text.optional().describe('Schema mapping where an ID namespace names none. Default: ACX_SCHEMA'),
    accounts: z.record(accountId, text).optional().describe('What to call AWS accounts, by id in quotes'),
    name_prefix: namePart.optional().describe("Start of the files' names. Default: ACX"),
    naming: z
      .enum(['timestamp', 'day'])
      .optional()
      .describe('day: a later run of a day replaces an earlier one. Default: timestamp'),
    collaboration_in_name: z
      .boolean()
      .optional()
      .describe("Whether files' names hold the collaboration's. Default: where there are several memberships"),
    folder: folder.optional().describe('Folder in the results bucket. Default: cleanrooms-reports/'),
    every: duration.optional().describe('On a stage: how often it is made, from 1h on. Default: 1d'),
    channel: channel.optional().describe("Slack channel for its summary. Default: the lake's"),
  });
}
