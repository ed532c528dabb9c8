/** The command against a stage that was deployed onto the emulator: as a person calls it, with the deployed gate at the other end. */
import { DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Redriven } from '../../src/cli/redrive.ts';
import type { Finding } from '../../src/doctor/verdict.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { type LakeFolder, lakeFolder, removeFolders, type Said } from '../cli/lake-folder.ts';
import { collect } from '../contract/collect.ts';
import { type Deployment, LAKE_YAML_ENDS, startDeployment } from './deployed/deployment.ts';

const LAKE_YAML = `
name: cli
tables:
  sales.orders:
    from: orders/
    columns: { id: long }
    rules: [{ not_null: [id] }]
  sales.customer_data_log: { from: customers/, rules: [{ not_null: "*" }] }
${LAKE_YAML_ENDS}`;

// A deployment takes longer than the calls that the folder is made for.
jest.setTimeout(240_000);

let deployment: Deployment;
let folder: LakeFolder;

beforeAll(async () => {
  deployment = await startDeployment({ lakeYaml: LAKE_YAML });
  folder = lakeFolder();
  folder.write('lake.yaml', LAKE_YAML);
});

afterAll(async () => {
  removeFolders();
  await deployment?.stop();
});

function lakegate(...words: string[]): Promise<Said> {
  return folder.run([...words, '--stage', 'dev'], { env: deployment.emulator.env });
}

async function json<T>(...words: string[]): Promise<{ code: number; value: T }> {
  const { code, out, err } = await lakegate(...words, '--json');
  if (out === '') throw new Error(`lakegate ${words.join(' ')} said nothing but: ${err}`);
  return { code, value: JSON.parse(out) as T };
}

interface Outcome {
  file: string;
  outcome: string;
  delivery?: DeliveryRecord;
}

function parquet(name: string, ids: readonly (number | null)[]): string {
  const data = ids.map((id) => (id === null ? null : BigInt(id)));
  return folder.write(
    name,
    new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'id', data, type: 'INT64', nullable: true }] })),
  );
}

async function rawKeys(): Promise<string[]> {
  const raw = `s3://${deployment.stage.buckets.raw.name}/`;
  return (await collect(deployment.lake.ports.store.list(raw))).map(({ url }) => url.slice(raw.length)).sort();
}

async function drop(...words: string[]) {
  const { code, value } = await json<Outcome[]>('drop', '--table', 'orders', ...words);
  const { raw } = deployment.stage.buckets;
  const ends = value.map(({ file, outcome, delivery }) =>
    [file.replace(`s3://${raw.name}/`, ''), outcome, delivery?.state ?? ''].join(' '),
  );
  return { code, ends, ids: value.map(({ delivery }) => delivery?.id ?? '') };
}

test('a stage that is deployed from this lake.yaml is found to be as it should be', async () => {
  const { code, value } = await json<{ stage: string; checks: Finding[] }>('doctor');
  const troubles = value.checks.filter(({ status }) => status !== 'ok');
  // The emulator encrypts by S3's own keys whatever the template says.
  expect(troubles.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'bucket raw warning',
    'bucket lake warning',
    'bucket results warning',
  ]);
  expect({ code, stage: value.stage }).toEqual({ code: 0, stage: 'dev' });
  expect(value.checks.length).toBeGreaterThan(20);
});

test('drops are taken by the deployed gate, and end here as on a laptop', async () => {
  expect(await drop(parquet('größe a+b %.parquet', [1, 2]))).toMatchObject({
    code: 0,
    ends: ['orders/größe a+b %.parquet ended published'],
  });
  expect(await drop(parquet('nulls.parquet', [3, null]))).toMatchObject({
    code: 3,
    ends: ['orders/nulls.parquet ended rejected'],
  });
  const corrupt = folder.write('corrupt.parquet', 'PAR1 this is no Parquet PAR1');
  expect(await drop(corrupt, parquet('three.parquet', [3]))).toMatchObject({
    code: 1,
    ends: ['orders/corrupt.parquet ended errored', 'orders/three.parquet ended published'],
  });
  expect((await json<DeliveryRecord[]>('delivery', 'list')).value).toHaveLength(4);
});

