import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { Lake } from '../compose.ts';
import { LakegateError } from '../errors.ts';
import { addedFiles } from '../gate/audit.ts';
import type { DeliveryRecord } from '../gate/delivery.ts';
import { eventOf } from '../gate/settle.ts';
import { snapshotById } from '../iceberg/ancestry.ts';
import { renderConsole } from '../notify/console.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { dropInto } from './drop.ts';
import { withLake } from './lake.ts';
import { generateRows } from './load.ts';
import { createOutput, EXIT, type ExitCode } from './output.ts';
import { count, number } from './words.ts';

const TABLE = 'demo.customer_data_log';

/** Marks a folder as the demo's own, to be made anew each time. */
const MARK = '.lakegate-demo';

const ROWS = 1000;

/** Environment variables that override a lake.yaml. */
const NOT_OURS = { SOURCE_BUCKET: undefined, LAKE_BUCKET: undefined, SLACK_CHANNEL: undefined, SLACK_TOKEN: undefined };

const LAKE_YAML = `# The demo's lake: one table, and the rule that nothing in it may be null.
version: 1
raw: ./raw
warehouse: ./warehouse
tables:
  ${TABLE}:
    from: customer_data_log/
    owner: data-team@example.com
    rules:
      - not_null: "*"
notify:
  slack: { channel: "#data-quality" }
`;

/**
 * `lakegate demo`: the main job on a lake of its own, told step by step; every figure shown is read back from the lake.
 * Ends with 1 when anything is not as it says.
 */
export async function demo(context: CommandContext, options: { dir: string }): Promise<ExitCode> {
  if (context.options.stage !== undefined) {
    throw new LakegateError('usage', 'lakegate demo makes a lake of its own on this machine: call it without --stage');
  }
  const { output } = context;
  const folder = resolve(context.terminal.cwd, options.dir);
  prepareFolder(folder);
  const clean = await writeFile(join(folder, 'outbox', 'clean.parquet'), false);
  const bad = await writeFile(join(folder, 'outbox', 'with-nulls.parquet'), true);
  const config = join(folder, 'lake.yaml');
  // What the environment says of people's own lakes and channels is not for the demo.
  const terminal = { ...context.terminal, env: { ...context.terminal.env, ...NOT_OURS } };
  const inLake: CommandContext = { ...context, terminal, options: { ...context.options, config } };

  const said: Record<string, unknown> = { folder };
  const expectations: [string, boolean][] = [];
  const expect = (what: string, holds: boolean): void => void expectations.push([what, holds]);

  await withLake(inLake, async (lake) => {
    const step = (at: number, text: string) => output.say(`\n${output.style('bold', `${at}. ${text}`)}`);
    step(1, `A lake in ${relative(context.terminal.cwd, folder) || '.'}`);
    output.say(`   folders for buckets, SQLite for the catalogue; table ${TABLE}; rule: not_null on every column`);
    output.say(`   rows on main: ${number(await rowsOnMain(lake))}`);

    step(2, `A clean file is dropped: ${count(ROWS, 'row')}, no nulls`);
    const before = await rowsOnMain(lake);
    const published = await deliverOne(lake, clean);
    const after = await rowsOnMain(lake);
    output.say(
      `   ${output.style('green', published.state)}: rows on main ${number(before)} → ${number(after)}, snapshot ${published.publishedSnapshotId}`,
    );
    expect('the clean file is published', published.state === 'published' && after === before + ROWS);

    step(3, `A file with nulls is dropped: ${count(ROWS, 'row')}, the last one null in every column`);
    const stopped = await deliverOne(lake, bad);
    const still = await rowsOnMain(lake);
    const failed = (stopped.results ?? []).filter((result) => result.outcome === 'failed');
    output.say(`   ${output.style('red', stopped.state)}: rows on main ${number(after)} → ${number(still)}`);
    output.say(
      `   kept on branch ${stopped.branch} (${count(await rowsOnBranch(lake, stopped.branch), 'row')} of this delivery)\n`,
    );
    output.say(
      indent(
        columns(
          ['column', 'nulls', 'in rows (from 0)', 'rule'],
          failed.map((result) => [
            result.column ?? '',
            String(result.count),
            (result.rows ?? []).join(', '),
            result.rule,
          ]),
        ),
      ),
    );
    expect(
      'the file with nulls is stopped',
      stopped.state === 'rejected' && still === after && stopped.branch !== undefined,
    );
    expect(
      'each column has its one null, in the last row',
      failed.length === 3 && failed.every((result) => result.count === 1 && result.rows?.join() === String(ROWS - 1)),
    );
    expect('the kept branch holds the delivery', (await rowsOnBranch(lake, stopped.branch)) === ROWS);

    step(4, 'The same file is dropped again: an event that comes twice is the same delivery');
    const again = await dropInto(lake, [bad], TABLE);
    output.say(`   ${again[0]?.kind === 'already' ? 'known already: nothing done' : String(again[0]?.kind)}`);
    expect('the repeated drop is the same delivery', again[0]?.kind === 'already');

    step(5, 'What the Slack channel gets');
    const event = eventOf(stopped, lake.config.tables[0]);
    output.say(indent(renderConsole(event ? [event] : [], { color: output.color })));
    expect('there is a message to send', event !== undefined);

    Object.assign(said, { published, stopped, rowsOnMain: { before, afterClean: after, afterNulls: still } });
    output.say(`\n${output.style('bold', 'What to type next')}`);
    const next = createOutput(context.terminal, { config: relative(context.terminal.cwd, config) });
    for (const words of [
      `delivery show ${stopped.id}`,
      `delivery publish ${stopped.id} --reason "known gap"`,
      `table history ${TABLE}`,
      'load -n 1000 --no-null',
    ]) {
      output.say(`   ${next.command(words)}`);
    }
    output.say(`   ${createOutput(context.terminal, {}).command('init')}    (a lake.yaml of your own)`);
  });

  const wrong = expectations.filter(([, holds]) => !holds).map(([what]) => what);
  if (output.json) output.result({ ...said, wrong }, () => '');
  if (wrong.length === 0) return EXIT.done;
  context.terminal.err.write(`\nlakegate: the demo is not as it should be: ${wrong.join('; ')}\n`);
  return EXIT.failed;
}

