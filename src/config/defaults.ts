import type { TableConfig } from './model.ts';

/** Names stacks, buckets and functions where lake.yaml does not. */
export const LAKE_NAME = 'lakegate';

/**
 * What a table is like where neither it nor `defaults:` says so; also every table of a lake without lake.yaml.
 * A fresh object each time: the caller may keep and change it.
 */
export function tableDefaults(): Omit<TableConfig, 'name' | 'prefix'> {
  return {
    format: 'auto',
    ingest: 'copy',
    mode: 'append',
    schemaPolicy: 'strict',
    partitionBy: [],
    onFailure: 'keep_branch',
    keepBranchMs: 14 * 86_400_000,
    rules: [{ rule: 'not_null', columns: '*' }],
    csv: { delimiter: ',', quote: '"', header: true, nullValue: [''] },
    properties: {},
  };
}
