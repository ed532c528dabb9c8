/**
 * `npm run demo:aws`: the gate as it runs on AWS, on this machine. Starts an emulator, deploys a lake.yaml onto it with the plain CDK, puts a
 * clean and a bad file into the raw bucket, and shows what became of them and what Slack was told. Asks for no AWS account and leaves nothing
 * behind. Ends with 1 when anything is not as it says.
 */
import process from 'node:process';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { parseIdentifier } from '../src/catalogs/identifier.ts';
import { generateRows } from '../src/cli/load.ts';
import type { DeliveryRecord } from '../src/gate/delivery.ts';
import { snapshotById } from '../src/iceberg/ancestry.ts';
import { type Deployment, LAKE_YAML_ENDS, startDeployment } from '../test/interop/deployed/deployment.ts';
import type { PostedMessage } from '../test/interop/servers/slack.ts';

const TABLE = 'demo.customer_data_log';
const ROWS = 1000;

/** Longest wait for one thing to happen; it takes about two seconds. Milliseconds. */
const PATIENCE_MS = 60_000;

const LAKE_YAML = `
name: demo
tables:
  ${TABLE}:
    from: customer_data_log/
    owner: data-team@example.com
    rules:
      - not_null: "*"
${LAKE_YAML_ENDS}`;

let running: Deployment | undefined;
process.once('SIGINT', () => {
  void (running?.stop() ?? Promise.resolve()).finally(() => process.exit(130));
});

const wrong: string[] = [];
step(1, 'An AWS on this machine, and lake.yaml deployed onto it: npx cdk bootstrap, npx cdk deploy --all');
running = await startDeployment({ lakeYaml: LAKE_YAML, onLine: showProgress });
try {
  await demo(running);
} finally {
  await running.stop();
}
say(wrong.length === 0 ? '\nEverything is gone again.' : `\nNot as it should be: ${wrong.join('; ')}`);
process.exitCode = wrong.length === 0 ? 0 : 1;

async function demo(deployment: Deployment): Promise<void> {
  const { drop, slack } = deployment;
  endProgress();
  const { buckets } = deployment.stage;
  say(`   drops: s3://${buckets.raw.name}/ · tables: s3://${buckets.lake.name}/, in Glue`);

  step(2, `A clean file is put into the raw bucket: ${ROWS} rows, no nulls`);
  await drop('customer_data_log/clean.parquet', file(false));
  const published = await outcomeOf(deployment, 'clean.parquet');
  const rows = await rowsOnMain(deployment);
  say(`   ${published.state}: rows on main 0 → ${rows}`);
  expect('the clean file is published', published.state === 'published' && rows === ROWS);

  step(3, `A bad file is put into the raw bucket: ${ROWS} rows, the last one null in every column`);
  await drop('customer_data_log/with-nulls.parquet', file(true));
  const stopped = await outcomeOf(deployment, 'with-nulls.parquet');
  const still = await rowsOnMain(deployment);
  say(`   ${stopped.state}: rows on main ${rows} → ${still}; kept on branch ${stopped.branch}`);
  expect('the file with nulls is stopped', stopped.state === 'rejected' && still === rows);

  step(4, 'What Slack was told');
  await until(() => (slack.messages.length > 0 ? slack.messages : undefined));
  for (const message of slack.messages) say(indent(textOf(message)));
  expect('Slack is told once', slack.messages.length === 1);
}

function file(withNulls: boolean): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData: generateRows(ROWS, withNulls) }));
}

function outcomeOf({ records }: Deployment, name: string): Promise<DeliveryRecord> {
  const hasEnded = ({ drop, state }: DeliveryRecord) =>
    drop.url.endsWith(`/${name}`) && ['published', 'rejected', 'errored'].includes(state);
  return until(async () => (await records()).find(hasEnded));
}

async function rowsOnMain({ lake }: Deployment): Promise<number> {
  const table = await lake.ports.catalog(lake.config.defaultCatalog).findTable(parseIdentifier(TABLE));
  const head = table?.metadata.refs.main;
  return head && table ? Number(snapshotById(table.metadata, head.snapshotId)?.summary['total-records'] ?? 0) : 0;
}

/** @throws Error when it does not happen in time, with the end of the emulator's log */
async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) {
      throw new Error(
        `it did not happen in ${PATIENCE_MS / 1000} s; the log:\n${running?.emulator.log().slice(-4000)}`,
      );
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** The text of a message's blocks, as a channel would show it, without the layout. */
function textOf({ channel, text, blocks }: PostedMessage): string {
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      if (key === 'text' && typeof each === 'string') texts.push(each);
      else visit(each);
    }
  };
  visit(blocks);
  return [`${channel}`, ...(texts.length > 0 ? texts : [text])].join('\n');
}

/** The CDK's own words in short: how far each stack is. On a terminal they take one line. */
function showProgress(line: string): void {
  const [, stack, done] = /^(\S+) \| +(\d+\/\d+) \|/.exec(line) ?? [];
  if (stack !== undefined && process.stdout.isTTY) process.stdout.write(`\r\x1b[K   ${stack}: ${done} resources`);
  const finished = /✅ +(.+)$/.exec(line)?.[1];
  if (finished !== undefined) {
    endProgress();
    say(`   done: ${finished}`);
  }
}

function endProgress(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
}

function step(at: number, text: string): void {
  say(`\n${at}. ${text}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '   ');
}

function expect(what: string, holds: boolean): void {
  if (!holds) wrong.push(what);
}
