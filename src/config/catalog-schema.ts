import * as z from 'zod';

const text = z.string().min(1);

/** Name of an environment variable: whoever pastes the secret itself here is told so, without it being repeated. */
export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, {
  error: 'expected the name of an environment variable, never the token itself',
});

/** Name or ARN of a Secrets Manager entry, and after `#` the field where the entry is JSON. */
export const secretName = z.string().regex(/^[A-Za-z0-9/_+=.@:-]{1,512}(#[A-Za-z0-9_.-]{1,100})?$/, {
  error:
    'expected the name of a Secrets Manager entry such as lakegate/slack, or lakegate/slack#token for a field of it',
});

export const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, {
  error: 'expected an AWS region such as eu-west-1',
});

const auth = z.strictObject({
  sigv4: z
    .enum(['glue', 's3tables', 'execute-api'])
    .optional()
    .describe('Requests are signed with the AWS credentials, for this service'),
  token_env: variableName.optional().describe('Environment variable that holds a bearer token'),
  token_secret: secretName.optional().describe('Secrets Manager entry that holds a bearer token'),
  credential_env: variableName
    .optional()
    .describe('Environment variable that holds `client-id:client-secret` (OAuth 2)'),
  credential_secret: secretName
    .optional()
    .describe('Secrets Manager entry that holds `client-id:client-secret` (OAuth 2)'),
  server_uri: z.url().optional().describe("OAuth 2 token endpoint. Default: the catalogue's own"),
  scope: text.optional().describe('OAuth 2 scope. Default: catalog'),
});

/** A catalogue in lake.yaml. Which keys go with which type is checked in `check-catalog.ts`. */
export const catalogYaml = z.strictObject({
  type: z.enum(['sql', 'glue', 'rest', 's3tables', 'nessie']).describe('What kind of catalogue it is'),
  uri: text
    .optional()
    .describe('sql: SQLite database (default: sqlite:///catalog.db). rest, nessie: URL of the server'),
  catalog_name: text.optional().describe("sql: `catalog_name` in the catalogue's rows. Default: the name it has here"),
  warehouse: text
    .optional()
    .describe("Folder of new tables. Default: the lake's warehouse; the server's where it has one"),
  server_warehouse: text
    .optional()
    .describe('rest, nessie: what the server calls the warehouse. Default: its own default'),
  region: region.optional().describe("AWS region. Default: the stage's, else AWS_REGION"),
  catalog_id: z
    .string()
    .regex(/^\d{12}$/, { error: 'expected an AWS account id: twelve digits, in quotes' })
    .optional()
    .describe("glue: account whose catalogue it is. Default: the caller's"),
  arn: z
    .string()
    .regex(/^arn:aws[a-z-]*:s3tables:[a-z0-9-]+:\d{12}:bucket\/[a-z0-9-]{3,63}$/, {
      error: 'expected the ARN of an S3 table bucket: arn:aws:s3tables:REGION:ACCOUNT:bucket/NAME',
    })
    .optional()
    .describe('s3tables: the table bucket'),
  branch: text.optional().describe('nessie: branch that readers see. Default: main'),
  auth: auth.optional().describe('rest, nessie: how lakegate signs in. Default: not at all'),
});

export type CatalogYaml = z.infer<typeof catalogYaml>;
