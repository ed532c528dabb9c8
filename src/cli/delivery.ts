import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { Lake } from '../compose.ts';
import { LakegateError } from '../errors.ts';
import { discardDelivery, publishDelivery } from '../gate/decide.ts';
import { deliver } from '../gate/deliver.ts';
import type { DeliveryRecord, DeliveryState } from '../gate/delivery.ts';
import type { DeliveryRecords } from '../gate/records.ts';
import { sentence } from '../gate/settle.ts';
import { printable } from '../notify/printable.ts';
import { namedTable } from './choose-table.ts';
import { withLake } from './lake.ts';
import { exitOf, outcomeValue, recordLines, renderOutcomes } from './outcomes.ts';
import { EXIT, type ExitCode } from './output.ts';
import type { CommandContext } from './program.ts';
import { bytes, columns, count } from './words.ts';

/** `lakegate delivery list` */
export async function list(
  context: CommandContext,
  options: { table?: string; state?: string; limit: number },
): Promise<ExitCode> {
  const records = await withLake(context, async (lake) => {
    const table = options.table === undefined ? undefined : namedTable(lake.config, options.table).name;
    const found: DeliveryRecord[] = [];
    for await (const { record } of lake.ports.records.list()) {
      if (table !== undefined && record.table !== table) continue;
      if (options.state !== undefined && record.state !== options.state) continue;
      found.push(record);
    }
    return found;
  });
  const newest = records.sort((a, b) => lastChange(b).localeCompare(lastChange(a))).slice(0, options.limit);
  context.output.result(newest, () => {
    if (records.length === 0) return 'no deliveries yet; `lakegate drop FILE` makes one';
    const table = columns(
      ['id', 'table', 'state', 'rows', 'when (UTC)', 'file'],
      newest.map((record) => [
        record.id,
        record.table,
        record.state,
        record.rows?.toLocaleString('en-US') ?? '',
        lastChange(record).slice(0, 19).replace('T', ' '),
        record.drop.url.slice(record.drop.url.lastIndexOf('/') + 1),
      ]),
    );
    return records.length > newest.length
      ? `${table}${records.length - newest.length} older ones not shown (--limit)`
      : table;
  });
  return EXIT.done;
}

/** `lakegate delivery show ID` */
export async function show(context: CommandContext, idStart: string): Promise<ExitCode> {
  const record = await withLake(context, (lake) => findRecord(lake.ports.records, idStart));
  context.output.result(record, () => {
    const { output } = context;
    const facts = [
      ['delivery', record.id],
      ['table', `${record.table} (catalogue ${record.catalog})`],
      ['file', record.drop.url],
      [
        'size',
        [
          record.bytes === undefined ? '' : bytes(record.bytes),
          record.rows === undefined ? '' : count(record.rows, 'row'),
        ]
          .filter(Boolean)
          .join(', '),
      ],
      ...(record.branch ? [['branch', record.branch]] : []),
      ...(record.publishedSnapshotId ? [['snapshot', record.publishedSnapshotId]] : []),
      ...(record.decision
        ? [
            [
              'decision',
              `${record.decision.action} by ${record.decision.by} at ${record.decision.at}: ${record.decision.reason}`,
            ],
          ]
        : []),
    ].map(([name, value]) => `${name!.padEnd(9)} ${printable(value!)}`);
    const way = record.history.map(({ at, state, detail }) =>
      `${at.slice(0, 23).replace('T', ' ')}  ${state.padEnd(12)} ${printable(detail ?? '')}`.trimEnd(),
    );
    const rules = (record.results ?? []).map((result) => `${result.outcome.padEnd(12)} ${printable(sentence(result))}`);
    return [
      ...recordLines(record, output),
      '',
      ...facts,
      '',
      output.style('bold', 'its way (UTC)'),
      ...way,
      ...(rules.length > 0 ? ['', output.style('bold', 'rules'), ...rules] : []),
    ].join('\n');
  });
  return EXIT.done;
}

