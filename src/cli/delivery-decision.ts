import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import type { Caller } from '../aws/caller.ts';
import type { Lake } from '../compose.ts';
import { LakegateError } from '../errors.ts';
import { discardDelivery, publishDelivery } from '../gate/decide.ts';
import { deliverDrops } from '../gate/deliver.ts';
import type { Decision, DeliveryRecord, DeliveryState } from '../gate/delivery.ts';
import { dropOf, expectedOf } from '../gate/identity.ts';
import { namedTable } from './choose-table.ts';
import type { CommandContext } from './context.ts';
import { findRecord } from './find-record.ts';
import { withLake } from './lake.ts';
import { exitOf, outcomeValue, recordLines, renderOutcomes } from './outcomes.ts';
import { EXIT, type ExitCode } from './output.ts';

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
    if (await isGone(lake, record)) return [{ kind: 'gone', drop: record.drop.url } as const];
    // The very version that the record is about: asked for by name alone, another one would be a delivery of its own.
    return deliverDrops(lake.ports, lake.config, namedTable(lake.config, record.table), [record.drop], {
      restart: RETRYABLE,
    });
  });
  context.output.result(outcomes.map(outcomeValue), () => renderOutcomes(outcomes, context.output));
  return exitOf(outcomes);
}

/**
 * Whether the object of a delivery is there no more. One with a version id stays readable whatever was put or deleted since.
 * @throws LakegateError `usage` where another version has taken its place
 */
async function isGone({ ports }: Lake, { drop }: DeliveryRecord): Promise<boolean> {
  if (drop.etag !== undefined) return false;
  const object = await ports.store.head(drop.url);
  if (object === undefined) return true;
  if (expectedOf(dropOf(drop.url, object)).etag === drop.version) return false;
  throw new LakegateError(
    'usage',
    `${drop.url} was replaced since: the new version is a delivery of its own (\`lakegate drop FILE\`)`,
  );
}

/** `lakegate delivery publish ID --reason TEXT` */
export async function publish(
  context: CommandContext,
  idStart: string,
  options: { reason?: string },
): Promise<ExitCode> {
  return decide(
    context,
    idStart,
    (record) => options.reason ?? askReason(context, record),
    (lake, record, decision) => publishDelivery(lake.ports, namedTable(lake.config, record.table), record.id, decision),
  );
}

/** `lakegate delivery discard ID` */
export async function discard(
  context: CommandContext,
  idStart: string,
  options: { reason?: string },
): Promise<ExitCode> {
  return decide(
    context,
    idStart,
    () => options.reason ?? 'no reason given',
    (lake, record, decision) => discardDelivery(lake.ports, record.id, decision),
  );
}

async function decide(
  context: CommandContext,
  idStart: string,
  reasonFor: (record: DeliveryRecord) => string | Promise<string>,
  act: (lake: Lake, record: DeliveryRecord, decision: Decision) => Promise<DeliveryRecord>,
): Promise<ExitCode> {
  const record = await withLake(context, async (lake, caller) => {
    const found = await findRecord(lake.ports.records, idStart);
    // One about which there is nothing to decide is refused by `act`, without asking first.
    const isOpen = found.state === 'rejected' || found.state === 'errored';
    const reason = isOpen ? (await reasonFor(found)).trim() : '';
    if (isOpen && reason === '') throw missingReason(found);
    return act(lake, found, { by: person(caller), reason });
  });
  context.output.result(record, () => recordLines(record, context.output).join('\n'));
  return EXIT.done;
}

/** Publishing what the audit stopped is a decision: somebody signs for it. */
async function askReason({ terminal, output }: CommandContext, record: DeliveryRecord): Promise<string> {
  if (output.json || !terminal.in?.isTTY || !terminal.err.isTTY) throw missingReason(record);
  const questions = createInterface({ input: terminal.in, output: terminal.err });
  return new Promise((resolve) => {
    // Ctrl-D and Ctrl-C close the question without an answer, and leave the cursor behind it.
    const left = () => {
      terminal.err.write('\n');
      resolve('');
    };
    questions.once('close', left);
    questions.once('line', (line) => {
      questions.off('close', left);
      questions.close();
      resolve(line);
    });
    questions.setPrompt(`Why may delivery ${record.id} be published all the same? `);
    questions.prompt();
  });
}

function missingReason(record: DeliveryRecord): LakegateError {
  return new LakegateError(
    'usage',
    `delivery ${record.id} is ${record.state}: say why it may be published all the same, --reason "…"`,
  );
}

/** Who decides: goes into the record. @param caller on a stage, whose credentials let them */
export function person(caller?: Caller): string {
  return caller?.arn ?? userInfo().username;
}