function prepareFolder(folder: string): void {
  if (existsSync(folder)) {
    if (!existsSync(join(folder, MARK))) {
      throw new LakegateError('usage', `${folder} is there and was not made by the demo: choose another with --dir`);
    }
    rmSync(folder, { recursive: true });
  }
  mkdirSync(join(folder, 'outbox'), { recursive: true });
  writeFileSync(join(folder, MARK), '');
  writeFileSync(join(folder, 'lake.yaml'), LAKE_YAML);
}

async function writeFile(path: string, withNulls: boolean): Promise<string> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData: generateRows(ROWS, withNulls) })));
  return `file://${path}`;
}

async function deliverOne(lake: Lake, file: string): Promise<DeliveryRecord> {
  const [outcome] = await dropInto(lake, [file], TABLE);
  if (outcome?.kind !== 'ended')
    throw new LakegateError('internal', `the demo's delivery of ${file} did not end: ${outcome?.kind}`);
  return outcome.record;
}

async function rowsOnMain(lake: Lake): Promise<number> {
  const table = await lake.ports.catalog(lake.config.defaultCatalog).findTable(parseIdentifier(TABLE));
  const head = table?.metadata.refs.main;
  return head && table ? Number(snapshotById(table.metadata, head.snapshotId)?.summary['total-records'] ?? 0) : 0;
}

/** Rows that the branch's own snapshot added, from its manifests. */
async function rowsOnBranch(lake: Lake, branch: string | undefined): Promise<number> {
  const table = await lake.ports.catalog(lake.config.defaultCatalog).findTable(parseIdentifier(TABLE));
  const ref = branch === undefined ? undefined : table?.metadata.refs[branch];
  const snapshot = table && ref && snapshotById(table.metadata, ref.snapshotId);
  if (!snapshot) return 0;
  const files = await addedFiles(lake.ports.store, snapshot);
  return [...files.values()].reduce((sum, file) => sum + file.recordCount, 0);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `   ${line}`))
    .join('\n');
}
