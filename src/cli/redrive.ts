import type { MessageQueue, QueueMessage } from '../aws/queue.ts';
import { LakegateError } from '../errors.ts';
import type { DroppedObject } from '../events/dropped-object.ts';
import { parseEvent } from '../events/parse.ts';
import { shorten } from '../notify/printable.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { withStage } from './lake.ts';
import { EXIT, type ExitCode, type Output } from './output.ts';
import { count, number, time } from './words.ts';

/** Messages that are listed for people; `--json` has all. */
const SHOWN = 50;

/** Characters of a message that is no event. */
const BODY_LENGTH = 80;

/** A message that was given up, as it was found. */
export interface GivenUp {
  id: string;
  /** When it came into the queue it was given up in; ISO 8601, UTC. */
  at: string;
  /** Objects that it tells of: none for messages of `notify`. */
  drops: DroppedObject[];
  /** What it is, in a few words. */
  about: string;
  /** Whether it was left where it is, because nobody could do anything with it. */
  left: boolean;
}

export interface Redriven {
  messages: GivenUp[];
  moved: number;
  /** Messages that are still there: left alone, or come meanwhile. */
  remaining: number;
}

/** `lakegate delivery redrive`: what was given up goes back to its queue. */
export async function redrive(
  context: CommandContext,
  options: { queue: 'gate' | 'notify'; dryRun?: boolean },
): Promise<ExitCode> {
  const { stage, prefix } = await withStage(context);
  const { openQueue } = await import('../aws/queue.ts');
  const [dead, queue] = await Promise.all([
    openQueue(stage.region, `${prefix}-${options.queue}-dead`),
    openQueue(stage.region, `${prefix}-${options.queue}`),
  ]);
  const done = await moveBack(dead, options.dryRun ? undefined : queue, options.queue === 'gate' ? dropsIn : newsIn);
  context.output.result({ queue: queue.name, dryRun: options.dryRun ?? false, ...done }, () =>
    render(done, queue.name, options.dryRun ?? false, context.output),
  );
  return EXIT.done;
}

/**
 * Moves messages one by one, so that what is said to be moved is what was moved, and what is no event is not sent round again. A message is
 * deleted when the other queue has it: an interruption may double it, which the ledger makes harmless, and cannot lose it. (SQS's own
 * StartMessageMoveTask tells nothing of the messages, and moves all or none.)
 * @param to undefined: only looks; everything stays
 * @param read what a message's text is about. It @throws LakegateError `invalid` for what is no event
 */
export async function moveBack(
  from: MessageQueue,
  to: MessageQueue | undefined,
  read: (body: string) => Pick<GivenUp, 'drops' | 'about'>,
): Promise<Redriven> {
  // What comes after this is for another time: a message that fails at once would go round for ever.
  const before = await from.waiting();
  const messages: GivenUp[] = [];
  const kept: QueueMessage[] = [];
  let moved = 0;
  try {
    for (;;) {
      const batch = await from.receive();
      if (batch.length === 0) break;
      for (const message of batch) {
        const given = describe(message, read);
        messages.push(given);
        if (to === undefined || given.left) {
          kept.push(message);
          continue;
        }
        await to.send(message.body);
        await from.delete(message);
        moved += 1;
      }
      if (messages.length >= before) break;
    }
  } catch (cause) {
    if (moved === 0 || !(cause instanceof LakegateError)) throw cause;
    throw new LakegateError(
      cause.kind,
      `${count(moved, 'message')} of ${from.name} went back, then: ${cause.message}. The others are still there; call it again`,
      { cause, context: { moved } },
    );
  } finally {
    // One that cannot be given back now comes back by itself, in minutes.
    await Promise.allSettled(kept.map((message) => from.release(message)));
  }
  return { messages, moved, remaining: Math.max(before - moved, kept.length) };
}

function describe(message: QueueMessage, read: (body: string) => Pick<GivenUp, 'drops' | 'about'>): GivenUp {
  const { id, body, sentMs } = message;
  const at = new Date(sentMs).toISOString();
  try {
    return { id, at, ...read(body), left: false };
  } catch {
    return { id, at, drops: [], about: `no event: ${shorten(body.replace(/\s+/g, ' '), BODY_LENGTH)}`, left: true };
  }
}

function dropsIn(body: string): Pick<GivenUp, 'drops' | 'about'> {
  const event = parseEvent(body);
  if (event.kind === 'ignored') return { drops: [], about: event.reason };
  return { drops: event.drops, about: event.drops.map(({ url }) => url).join(', ') };
}

/** Events of the bus: the notify function knows what is in them. */
function newsIn(body: string): Pick<GivenUp, 'drops' | 'about'> {
  const event = JSON.parse(body) as {
    'detail-type'?: unknown;
    detail?: { table?: unknown; alarmName?: unknown };
  } | null;
  if (typeof event?.['detail-type'] !== 'string') throw new LakegateError('invalid', 'no event of EventBridge');
  const of = [event.detail?.table, event.detail?.alarmName].filter((name) => typeof name === 'string');
  return { drops: [], about: [event['detail-type'], ...of].join(': ') };
}

function render({ messages, moved, remaining }: Redriven, queue: string, dryRun: boolean, output: Output): string {
  if (messages.length === 0) return `nothing was given up in ${queue}`;
  const table = columns(
    ['state', 'came (UTC)', 'what it tells of'],
    messages
      .slice(0, SHOWN)
      .map(({ at, about, left }) => [
        left ? { text: 'left', paint: (text) => output.style('yellow', text) } : dryRun ? 'waits' : 'moved back',
        time(Date.parse(at)),
        about,
      ]),
    output.width,
  );
  const more = messages.length > SHOWN ? [`… and ${number(messages.length - SHOWN)} more (--json lists them)`] : [];
  const left = messages.filter((message) => message.left).length;
  return [
    table.trimEnd(),
    ...more,
    '',
    dryRun
      ? `${count(messages.length, 'message')} given up; without --dry-run ${messages.length - left} would go back to ${queue}`
      : `${count(moved, 'message')} moved back to ${queue}${remaining > 0 ? `, ${number(remaining)} still there` : ''}`,
    ...(left > 0 ? [`what is no event was left in ${queue}-dead: look at it in the console, and delete it there`] : []),
  ].join('\n');
}
