/** The Spark job's arguments: documented, each of them, and under the names that the command passes. */
import { readFileSync } from 'node:fs';
import { sparkArguments } from '../../src/cli/tables-split-engines.ts';
import type { WritingJob } from '../../src/cli/tables-split-job.ts';

const script = readFileSync('glue/split.py', 'utf8');
const block = /^DEFAULTS = \{$(.*?)^\}$/ms.exec(script)![1]!;
const defaults = new Map([...block.matchAll(/^ {4}"(\w+)": "(.*)",$/gm)].map(([, name, value]) => [name!, value!]));

test('the script has arguments', () => {
  expect(defaults.size).toBeGreaterThan(15);
  expect(defaults.size).toBe(block.trim().split('\n').length);
});

test('docs/split-tables.md explains every argument, and no other', () => {
  const section = readFileSync('docs/split-tables.md', 'utf8').split('## The Spark job')[1]!.split('\n## ')[0]!;
  const documented = [...section.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name!);
  expect(documented.sort()).toEqual([...defaults.keys()].sort());
});

test('what the command passes are arguments of the script, the same where nothing was asked for', () => {
  const options = { targetMb: 0.4, bucketCount: 256 };
  const request = {
    source: "file:///a b/%41 it's/",
    target: 'file:///out/',
    layout: 'plain',
    key: 'k',
    aliases: { A: 'b', C: 'd' },
    only: ['T', 'U'],
    strict: true,
    snapshot: '2026-01-31',
    marker: '_SUCCESS',
    table: 'ids',
  };
  const all = sparkArguments({ options, request, buckets: { column: 'k', count: 7 } } as unknown as WritingJob);
  expect(Object.keys(all).filter((name) => !defaults.has(name))).toEqual([]);
  expect(all).toMatchObject({
    MODE: 'bucketed',
    // Paths in URLs are literal.
    SOURCE_PATH: "/a b/%41 it's/",
    ALIASES: 'A=b,C=d',
    TABLES_FILTER: 'T,U',
    TARGET_FILE_MB: '1',
    BUCKETING: 'direct',
  });
  const none = { ...request, layout: 'partitioned', aliases: {}, only: [], strict: false };
  const { snapshot: _, marker: __, table: ___, ...least } = none;
  const few = sparkArguments({
    options: { ...options, targetMb: 512 },
    request: { ...least, key: 'customer_user_id' },
  } as unknown as WritingJob);
  for (const name of ['KEY_COL', 'TARGET_FILE_MB', 'STRICT', 'BUCKETING', 'BUCKET_COUNT']) {
    expect([name, few[name]]).toEqual([name, defaults.get(name)]);
  }
  expect(Object.keys(few)).not.toContain('ALIASES');
});
