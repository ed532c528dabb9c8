import type { PartitionKey } from './model.ts';

/** What of a Glue table tells whether its partitions are to be managed. */
export interface GlueTableFacts {
  name: string;
  type?: string;
  parameters: Readonly<Record<string, string>>;
  keys: readonly PartitionKey[];
  location?: string;
  /** Set for a resource link: the table it leads to. */
  target?: unknown;
}

/** Why a table is left alone. */
export interface Skip {
  reason: 'resource-link' | 'view' | 'iceberg' | 'delta' | 'hudi' | 'projection' | 'unpartitioned' | 'not-on-s3';
  /** For a person. */
  text: string;
}

/**
 * Whether a table's partitions are none of ours to manage, and why. Parameters are looked at without regard to case, as Athena does.
 * @returns undefined for a table whose partitions are folders on S3 that Glue has to be told of
 */
export function skipReason(table: GlueTableFacts): Skip | undefined {
  const parameters = new Map(Object.entries(table.parameters).map(([key, value]) => [key.toLowerCase(), value]));
  const parameter = (key: string) => (parameters.get(key) ?? '').toLowerCase();
  // Engines leave each its own mark: Spark's Delta tables may be classified as parquet, which their files are.
  const formats = ['table_type', 'classification', 'spark.sql.sources.provider'].map(parameter);
  if (table.target !== undefined) {
    return { reason: 'resource-link', text: 'a link to a table elsewhere: manage its partitions there' };
  }
  if (/view/i.test(table.type ?? '')) return { reason: 'view', text: 'a view, which has no files of its own' };
  if (formats.includes('iceberg'))
    return { reason: 'iceberg', text: 'an Iceberg table, which keeps its own list of files' };
  if (formats.includes('delta')) return { reason: 'delta', text: 'a Delta table, which keeps its own list of files' };
  if (formats.includes('hudi') || [...parameters.keys()].some((key) => key.startsWith('hoodie.'))) {
    return { reason: 'hudi', text: 'a Hudi table, which keeps its own list of files' };
  }
  if (table.keys.length === 0) return { reason: 'unpartitioned', text: 'has no partition keys' };
  if (parameter('projection.enabled') === 'true') {
    return { reason: 'projection', text: 'projects its partitions: Athena works them out and never asks Glue' };
  }
  if (!/^s3[an]?:\/\/[^/]+/i.test(table.location ?? '')) {
    return {
      reason: 'not-on-s3',
      text: `lies ${table.location ? `at ${table.location}` : 'nowhere'}, expected an s3:// location`,
    };
  }
  return undefined;
}
