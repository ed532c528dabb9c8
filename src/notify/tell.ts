import { type ErrorKind, LakegateError } from '../errors.ts';
import { afterHeld, afterTold, judge, type Note } from './note.ts';
import type { Notes } from './notes.ts';
import type { News } from './notifier.ts';
import { messageOf, troubleOf } from './trouble.ts';

/** Something that happened, and the id that it is known by when it is heard of again. */
export interface Heard {
  id: string;
  news: News;
}

/** Where people are told: Slack, Teams. */
export interface Place {
  name: string;
  /** One message about one table. @returns why it was not sent, undefined when it was; throws nothing */
  send(news: readonly News[], footer: string | undefined): Promise<LakegateError | undefined>;
}

export interface TellPorts {
  places: readonly Place[];
  notes: Notes;
  now(): number;
  /** The same trouble is not told again for this long. Milliseconds; 0: told each time. */
  suppressMs: number;
  /** Milliseconds left for work. */
  remainingMs(): number;
}

export interface Told {
  /** Messages sent, all places together. */
  sent: number;
  /** Events held back, since the same was told a short while ago. */
  held: number;
  /** Events that a place has to hear of again, by id, and why. */
  failed: Map<string, LakegateError>;
}

/** A message that has to wait for its turn, and one try, take about this long. */
const MESSAGE_MS = 15_000;

/**
 * Tells every place of what it has not heard of: one message for each table, at most one of the same trouble in a while. What was told is noted
 * afterwards, so somebody may hear of it twice where that fails, never not at all.
 */
export async function tellPlaces(ports: TellPorts, heard: readonly Heard[]): Promise<Told> {
  const told: Told = { sent: 0, held: 0, failed: new Map() };
  const byTrouble = new Map<string, Heard[]>();
  for (const each of heard) {
    const trouble = troubleOf(each.news);
    if (trouble !== undefined) byTrouble.set(trouble, [...(byTrouble.get(trouble) ?? []), each]);
  }
  const notes = new Map<string, Note>();
  for (const [trouble, events] of byTrouble) {
    try {
      notes.set(trouble, await ports.notes.load(trouble));
    } catch (error) {
      fail(told, events, error);
    }
  }
  for (const place of ports.places) await tellPlace(ports, place, byTrouble, notes, told);
  return told;
}

interface Due {
  trouble: string;
  events: Heard[];
  held: number;
}

async function tellPlace(
  ports: TellPorts,
  place: Place,
  byTrouble: ReadonlyMap<string, Heard[]>,
  notes: ReadonlyMap<string, Note>,
  told: Told,
): Promise<void> {
  const messages = new Map<string, Due[]>();
  for (const [trouble, note] of notes) {
    const events = [...new Map(byTrouble.get(trouble)!.map((each) => [each.id, each])).values()];
    const ids = events.map(({ id }) => id);
    const { fresh, isQuiet, held } = judge(note, place.name, ids, { now: ports.now(), suppressMs: ports.suppressMs });
    if (fresh.length === 0) continue;
    if (isQuiet) {
      told.held += fresh.length;
      await noted(told, events, () => ports.notes.change(trouble, (now) => afterHeld(now, place.name, fresh)));
      continue;
    }
    const due = { trouble, events: events.filter(({ id }) => fresh.includes(id)), held };
    const message = messageOf(due.events[0]!.news);
    messages.set(message, [...(messages.get(message) ?? []), due]);
  }
  for (const dues of messages.values()) {
    const events = dues.flatMap((due) => due.events);
    const fault =
      ports.remainingMs() < MESSAGE_MS
        ? new LakegateError('unavailable', `${place.name} was not told: the time of this run was over`)
        : await place.send(
            events.map(({ news }) => news),
            footerOf(
              dues.reduce((sum, { held }) => sum + held, 0),
              ports.suppressMs,
            ),
          );
    if (fault !== undefined) {
      fail(told, events, fault);
      continue;
    }
    told.sent += 1;
    for (const due of dues) {
      const ids = due.events.map(({ id }) => id);
      const at = ports.now();
      // A note that fails is no reason to send the message again; the next of its kind comes a little early.
      await ports.notes.change(due.trouble, (note) => afterTold(note, place.name, ids, at)).catch(() => undefined);
    }
  }
}

/** What was held back since the last time, and for how long the same is not told again. */
function footerOf(held: number, suppressMs: number): string | undefined {
  if (suppressMs === 0) return undefined;
  const before = held === 0 ? '' : `${held} more of the same since the last message. `;
  return `${before}The same is not told again for ${durationText(suppressMs)}.`;
}

function durationText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

async function noted(told: Told, events: readonly Heard[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fail(told, events, error);
  }
}

function fail(told: Told, events: readonly Heard[], error: unknown): void {
  const fault =
    error instanceof LakegateError
      ? error
      : new LakegateError('internal' satisfies ErrorKind, `telling failed: ${String(error)}`, { cause: error });
  for (const { id } of events) told.failed.set(id, fault);
}