test('the same file is the same delivery, and another of its name lies beside it', async () => {
  const again = parquet('three.parquet', [3]);
  expect(await drop(again)).toMatchObject({ code: 0, ends: ['orders/three.parquet already published'] });
  expect(await drop(again, '--no-wait')).toMatchObject({ code: 0, ends: ['orders/three.parquet already published'] });
  expect(await drop(parquet('three.parquet', [33]))).toMatchObject({
    code: 0,
    ends: ['orders/three-2.parquet ended published'],
  });
  expect(await rawKeys()).toEqual(expect.arrayContaining(['orders/three-2.parquet', 'orders/three.parquet']));
});

test('load drops a generated file, and need not wait', async () => {
  const { code, value } = await json<Outcome[]>('load', '--no-null');
  expect([code, value[0]?.outcome, value[0]?.delivery?.rows]).toEqual([0, 'ended', 100]);
  const { code: left, out } = await lakegate('load', '--no-wait');
  expect(left).toBe(0);
  expect(out).toMatch(/^dropped {2}.*as delivery [0-9a-f]{20}\n +lakegate delivery show [0-9a-f]{20} --stage dev\n$/);
});

test('audit judges a file of this machine by the rules and the table of the stage', async () => {
  const before = await rawKeys();
  expect((await lakegate('audit', parquet('fine.parquet', [9]), '--table', 'orders')).code).toBe(0);
  expect((await lakegate('audit', parquet('bad.parquet', [null]), '--table', 'orders')).code).toBe(3);
  const misfit = folder.parquet('misfit.parquet', 3);
  expect((await lakegate('audit', misfit, '--table', 'orders')).out).toContain('failed');
  expect(await rawKeys()).toEqual(before);
});

test('what a person decides about a delivery is done on the stage', async () => {
  const { value: list } = await json<DeliveryRecord[]>('delivery', 'list', '--table', 'orders');
  const idOf = (state: string) => list.find((record) => record.state === state)!.id;
  const rejected = idOf('rejected');
  expect((await lakegate('delivery', 'retry', rejected)).code).toBe(3);
  expect((await json<DeliveryRecord>('delivery', 'show', rejected)).value).toMatchObject({ attempts: 2 });
  const published = await json<DeliveryRecord>('delivery', 'publish', rejected, '--reason', 'agreed');
  const by = 'arn:aws:iam::000000000000:root';
  expect(published).toMatchObject({ code: 0, value: { state: 'published', decision: { by, reason: 'agreed' } } });
  expect((await lakegate('delivery', 'discard', idOf('errored'), '--reason', 'no Parquet')).code).toBe(0);
  const { value: history } = await json<{ deliveries: string[] }[]>('table', 'history', 'orders');
  expect(history[0]?.deliveries).toEqual([rejected]);
  expect((await lakegate('table', 'tag', 'orders', 'with-nulls')).code).toBe(0);
  const { value } = await json<{ rows: number }>('table', 'rollback', 'orders', '--delivery', rejected);
  expect(value.rows).toBe(4);
  expect((await lakegate('table', 'expire')).code).toBe(0);
  const { value: tables } = await json<{ name: string; rows: number }[]>('table', 'list');
  expect(tables.find(({ name }) => name === 'sales.orders')).toMatchObject({ rows: 4 });
});