/** States from which a person may start a delivery again. */
const RETRYABLE: readonly DeliveryState[] = ['rejected', 'errored', 'discarded'];

/** `lakegate delivery retry ID` */
export async function retry(context: CommandContext, idStart: string): Promise<ExitCode> {
  const outcomes = await withLake(context, async (lake) => {
    const record = await findRecord(lake.ports.records, idStart);
    if (record.state === 'published' || record.state === 'rolled_back') {
      throw new LakegateError(
        'usage',
        `delivery ${record.id} is ${record.state.replace('_', ' ')}: there is nothing to retry; drop the file again to deliver it anew`,
      );
    }
    const object = await lake.ports.store.head(record.drop.url);
    if (object && object.etag !== record.drop.version) {
      throw new LakegateError(
        'usage',
        `${record.drop.url} was replaced since: the new version is a delivery of its own (\`lakegate drop\`)`,
      );
    }
    const table = namedTable(lake.config, record.table);
    return deliver(lake.ports, lake.config, [record.drop.url], { table, restart: RETRYABLE });
  });
  context.output.result(outcomes.map(outcomeValue), () => renderOutcomes(outcomes, context.output));
  return exitOf(outcomes);
}

/** `lakegate delivery publish ID --reason TEXT` */
export async function publish(
  context: CommandContext,
  idStart: string,
  options: { reason?: string },
): Promise<ExitCode> {
  return decide(context, idStart, options.reason, (lake, record, reason) =>
    publishDelivery(lake.ports, namedTable(lake.config, record.table), record.id, { by: person(), reason }),
  );
}

/** `lakegate delivery discard ID` */
export async function discard(
  context: CommandContext,
  idStart: string,
  options: { reason?: string },
): Promise<ExitCode> {
  return decide(context, idStart, options.reason ?? 'no reason given', (lake, record, reason) =>
    discardDelivery(lake.ports, record.id, { by: person(), reason }),
  );
}

async function decide(
  context: CommandContext,
  idStart: string,
  given: string | undefined,
  act: (lake: Lake, record: DeliveryRecord, reason: string) => Promise<DeliveryRecord>,
): Promise<ExitCode> {
  const record = await withLake(context, async (lake) => {
    const found = await findRecord(lake.ports.records, idStart);
    return act(lake, found, given ?? (await askReason(context, found)));
  });
  context.output.result(record, () => recordLines(record, context.output).join('\n'));
  return EXIT.done;
}

/** Publishing what the audit stopped is a decision: somebody signs for it. */
async function askReason(context: CommandContext, record: DeliveryRecord): Promise<string> {
  const missing = new LakegateError(
    'usage',
    `delivery ${record.id} did not pass its audit: say why it may be published, --reason "…"`,
  );
  if (context.output.json || !process.stdin.isTTY || !context.terminal.err.isTTY) throw missing;
  const questions = createInterface({ input: process.stdin, output: context.terminal.err });
  try {
    const reason = (await questions.question(`Why may delivery ${record.id} be published all the same? `)).trim();
    if (reason === '') throw missing;
    return reason;
  } finally {
    questions.close();
  }
}

export function person(): string {
  return userInfo().username;
}

/**
 * @param idStart the id, or enough of its first digits
 * @throws LakegateError `usage` when none or several begin so
 */
export async function findRecord(records: DeliveryRecords, idStart: string): Promise<DeliveryRecord> {
  const ids = await records.idsStartingWith(idStart.toLowerCase(), 3);
  const [id, other] = ids;
  const found = id === undefined || other !== undefined ? undefined : await records.load(id);
  if (found) return found.record;
  throw new LakegateError(
    'usage',
    other === undefined
      ? `there is no delivery ${idStart}; \`lakegate delivery list\` shows those there are`
      : `several deliveries begin with ${idStart}: ${ids.join(', ')}${ids.length === 3 ? ', …' : ''}`,
  );
}

function lastChange(record: DeliveryRecord): string {
  return record.history.at(-1)?.at ?? '';
}
