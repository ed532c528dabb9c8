/**
 * `npm run bench -- lambda-init`: how long the wap-audit function takes to start, beside the imports that the same work in Python begins with, in
 * turn in one run. Both are whole processes less an empty one of the same language.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleLambda } from '../../scripts/build-lambdas.ts';
import { tableDefaults } from '../../src/config/defaults.ts';
import type { LakeConfig } from '../../src/config/model.ts';

const root = resolve(import.meta.dirname, '..', '..');
const node = join(root, 'node_modules', '.bin', 'node');
const PYTHON_IMPORTS = 'import pyiceberg.catalog, pyarrow';

/**
 * All that a first delivery has loaded before it asks anybody: the handler, composed by an event that nothing comes of, and the clients that wait
 * for their first use. Those of Glue come with the composition.
 */
const RUN = `const { readdirSync } = await import('node:fs');
const { handler } = await import('./handler.mjs');
await handler({ Event: 's3:TestEvent', Service: 'Amazon S3' }, { getRemainingTimeInMillis: () => 60000 });
const clients = readdirSync(import.meta.dirname).filter((file) => /^(s3|event-bridge)-.*[.]mjs$/.test(file));
if (clients.length !== 2) throw new Error('expected the chunks of two clients, found ' + clients);
for (const file of clients) await import('./' + file);
`;

/**
 * @param runs of each, in turn
 * @param python with PyIceberg and pyarrow
 * @returns lines of a Markdown table: medians in milliseconds
 */
export async function lambdaInit(runs: number, python: string, scratch: string): Promise<string[]> {
  const folder = join(scratch, 'lambda-init');
  await bundleLambda('wap-audit', folder, config());
  writeFileSync(join(folder, 'run.mjs'), RUN);
  writeFileSync(join(folder, 'empty.mjs'), '');
  const env = {
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'eu-central-1',
    POWERTOOLS_SERVICE_NAME: 'wap-audit',
  };
  const commands = {
    emptyNode: [node, join(folder, 'empty.mjs')],
    lambda: [node, join(folder, 'run.mjs')],
    emptyPython: [python, '-c', ''],
    python: [python, '-c', PYTHON_IMPORTS],
  } as const;
  const times: Record<keyof typeof commands, number[]> = { emptyNode: [], lambda: [], emptyPython: [], python: [] };
  for (let run = -1; run < runs; run += 1) {
    for (const [name, [program, ...args]] of Object.entries(commands) as [keyof typeof commands, readonly string[]][]) {
      const started = performance.now();
      const { status, stderr } = spawnSync(program!, args, { env, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr.slice(-500)}`);
      // The first round only fills the file system's cache.
      if (run >= 0) times[name].push(performance.now() - started);
    }
  }
  const lambda = median(times.lambda) - median(times.emptyNode);
  const imports = median(times.python) - median(times.emptyPython);
  return [
    '| start of | milliseconds beyond an empty process |',
    '| --- | ---: |',
    `| wap-audit with its clients of S3, Glue and EventBridge, composed | ${lambda.toFixed(0)} |`,
    `| \`${PYTHON_IMPORTS}\` | ${imports.toFixed(0)} |`,
    '',
    `ratio ${(lambda / imports).toFixed(2)}; aim: at most 0.20`,
  ];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function config(): LakeConfig {
  const warehouse = 's3://lake-bucket/warehouse/';
  const bucket = (name: string) => ({ name, existing: false });
  return {
    raw: 's3://raw-bucket/',
    warehouse,
    records: 's3://lake-bucket/lakegate/deliveries/',
    defaultCatalog: 'glue',
    catalogs: { glue: { type: 'glue', warehouse, region: 'eu-central-1' } },
    tables: [{ ...tableDefaults(), name: 'shop.orders', prefix: 'orders/' }],
    notify: { suppressMs: 0 },
    name: 'lake',
    stages: ['dev'],
    stage: {
      name: 'dev',
      account: '111122223333',
      region: 'eu-central-1',
      buckets: { raw: bucket('raw-bucket'), lake: bucket('lake-bucket'), results: bucket('results-bucket') },
      gate: { memory: 1024, timeout: 300, batchSize: 100, batchWindow: 5, concurrency: 10, attempts: 5 },
      logDays: 30,
      destroyData: false,
    },
  };
}