test('events that were given up are found, shown and sent back; what is no event stays', async () => {
  const events = new EventBridgeClient({});
  const sqs = new SQSClient({});
  await events.send(new DisableRuleCommand({ Name: 'cli-dev-drops' }));
  try {
    const { raw } = deployment.stage.buckets;
    await deployment.drop('orders/given up.parquet', await bytesOf(parquet('given-up.parquet', [77])));
    const url = `s3://${raw.name}/orders/given up.parquet`;
    const { size, etag } = (await deployment.lake.ports.store.head(url))!;
    const detail = { bucket: { name: raw.name }, object: { key: 'orders/given up.parquet', size, etag } };
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'cli-dev-gate-dead' }));
    for (const body of [
      { source: 'aws.s3', 'detail-type': 'Object Created', time: '2026-01-01T00:00:00Z', detail },
      'no event',
    ]) {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body) }));
    }
    const sick = await lakegate('doctor');
    expect(sick.code).toBe(1);
    expect(sick.out).toMatch(/failed +rule drops +disabled: events go nowhere/);
    expect(sick.out).toMatch(/failed +queue gate-dead +2 given up\n.*then `lakegate delivery redrive --stage dev`/);

    const looked = await json<Redriven>('delivery', 'redrive', '--dry-run');
    expect(looked.value).toMatchObject({ moved: 0, remaining: 2 });
    const { code, value } = await json<Redriven>('delivery', 'redrive');
    expect(code).toBe(0);
    expect(value).toMatchObject({ moved: 1, remaining: 1 });
    expect(value.messages.map(({ about, left }) => ({ about, left }))).toEqual(
      expect.arrayContaining([
        { about: url, left: false },
        { about: 'no event: "no event"', left: true },
      ]),
    );
    // A call waits for the delivery that the event brings, too.
    expect(await drop(parquet('given up.parquet', [77]))).toMatchObject({
      ends: [expect.stringMatching(/ published$/)],
    });

    // And where nothing brings events, a person can do it from here.
    expect(await drop(parquet('by hand.parquet', [78]), '--here')).toMatchObject({
      code: 0,
      ends: ['orders/by hand.parquet ended published'],
    });
  } finally {
    await events.send(new EnableRuleCommand({ Name: 'cli-dev-drops' }));
  }
});

test('credentials of another account touch nothing', async () => {
  const before = await rawKeys();
  folder.write('other.yaml', LAKE_YAML.replace('000000000000', '111122223333'));
  const file = parquet('wrong account.parquet', [1]);
  for (const words of [['drop', file, '--table', 'orders'], ['load'], ['delivery', 'redrive'], ['table', 'list']]) {
    const { code, out, err } = await lakegate(...words, '--config', 'other.yaml');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(
      'stage dev is in account 111122223333, but these AWS credentials are of account 000000000000',
    );
  }
  const { code, out } = await lakegate('doctor', '--config', 'other.yaml');
  expect(code).toBe(1);
  expect(out).toMatch(/failed +AWS credentials/);
  expect(out).toMatch(/unchecked +\d+ things +not looked at without the right AWS credentials/);
  expect(await rawKeys()).toEqual(before);
});

test('a stage that was never deployed is said to be missing, and lake.yaml to differ once it was changed', async () => {
  folder.write('gone.yaml', LAKE_YAML.replace('name: cli', 'name: gone'));
  const file = parquet('nowhere.parquet', [1]);
  const { code, err } = await lakegate('drop', file, '--table', 'orders', '--config', 'gone.yaml');
  expect(code).toBe(2);
  expect(err).toContain('there is no such bucket');
  expect(err).toContain('`lakegate doctor --config gone.yaml --stage dev`');
  const { out } = await lakegate('doctor', '--config', 'gone.yaml');
  expect(out).toMatch(/failed +stack gate +there is no stack gone-dev-gate/);
  expect(out).toContain('→ npx cdk deploy --all -c stage=dev -c config=gone.yaml');
  folder.write('changed.yaml', LAKE_YAML.replace('columns: { id: long }', 'columns: { id: long, at: date }'));
  const changed = await lakegate('doctor', '--config', 'changed.yaml');
  expect(changed.out).toMatch(/warning +function wap-audit +was deployed from another lake\.yaml than this one/);
});

test('an AWS that does not answer is no finding about the stage', async () => {
  const [code, out] = await withEndpoint('http://127.0.0.1:9', async () => {
    const said = await folder.run(['doctor', '--stage', 'dev'], { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } });
    return [said.code, said.out];
  });
  expect(out).toMatch(/unchecked +AWS credentials/);
  expect(out).not.toContain('failed ');
  // Nor is all well: nothing of the stage was seen.
  expect(code).toBe(1);
});

/** Has the SDK of this process talk to another server for a while. */
async function withEndpoint<T>(endpoint: string, work: () => Promise<T>): Promise<T> {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = process.env;
  Object.assign(process.env, { AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint });
  try {
    return await work();
  } finally {
    Object.assign(process.env, { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 });
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  return (await deployment.lake.ports.store.read(`file://${path}`)).bytes;
}
