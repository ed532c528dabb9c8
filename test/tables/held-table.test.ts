/** What the Spark job leaves beside a table's place, and the commit of it: broken off anywhere, done twice, by others at the same time. */
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { commitHeld, type HeldPlace, heldFolder, heldState } from '../../src/tables/held-table.ts';

const TARGET = 'memory:/tables/';
const PLAIN: HeldPlace = { target: TARGET, table: 'T', layout: 'plain', snapshot: '2026-01-31' };
const PARTITIONED: HeldPlace = { ...PLAIN, layout: 'partitioned' };
const FOLDERS = { plain: `${TARGET}T/`, partitioned: `${TARGET}T/snapshot_dt=2026-01-31/` };
const FILES = 5;
const OLD = '00000000000000aa';
const NEW = '00000000000000bb';
const run = (id: string, files = FILES) => ({ id, files });

const put = (store: ObjectStore, url: string, text: string) => store.create(url, new TextEncoder().encode(text));

async function names(store: ObjectStore, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { url } of store.list(folder)) found.push(url.slice(folder.length));
  return found;
}

/** As glue/split.py leaves a table with `HOLD`. */
async function hold(store: ObjectStore, place: HeldPlace, id: string): Promise<void> {
  const folder = heldFolder(place);
  await store.delete((await names(store, folder)).map((name) => `${folder}${name}`));
  const moves: Record<string, string> = {};
  for (let bucket = 0; bucket < FILES; bucket += 1) {
    const name =
      bucket === 4
        ? `empty-00000${bucket}_0-${id}.parquet`
        : `data/lakegate_bucket=${bucket}/part-0-${id}.snappy.parquet`;
    await put(store, `${folder}${name}`, `${id} ${bucket}`);
    moves[name] = `00000${bucket}_0-${id}.parquet`;
  }
  await put(store, `${folder}data/_SUCCESS`, '');
  await put(store, `${folder}held.json`, JSON.stringify({ run: id, moves }));
}

/** Rows as a reader of the table's folder finds them. */
async function rows(store: ObjectStore, place: HeldPlace): Promise<string[]> {
  const folder = FOLDERS[place.layout];
  const seen = (await names(store, folder)).filter((name) => name.endsWith('.parquet') && !/(^|\/)[._]/.test(name));
  return Promise.all(seen.map(async (name) => new TextDecoder().decode((await store.read(`${folder}${name}`)).bytes)));
}

const all = (id: string) => Array.from({ length: FILES }, (_, bucket) => `${id} ${bucket}`);

class Killed extends Error {}

/** A store whose process ends before so many changes; `inMoves`: with a move in one step, as on a disk. */
function dying(store: ObjectStore, changes: number, inMoves: boolean): ObjectStore {
  let left = changes;
  const living = () => {
    left -= 1;
    if (left < 0) throw new Killed();
  };
  return {
    ...store,
    async create(url, bytes) {
      living();
      return store.create(url, bytes);
    },
    async copy(from, to, expected) {
      living();
      return store.copy(from, to, expected);
    },
    async delete(urls) {
      // A request that is broken off has deleted some of them.
      for (const url of urls) {
        living();
        await store.delete([url]);
      }
    },
    ...(inMoves && {
      async move(from: string, to: string) {
        living();
        await store.copy(from, to);
        await store.delete([from]);
      },
    }),
  };
}

describe.each([
  ['copies', false],
  ['moves', true],
])('a store with %s', (_, inMoves) => {
  test.each([PLAIN, PARTITIONED])('$layout: broken off before any change, the next call ends it', async (place) => {
    let died = 0;
    for (let changes = 0; ; changes += 1) {
      const store = createMemoryStore();
      await hold(store, place, OLD);
      await commitHeld(store, place, run(OLD));
      await hold(store, place, NEW);
      const other = `${TARGET}T/${place.layout === 'plain' ? '_hidden' : 'snapshot_dt=2025-12-31/x.parquet'}`;
      await put(store, other, 'stays');
      const ended = await commitHeld(dying(store, changes, inMoves), place, run(NEW)).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return false;
        },
      );
      // Whatever a reader finds, it is no row twice.
      const seen = await rows(store, place);
      expect([changes, new Set(seen.map((row) => row.split(' ')[1])).size]).toEqual([changes, seen.length]);
      if (!ended) {
        died += 1;
        await commitHeld(store, place, run(NEW));
      }
      expect([changes, await rows(store, place)]).toEqual([changes, all(NEW)]);
      expect(await names(store, heldFolder(place))).toEqual([]);
      expect(await store.head(other)).toBeDefined();
      expect((await heldState(store, place, run(NEW))).committed).toBe(true);
      if (ended) break;
    }
    expect(died).toBeGreaterThan(FILES * 2);
  });
});

