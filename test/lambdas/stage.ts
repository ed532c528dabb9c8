/** A stage of a lake in memory for handlers: its buckets' names are S3's, its bus and its observer write down what they hear. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'aws-lambda';
import { openStage, type StageLake } from '../../lambdas/compose.ts';
import type { Observer } from '../../lambdas/observer.ts';
import type { StageLakeConfig } from '../../lambdas/stage-config.ts';
import type { ComposeOptions } from '../../src/compose.ts';
import { tableDefaults } from '../../src/config/defaults.ts';
import type { TableConfig } from '../../src/config/model.ts';
import type { BusDetail, BusEntry } from '../../src/notify/bus-entry.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ExpectedObject, ObjectStore } from '../../src/storage/store.ts';
import { created } from '../events/samples.ts';

const folders: string[] = [];
const opened: StageLake[] = [];

/** For `afterEach`. */
export function closeStages(): void {
  for (const { lake } of opened.splice(0)) lake.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lakegate-lambda-'));
  folders.push(folder);
  return folder;
}

export function stageConfig(folder: string, table: Partial<TableConfig> = {}): StageLakeConfig {
  const warehouse = 's3://lake-bucket/warehouse/';
  const bucket = (name: string) => ({ name, existing: false });
  return {
    raw: 's3://raw-bucket/',
    warehouse,
    records: 's3://lake-bucket/lakegate/deliveries/',
    defaultCatalog: 'local',
    catalogs: { local: { type: 'sql', uri: `sqlite:///${folder}/catalog.db`, catalogName: 'local', warehouse } },
    tables: [{ ...tableDefaults(), name: 'shop.orders', prefix: 'orders/', ...table }],
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

/** A store in memory whose objects have S3's URLs. */
export function memoryBuckets(now: () => number = Date.now): ObjectStore {
  const inner = createMemoryStore(now);
  const at = (url: string) => url.replace(/^s3:\/\//, 'memory:/');
  return {
    async head(url) {
      const found = await inner.head(at(url));
      return found && { ...found, url };
    },
    open: (url: string, expected?: ExpectedObject) => inner.open(at(url), expected),
    read: (url) => inner.read(at(url)),
    create: (url, bytes) => inner.create(at(url), bytes),
    replace: (url, bytes, etag) => inner.replace(at(url), bytes, etag),
    copy: (from, to, expected) => inner.copy(at(from), at(to), expected),
    writer: (url) => inner.writer(at(url)),
    delete: (urls) => inner.delete(urls.map(at)),
    async *list(prefix) {
      const from = at(prefix);
      for await (const object of inner.list(from))
        yield { ...object, url: `${prefix}${object.url.slice(from.length)}` };
    },
  };
}

/** What an observer was told. */
export interface Seen {
  observer: Observer;
  lines: { level: string; event: string; [field: string]: unknown }[];
  measures: { table?: string; [metric: string]: unknown }[];
  /** Sum of a metric over all its values. */
  total(metric: string): number;
}

export function seeing(): Seen {
  const lines: Seen['lines'] = [];
  const measures: Seen['measures'] = [];
  const line =
    (level: string) =>
    (event: string, fields: object = {}) =>
      void lines.push({ ...fields, level, event });
  return {
    lines,
    measures,
    observer: {
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      measure: (values, dimensions) => void measures.push({ ...values, ...dimensions }),
    },
    total: (metric) =>
      measures
        .flatMap((values) => (values[metric] as number | number[] | undefined) ?? [])
        .reduce((sum, value) => sum + value, 0),
  };
}

export interface TestStage extends Seen {
  stage: StageLake;
  config: StageLakeConfig;
  store: ObjectStore;
  /** What the bus took. */
  told: BusDetail[];
  /** Puts an object under a key of the raw bucket. @returns EventBridge's event of it */
  put(key: string, content: string | Uint8Array): Promise<ReturnType<typeof created>>;
}

export interface TestStageOptions {
  table?: Partial<TableConfig>;
  config?: (config: StageLakeConfig) => StageLakeConfig;
  lake?: Partial<ComposeOptions>;
  /** Stands in for the bus. */
  put?: (entries: readonly BusEntry[]) => (string | undefined)[];
  store?: ObjectStore;
  folder?: string;
}

/** Opens the stage as a function does, by the configuration file that is packed with it. */
export async function testStage(options: TestStageOptions = {}): Promise<TestStage> {
  const folder = options.folder ?? newFolder();
  const path = join(folder, 'lake.json');
  const plain = stageConfig(folder, options.table);
  writeFileSync(path, JSON.stringify(options.config?.(plain) ?? plain));
  const store = options.store ?? memoryBuckets(options.lake?.now);
  const told: BusDetail[] = [];
  const stage = await openStage({
    env: { LAKEGATE_CONFIG_FILE: path },
    lake: { store, ...options.lake },
    put: async (entries) => {
      const codes = options.put?.(entries) ?? entries.map(() => undefined);
      for (const [index, entry] of entries.entries()) {
        if (codes[index] === undefined) told.push(JSON.parse(entry.Detail) as BusDetail);
      }
      return codes;
    },
  });
  opened.push(stage);
  const seen = seeing();
  return {
    ...seen,
    stage,
    config: stage.config,
    store,
    told,
    async put(key, content) {
      const url = `s3://raw-bucket/${key}`;
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      const before = await store.head(url);
      const { etag } = (await (before ? store.replace(url, bytes, before.etag) : store.create(url, bytes)))!;
      return created({ key, size: bytes.length, etag });
    },
  };
}

/** What Lambda tells a handler, as far as ours ask. */
export function lambdaContext(remainingMs = 300_000): Context {
  return {
    functionName: 'lake-dev-wap-audit',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:lake-dev-wap-audit',
    memoryLimitInMB: '1024',
    awsRequestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
    logGroupName: '/aws/lambda/lake-dev-wap-audit',
    logStreamName: '2026/11/12/[$LATEST]0123456789abcdef',
    getRemainingTimeInMillis: () => remainingMs,
  } as Context;
}
