import { LakegateError } from '../errors.ts';

/** What is remembered of one trouble: one small object in the lake bucket. */
export interface Note {
  version: 1;
  /** The trouble, for a person who reads the object. */
  trouble: string;
  /** By the name of the place that was told (`slack`, `teams`). */
  places: Record<string, PlaceNote>;
}

export interface PlaceNote {
  /** When it was last told, milliseconds since the epoch. */
  toldAt: number;
  /** Ids of the events that were told or held back, newest last: so that a repeated one is known. */
  events: string[];
  /** Events held back since then. */
  held: number;
}

/** Ids remembered of a trouble: more than can be on the way at a time to be repeated. */
const MAX_EVENTS = 1_000;

export function emptyNote(trouble: string): Note {
  return { version: 1, trouble, places: {} };
}

/** Which of the events this place has not heard of, and whether it is to be told now or left in peace for a while. */
export function judge(
  note: Note,
  place: string,
  ids: readonly string[],
  { now, suppressMs }: { now: number; suppressMs: number },
): { fresh: string[]; isQuiet: boolean; held: number } {
  const known = Object.hasOwn(note.places, place) ? note.places[place] : undefined;
  const heard = new Set(known?.events);
  return {
    fresh: ids.filter((id) => !heard.has(id)),
    isQuiet: known !== undefined && known.toldAt > now - suppressMs,
    held: known?.held ?? 0,
  };
}

/** The note after the place was told of these events. */
export function afterTold(note: Note, place: string, ids: readonly string[], now: number): Note {
  return withPlace(note, place, ids, { toldAt: now, held: 0 });
}

/** The note after these events were held back. */
export function afterHeld(note: Note, place: string, ids: readonly string[]): Note {
  const known = note.places[place];
  const isNew = ids.filter((id) => !known?.events.includes(id));
  return withPlace(note, place, ids, { toldAt: known?.toldAt ?? 0, held: (known?.held ?? 0) + isNew.length });
}

function withPlace(note: Note, place: string, ids: readonly string[], change: Omit<PlaceNote, 'events'>): Note {
  const events = [...new Set([...(note.places[place]?.events ?? []), ...ids])].slice(-MAX_EVENTS);
  return { ...note, places: { ...note.places, [place]: { ...change, events } } };
}

export function encodeNote(note: Note): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(note)}\n`);
}

/** @throws LakegateError `corrupt` */
export function decodeNote(bytes: Uint8Array, url: string): Note {
  let note: Note | undefined;
  try {
    note = JSON.parse(new TextDecoder().decode(bytes)) as Note;
  } catch {
    note = undefined;
  }
  if (note?.version === 1 && typeof note.places === 'object' && note.places !== null) return note;
  throw new LakegateError('corrupt', `${url} is no note of what was told: delete it, and people are told again`, {
    context: { url },
  });
}