test('held files are those of the run, where they are; nothing is changed by looking', async () => {
  const store = createMemoryStore();
  await hold(store, PLAIN, NEW);
  const state = await heldState(store, PLAIN, run(NEW));
  expect(state).toMatchObject({ folder: `${TARGET}T/`, committed: false });
  expect(state.files.map(({ url }) => url.slice(heldFolder(PLAIN).length))).toEqual([
    ...[0, 1, 2, 3].map((bucket) => `data/lakegate_bucket=${bucket}/part-0-${NEW}.snappy.parquet`),
    `empty-000004_0-${NEW}.parquet`,
  ]);
  expect(await rows(store, PLAIN)).toEqual([]);
});

test('asked twice at the same moment, it is done once', async () => {
  const store = createMemoryStore();
  await hold(store, PLAIN, NEW);
  await Promise.all([1, 2, 3].map(() => commitHeld(store, PLAIN, run(NEW))));
  await commitHeld(store, PLAIN, run(NEW));
  expect(await rows(store, PLAIN)).toEqual(all(NEW));
});

test('a call that comes to its end late leaves what the next run holds', async () => {
  const store = createMemoryStore();
  await hold(store, PLAIN, OLD);
  let copied = 0;
  const late: ObjectStore = {
    ...store,
    async copy(from, to, expected) {
      await store.copy(from, to, expected);
      copied += 1;
      if (copied === FILES) await hold(store, PLAIN, NEW);
    },
  };
  await commitHeld(late, PLAIN, run(OLD));
  expect(await rows(store, PLAIN)).toEqual(all(OLD));
  await commitHeld(store, PLAIN, run(OLD));
  await commitHeld(store, PLAIN, run(NEW));
  expect(await rows(store, PLAIN)).toEqual(all(NEW));
});

test("files of another run, files that are gone, and those of another engine's commit are not committed", async () => {
  const store = createMemoryStore();
  await hold(store, PLAIN, OLD);
  await commitHeld(store, PLAIN, run(OLD));
  await expect(commitHeld(store, PLAIN, run(NEW))).rejects.toThrow(/T: expected the files of run 0+bb in .*found none/);
  await hold(store, PLAIN, OLD.replace('aa', 'cc'));
  await expect(commitHeld(store, PLAIN, run(NEW))).rejects.toThrow('found those of run 00000000000000cc');
  await hold(store, PLAIN, NEW);
  await store.delete([`${heldFolder(PLAIN)}data/lakegate_bucket=2/part-0-${NEW}.snappy.parquet`]);
  await expect(commitHeld(store, PLAIN, run(NEW))).rejects.toMatchObject({
    kind: 'not_found',
    message: expect.stringContaining('4 of 5 files are in') as string,
  });
  await hold(store, PLAIN, NEW);
  await put(store, `${TARGET}_staging/T.plain/commit.json`, '{}');
  await expect(commitHeld(store, PLAIN, run(NEW))).rejects.toThrow('tables split is committing T');
  await store.delete([`${TARGET}_staging/T.plain/commit.json`]);
  await put(store, `${TARGET}T/my copy.parquet`, 'x');
  await expect(commitHeld(store, PLAIN, run(NEW))).rejects.toThrow('"my copy.parquet", which no split wrote');
  expect(await rows(store, PLAIN)).toEqual([...all(OLD), 'x']);
});

test("a commit's files that are nowhere: what readers have is not deleted for them", async () => {
  const store = createMemoryStore();
  await hold(store, PLAIN, OLD);
  await commitHeld(store, PLAIN, run(OLD));
  const replaces = await names(store, `${TARGET}T/`);
  const record = { moves: { 'data/a.parquet': `part-00000-${NEW}.parquet` }, replaces };
  await put(store, `${heldFolder(PLAIN)}commit.json`, JSON.stringify(record));
  await expect(heldState(store, PLAIN, run(OLD))).rejects.toThrow('are nowhere, data/a.parquet among them');
  expect(await rows(store, PLAIN)).toEqual(all(OLD));
});

test.each([
  ['no JSON', '{'],
  ['no moves', '{"run":"x"}'],
  ['out of the folder', '{"moves":{"../x":"y"},"replaces":[]}'],
  ['to elsewhere', '{"moves":{"data/x":"/y"},"replaces":[]}'],
  ['what it replaces is elsewhere', '{"moves":{},"replaces":["../../z"]}'],
])('a record that is damaged is told: %s', async (_, text) => {
  const store = createMemoryStore();
  await put(store, `${heldFolder(PLAIN)}commit.json`, text);
  await expect(heldState(store, PLAIN, run(NEW))).rejects.toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining('_staging_spark/T/commit.json is no record') as string,
  });
});
