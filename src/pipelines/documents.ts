import * as z from 'zod';
import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';

/** What a run's files hold. Whatever is read was written by an earlier step, and is looked at all the same. */

const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const folder = z.string().endsWith('/');
const count = z.int().min(0);
/** Of a failed audit: it could not be done, and says nothing about the data. */
const inconclusive = z.literal(true).exactOptional();
const job = z.enum(['validate', 'audit', 'split', 'register', 'bucket', 'prepare', 'er']);

/** Who has a pipeline to itself. `execution` is null where nobody has. */
export const LOCK = z.object({ execution: z.string().nullable(), run: z.string(), at: z.string() });
export type Lock = z.infer<typeof LOCK>;

/** The snapshot of a source that was taken last, wholly. */
export const LAST_TAKEN = z.object({ snapshot: date, rows: count.nullable(), fingerprint: z.string(), at: z.string() });
export type LastTaken = z.infer<typeof LAST_TAKEN>;

/** A source of a run, as it was found before anything was begun. */
const RUN_SOURCE = z.object({
  source: z.string(),
  snapshot: date,
  folder,
  skip: z.boolean(),
  /** A newer snapshot that was taken before: this one is passed over, or gets its partitions beside that one's. */
  newer: date.exactOptional(),
  shares: count,
  /** By the footers; null where they cannot all be read by lakegate itself. */
  rows: count.nullable(),
  /** Of the snapshot that was taken last. */
  lastRows: count.nullable(),
  fingerprint: z.string(),
  /** What is not as it should be, and does not stop the run. */
  notes: z.array(z.string()),
  files: z.array(z.object({ url: z.string(), size: count, etag: z.string(), version: z.string().exactOptional() })),
  /** Tables that this run is to make of it. */
  tables: z.array(z.string()),
});
export type RunSource = z.infer<typeof RUN_SOURCE>;

/** `validate.json`: what a run works on. */
export const RUN = z.object({
  pipeline: z.enum(['bucketed', 'partitioned']),
  execution: z.string(),
  at: z.string(),
  /** Whether some tables alone were asked for: nothing is remembered of such a run. */
  filtered: z.boolean(),
  sources: z.array(RUN_SOURCE),
});
export type RunDocument = z.infer<typeof RUN>;

const version = z.object({
  database: z.string(),
  table: z.string(),
  building: z.string(),
  folder,
  location: folder,
  statement: z.string(),
  comment: z.string(),
});

/** How far a table has come. `pending`: a statement runs for it. */
export const TABLE_RECORD = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('pending'),
    job,
    /** Name in Glue. */
    registered: z.string(),
    location: z.string(),
    rows: count.nullable(),
    statement: z.string(),
    /** Of `bucket` and `er`: what is swapped in then. */
    version: version.exactOptional(),
    /** Columns that were left out. */
    cut: z.array(z.string()).exactOptional(),
  }),
  z.object({
    state: z.literal('done'),
    /** Name in Glue; absent where there is no Glue. */
    registered: z.string().exactOptional(),
    outcome: z.string(),
    location: z.string(),
    rows: count.nullable(),
    cut: z.array(z.string()).exactOptional(),
    /** Why versions that were replaced are still there. */
    uncleaned: z.string().exactOptional(),
  }),
  z.object({ state: z.literal('failed'), job, reason: z.string(), inconclusive }),
]);
export type TableRecord = z.infer<typeof TABLE_RECORD>;

/** What one share of an audit found. */
export const SHARE = z.object({
  share: count,
  shares: count,
  files: count,
  rows: count,
  findings: z.array(
    z.object({
      rule: z.string(),
      column: z.string().exactOptional(),
      outcome: z.enum(['passed', 'failed', 'inconclusive']),
      count: z.number().exactOptional(),
      rows: z.array(z.number()).exactOptional(),
      file: z.string().exactOptional(),
      expected: z.string(),
      found: z.string(),
    }),
  ),
});

/** What stopped a source. */
export const SOURCE_FAILURE = z.object({ job, reason: z.string(), inconclusive });
export type SourceFailure = z.infer<typeof SOURCE_FAILURE>;

/** What the Spark job says it did (`RESULT_PATH` of glue/split.py). */
export const SPLIT_RESULT = z.object({
  snapshot: z.string().nullable(),
  source: z.object({ files: count, rows: count }),
  tables: z.array(
    z.object({
      table: z.string(),
      outcome: z.enum(['written', 'held', 'failed']),
      /** Of a held one: what its files are named by. */
      run: z
        .string()
        .regex(/^[0-9a-f]{16}$/)
        .optional(),
      files: count.optional(),
      rows: count.optional(),
      reason: z.string().optional(),
    }),
  ),
  error: z.string().optional(),
});
export type SplitResult = z.infer<typeof SPLIT_RESULT>;

/** What a document's text holds. @throws LakegateError `corrupt` naming the file, the fault and `advice` */
export function parseDocument<T>(schema: z.ZodType<T>, bytes: Uint8Array, url: string, advice: string): T {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw unreadable(url, 'it is no JSON', advice, cause);
  }
  const { success, data: document, error } = schema.safeParse(data);
  if (success) return document;
  const [first] = error.issues;
  throw unreadable(url, `${first?.path.join('.') || 'it'}: ${first?.message}`, advice, error);
}

function unreadable(url: string, fault: string, advice: string, cause: unknown): LakegateError {
  return new LakegateError('corrupt', `${url} is not what a pipeline wrote: ${fault}. ${advice}`, {
    context: { url },
    cause,
  });
}

/** Two writers of one document write the same, or the later one counts: a few turns are enough. */
const TURNS = 5;

/**
 * Writes a document, in place of what is there.
 * @param keep whether what is there stays as it is
 * @throws LakegateError of the store, `conflict` when others write it again and again
 */
export async function putDocument(
  store: ObjectStore,
  url: string,
  value: unknown,
  keep: (present: Uint8Array) => boolean = () => false,
): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  for (let turn = 0; turn < TURNS; turn += 1) {
    if ((await store.create(url, bytes)) !== undefined) return;
    const present = await store.read(url);
    if (Buffer.from(bytes).equals(present.bytes) || keep(present.bytes)) return;
    if ((await store.replace(url, bytes, present.etag)) !== undefined) return;
  }
  throw new LakegateError('conflict', `${url} is being changed by others all the time. Run this again.`, {
    context: { url },
  });
}
