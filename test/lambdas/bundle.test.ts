/** What the functions' bundles weigh and hold, and that they start. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { bundleLambda, LAMBDAS, type LambdaName } from '../../scripts/build-lambdas.ts';
import type { CatalogConfig, LakeConfig } from '../../src/config/model.ts';
import { partitionsConfig } from '../../src/config/partitions.ts';
import { pipelinesConfig } from '../../src/config/pipelines.ts';
import { TEST_EVENT } from '../events/samples.ts';
import { closeStages, newFolder, stageConfig } from './stage.ts';

afterAll(closeStages);

const KB = 1000;

/** Zipped, all chunks but the source maps. KB (1,000 bytes). */
const LIMITS: Record<LambdaName, number> = {
  'wap-audit': 300,
  notify: 200,
  maintenance: 300,
  'partition-mgmt': 300,
  report: 350,
  tables: 300,
};

const warehouse = 's3://lake-bucket/warehouse/';
const PARTITIONS = partitionsConfig({}, 's3://lake-bucket/lakegate/partitions/');
const GLUE: CatalogConfig = { type: 'glue', warehouse, region: 'eu-central-1' };

const MAP = 'table,column\nIBE_01,a\n';
const LAKE = 's3://lake-bucket/';
const pipelinesOf = (map: string) =>
  pipelinesConfig(
    {
      sources: { infobase: { path: 'infobase/', map }, ids: { path: 'ids/' } },
      partitioned: { database: 'consumer' },
    },
    { folder: '/', raw: 's3://raw-bucket/', base: LAKE, tables: `${LAKE}tables/`, runs: `${LAKE}lakegate/tables/` },
  );

async function bundle(name: LambdaName) {
  const folder = newFolder();
  const map = join(newFolder(), 'infobase-map.csv');
  writeFileSync(map, MAP);
  const config = {
    ...stageConfig(folder),
    defaultCatalog: 'glue',
    catalogs: { glue: GLUE },
    partitions: PARTITIONS,
    pipelines: pipelinesOf(map),
  };
  const metafile = await bundleLambda(name, folder, config);
  const chunks = readdirSync(folder).filter((file) => !/\.map$|^maps$/.test(file));
  return { folder, chunks, inputs: Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs)) };
}

/** Bytes of a zip file: each file deflated, its local header and its entry in the directory. */
function zipped(folder: string, files: readonly string[]): number {
  const bytes = files.map((file) => {
    const content = deflateRawSync(readFileSync(join(folder, file)), { level: 9 });
    return content.length + 30 + 46 + 2 * Buffer.byteLength(file);
  });
  return bytes.reduce((sum, each) => sum + each, 22);
}

describe.each(LAMBDAS)('%s', (name) => {
  let built: Awaited<ReturnType<typeof bundle>>;
  beforeAll(async () => {
    built = await bundle(name);
  }, 60_000);

  test(`weighs at most ${LIMITS[name]} KB`, () => {
    const size = zipped(built.folder, built.chunks);
    process.stdout.write(`${name}: ${(size / KB).toFixed(1)} KB zipped, ${built.chunks.length} files\n`);
    expect(size).toBeLessThanOrEqual(LIMITS[name] * KB);
  });

  test('holds nothing that belongs to a laptop', () => {
    // The pipelines' function reads documents and requests by zod, whose code is of one piece.
    const zod = name === 'tables' ? '' : 'zod|';
    const laptop = new RegExp(`node_modules/(${zod}yaml|commander|chokidar|cli-progress|cli-table3|@duckdb|bowser)/`);
    const unwanted = built.inputs.filter(([path, { bytesInOutput }]) => laptop.test(path) && bytesInOutput > 300);
    expect(unwanted.map(([path]) => path)).toEqual([]);
  });

  if (name === 'tables') {
    test('brings the split maps that lie beside lake.yaml, wherever that is', () => {
      expect(readFileSync(join(built.folder, 'maps', 'infobase.csv'), 'utf8')).toBe(MAP);
      const { pipelines } = JSON.parse(readFileSync(join(built.folder, 'lake.json'), 'utf8')) as LakeConfig;
      expect(pipelines!.sources.map((source) => source.map)).toEqual(['maps/infobase.csv', undefined]);
    });

    test('a map that is not there is told when it is bundled', async () => {
      const folder = newFolder();
      const config = { ...stageConfig(folder), pipelines: pipelinesOf('/nowhere/map.csv') };
      await expect(bundleLambda('tables', folder, config)).rejects.toThrow(
        'pipelines.sources.infobase.map: expected a split map to deploy, found none that can be read at /nowhere/map.csv',
      );
    });
  }

  test('starts on plain Node, reads its packed configuration and answers', () => {
    const event = name === 'wap-audit' ? TEST_EVENT : name === 'notify' ? ignored() : { mode: 'nonsense' };
    const script = join(built.folder, 'run.mjs');
    writeFileSync(
      script,
      `const { handler } = await import('./handler.mjs');
       const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60000 };
       const answer = await handler(${JSON.stringify(event)}, context).catch((error) => ({ kind: error.kind, message: error.message }));
       console.log('\\nANSWER ' + JSON.stringify(answer));`,
    );
    const out = execFileSync(join(process.cwd(), 'node_modules', '.bin', 'node'), [script], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, AWS_REGION: 'eu-central-1', POWERTOOLS_SERVICE_NAME: name },
    });
    const answer: unknown = JSON.parse(/^ANSWER (.*)$/m.exec(out)![1]!);
    if (name === 'wap-audit') expect(answer).toEqual({ deliveries: [] });
    if (name === 'notify') expect(answer).toEqual({ batchItemFailures: [] });
    if (name === 'maintenance' || name === 'partition-mgmt' || name === 'report' || name === 'tables')
      expect(answer).toMatchObject({ kind: 'usage' });
  }, 30_000);
});

/** A message that nobody is told of. */
function ignored(): object {
  const body = JSON.stringify({ source: 'lakegate', detail: { event: 'table.upkeep_failed' } });
  return { Records: [{ messageId: 'm', body, attributes: {} }] };
}
