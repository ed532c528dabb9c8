/** What `lakegate init` knows about the lake to be. */
export interface TemplateOptions {
  /** Folder of the drops. Default: `./raw` */
  raw?: string;
  /** Folder of the tables' files. Default: `./warehouse` */
  warehouse?: string;
  /** Tables to start with; one example when there are none. */
  tables?: { name: string; from: string }[];
  /** Slack channel; commented out when there is none. */
  channel?: string;
}

/**
 * The commented lake.yaml that `lakegate init` writes: it loads without faults as it is, and names the settings people reach for first.
 * Values are quoted where YAML needs it.
 */
export function lakeYamlTemplate(options: TemplateOptions = {}): string {
  const tables = options.tables?.length ? options.tables : [{ name: 'sales.orders', from: 'orders/' }];
  return `# What this lake is. Every key: docs/lake-yaml.md.
# For an editor that checks it as you type: lakegate schema > lake.schema.json,
# and the comment line "yaml-language-server: $schema=lake.schema.json" at the top.
version: 1

# Folders, relative to this file. Files dropped under raw are audited, then written under warehouse.
raw: ${scalar(options.raw ?? './raw')}
warehouse: ${scalar(options.warehouse ?? './warehouse')}

# Settings of every table that does not have its own.
defaults:
  on_failure: keep_branch     # or discard: what becomes of a delivery that failed its audit
  keep_branch_for: 14d
  schema: strict              # or add_columns: deliveries may bring new columns
  rules:
    - not_null: "*"           # every column of every row has a value

tables:
${tables.map(table).join('\n')}
${notification(options.channel)}`;
}

function table({ name, from }: { name: string; from: string }): string {
  return `  ${scalar(name)}:
    from: ${scalar(from)}             # files under raw/ that belong to this table
    format: auto              # by extension; or parquet, csv, jsonl
    mode: append              # or overwrite, overwrite_partitions
    # columns: { id: long, ordered_at: timestamp, amount: "decimal(10, 2)" }   # default: from the first file
    # partition_by: [day(ordered_at), region]
    # owner: data-team@example.com
    # rules:                  # instead of the rules under defaults
    #   - not_null: [id, ordered_at]
    #   - unique: [id]
    #   - row_count: { min: 1 }
    #   - range: { column: amount, min: 0, max: 10000 }
    #   - accepted_values: { column: status, values: [new, paid] }
    #   - freshness: { column: ordered_at, within: 24h }
    #   - sql: { name: totals add up, query: "SELECT * FROM delivery WHERE total <> net + tax" }
`;
}

function notification(channel: string | undefined): string {
  const [mark, name] = channel === undefined ? ['# ', '#data-quality'] : ['', channel];
  return `# Whom to tell when a delivery is stopped. The token itself never stands here.
${mark}notify:
${mark}  slack: { channel: ${JSON.stringify(name)}, token_env: SLACK_TOKEN }
`;
}

/** Plain where YAML reads it back as the same text, else in double quotes (JSON strings are YAML strings). */
function scalar(text: string): string {
  const plain = /^[A-Za-z_./][\w./-]*$/.test(text) && !/^(true|false|null|\.inf|\.nan)$/i.test(text);
  return plain ? text : JSON.stringify(text);
}
