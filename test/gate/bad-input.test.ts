/** What people drop by mistake: each ends in the right state with a message that names the file and the fault, and holds nothing else back. */
import { mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { TableConfig } from '../../src/config/model.ts';
import { rollbackDelivery } from '../../src/gate/decide.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { resumeOpen } from '../../src/gate/resume.ts';
import { headOf, MAIN } from '../../src/iceberg/ancestry.ts';
import { createStores } from '../../src/storage/stores.ts';
import { type Around, interceptCatalogs, interceptStore } from '../faults/intercept.ts';
import {
  allRecords,
  idsOnMain,
  loadTable,
  openLake,
  orders,
  parquet,
  putDrop,
  span,
  targetOf,
  told,
} from '../faults/lake.ts';
import { closeLakes, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const GOOD = parquet(orders(0, 4));
const NO_ROWS = new Uint8Array(
  parquetWriteBuffer({
    columnData: [
      { name: 'id', data: [], type: 'INT32', nullable: true },
      { name: 'note', data: [], type: 'STRING', nullable: true },
    ],
  }),
);
const LATIN = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

/** The good file with one of its bytes changed, counted from the end. */
function damaged(fromEnd: number, value: number): Uint8Array {
  const bytes = Uint8Array.from(GOOD);
  bytes[bytes.length - fromEnd] = value;
  return bytes;
}

/** What is dropped, the state it ends in, and what is said of it. The table is `id int, note string`. */
const BAD: [string, string, Uint8Array | string, 'rejected' | 'errored', RegExp][] = [
  ['an empty file', 'x.parquet', '', 'errored', /x\.parquet.*(empty|0 bytes)/i],
  ['an empty CSV', 'x.csv', '', 'errored', /x\.csv.*empty/i],
  ['a file cut off at its end', 'x.parquet', GOOD.slice(0, -20), 'errored', /x\.parquet/],
  ['a file cut off at its beginning', 'x.parquet', GOOD.slice(40), 'errored', /x\.parquet/],
  ['four bytes of magic alone', 'x.parquet', 'PAR1', 'errored', /x\.parquet/],
  ['garbage', 'x.parquet', new Uint8Array(3000).map((_, i) => (i * 7919) % 251), 'errored', /x\.parquet.*Parquet/],
  ['the wrong magic at the end', 'x.parquet', damaged(1, 0x32), 'errored', /x\.parquet/],
  ['an encrypted file', 'x.parquet', LATIN(`PARE${'x'.repeat(100)}PARE`), 'errored', /x\.parquet.*encrypted/],
  ['a footer that says to be longer than the file', 'x.parquet', damaged(6, 0x7f), 'errored', /x\.parquet/],
  ['a footer of zeros', 'x.parquet', LATIN(`PAR1${'\0'.repeat(50)}\x20\0\0\0PAR1`), 'errored', /x\.parquet/],
  [
    'an error page',
    'x.parquet',
    '<!DOCTYPE html><html><body>403 Forbidden</body></html>',
    'errored',
    /x\.parquet.*Parquet/,
  ],
  ['a CSV with bad values', 'x.csv', 'id,note\n1,a\nno,b\n3,c\nnor this,d\n', 'rejected', /x\.csv.*id.*"no"/s],
  ['a ragged CSV', 'x.csv', 'id,note\n1,a\n2\n3,c,d\n', 'errored', /x\.csv.*line 3/s],
  ['a CSV with a column too many', 'x.csv', 'id,note,extra\n1,a,b\n', 'rejected', /x\.csv.*"extra"/s],
  ['a CSV with an open quote', 'x.csv', 'id,note\n1,"a\n2,b\n', 'errored', /x\.csv/],
  ['JSON Lines that are not', 'x.jsonl', '{"id":1,"note":"a"}\n{"id":2,\n', 'errored', /x\.jsonl.*line 2/s],
  ['gzip that is not', 'x.csv.gz', 'id,note\n1,a\n', 'errored', /x\.csv\.gz/],
  ['another type', 'x.parquet', parquet({ id: ['a'], note: ['b'] }), 'rejected', /x\.parquet.*"id".*int.*string/s],
  ['a wider type', 'x.parquet', parquet({ id: [1n], note: ['b'] }), 'rejected', /x\.parquet.*id.*long/s],
  [
    'a new column',
    'x.parquet',
    parquet({ ...orders(1, 1), extra: [1] }),
    'rejected',
    /x\.parquet.*extra.*add_columns/s,
  ],
  ['a column of another case', 'x.parquet', parquet({ ID: [1], note: ['b'] }), 'rejected', /x\.parquet.*ID/s],
];

test.each(BAD)('%s', async (_, name, content, state, message) => {
  const { lake, drop, config } = await tableLake();
  await drop({ 'first.parquet': GOOD });
  const [good, bad, also] = await drop({
    'good.parquet': parquet(orders(10, 2)),
    [name]: content,
    'also-good.csv': 'id,note\n20,a\n',
  });
  expect([bad?.state, bad?.notification]).toEqual([state, 'sent']);
  expect(bad?.reason).toMatch(message);
  expect([good?.state, also?.state]).toEqual(['published', 'published']);
  expect(await idsOnMain(lake)).toEqual([...span(0, 4), 10, 11, 20]);
  expect(told(config)).toMatchObject(
    expect.arrayContaining([expect.objectContaining({ event: `delivery.${state}`, file: bad?.drop.url })]),
  );
});

test.each(BAD)('%s as the first drop of a table that is not there yet', async (_, name, content) => {
  const { lake, drop } = await tableLake({
    columns: { id: { type: 'int', required: false }, note: { type: 'string', required: false } },
  });
  const [bad, good] = await drop({ [name]: content, 'good.parquet': GOOD });
  expect(['rejected', 'errored']).toContain(bad?.state);
  expect(good?.state).toBe('published');
  expect(await idsOnMain(lake)).toEqual(span(0, 4));
});

test('a required column that is missing, and one that may hold nulls', async () => {
  const { drop, lake } = await tableLake({
    columns: { id: { type: 'int', required: true }, note: { type: 'string', required: false } },
  });
  const [missing, csv, optional] = await drop({
    'missing.parquet': parquet({ note: ['a'] }),
    'missing.csv': 'note\na\n',
    'optional.csv': 'id,note\n1,a\n',
  });
  expect(missing).toMatchObject({ state: 'rejected', reason: expect.stringMatching(/missing\.parquet.*"id"/s) });
  expect(csv).toMatchObject({ state: 'rejected', reason: expect.stringMatching(/missing\.csv.*"id"/s) });
  expect(optional?.state).toBe('published');
  expect(await idsOnMain(lake)).toEqual([1]);
});

test('a file without rows is published, adds nothing, and can be taken back', async () => {
  const { drop, lake } = await tableLake();
  await drop({ 'first.parquet': GOOD });
  const [empty, csv] = await drop({ 'empty.parquet': NO_ROWS, 'empty.csv': 'id,note\n' });
  expect([empty?.reason, csv?.reason]).toEqual([undefined, undefined]);
  expect([empty?.state, csv?.state]).toEqual(['published', 'published']);
  expect([empty?.rows, csv?.rows]).toEqual([0, 0]);
  expect(await idsOnMain(lake)).toEqual(span(0, 4));
  for (const { id } of [empty!, csv!]) {
    await rollbackDelivery(lake.ports, targetOf(lake), id, { by: 'somebody', reason: 'why not' });
    expect((await lake.ports.records.load(id))?.record.state).toBe('rolled_back');
  }
  expect(await idsOnMain(lake)).toEqual(span(0, 4));
});

test('rules judge a drop without rows like any other', async () => {
  const files = { 'empty.csv': 'id,note\n', 'empty.parquet': NO_ROWS };
  const { drop } = await tableLake({
    columns: { id: { type: 'int', required: false }, note: { type: 'string', required: false } },
    rules: [
      { rule: 'row_count', min: 1 },
      { rule: 'unique', columns: ['id'] },
      { rule: 'range', column: 'id', min: 0 },
      { rule: 'accepted_values', column: 'note', values: ['a'] },
      { rule: 'max_null_fraction', column: 'note', atMost: 0.5 },
    ],
  });
  for (const { state, results, drop: dropped } of await drop(files)) {
    expect([dropped.url.slice(-7), state]).toEqual([dropped.url.slice(-7), 'rejected']);
    expect(results?.filter(({ outcome }) => outcome !== 'passed').map(({ rule }) => rule)).toEqual(['row_count']);
  }
});

test('a table of format version 3 is refused, and said so', async () => {
  const { drop, lake } = await tableLake();
  await drop({ 'first.parquet': GOOD });
  const { metadataLocation } = await loadTable(lake);
  const path = metadataLocation.slice('file://'.length);
  const text = Buffer.from((await createStores().read(metadataLocation)).bytes).toString();
  writeFileSync(path, text.replace(/"format-version":\s*2/, '"format-version":3,"next-row-id":0'));
  const config = lake.config;
  const again = await openLake(config);
  const url = putDrop(config, 'second.parquet', parquet(orders(10, 2)));
  const [outcome] = await deliver(again.ports, config, [url]);
  expect(outcome).toMatchObject({
    kind: 'ended',
    record: { state: 'errored', reason: expect.stringMatching(/version 3/) },
  });
  again.close();
});

test('names of all kinds are data like any other', async () => {
  const { drop, lake } = await tableLake();
  const names = [
    'with space.parquet',
    'plus+and%20percent%.parquet',
    `quote'"and\`.parquet`,
    'new\nline.parquet',
    'ünï-コード-🦆.parquet',
    '<script>.parquet',
    '$(touch x);&|.parquet',
    'deep/er/and/deeper.parquet',
    `${'long'.repeat(55)}.parquet`,
  ];
  const records = await drop(Object.fromEntries(names.map((name, n) => [name, parquet(orders(n * 10, 2))])));
  expect(records.map(({ state }) => state)).toEqual(names.map(() => 'published'));
  expect(await idsOnMain(lake)).toEqual(names.flatMap((_, n) => span(n * 10, 2)));
});

test.each<Partial<TableConfig>>([{ ingest: 'register' }, { ingest: 'copy' }])(
  'names of all kinds, audited and kept: %j',
  async (table) => {
    const { drop, lake } = await tableLake(table);
    const records = await drop({
      'a b%2Fc+d#e?f.parquet': parquet(orders(0, 2)),
      "bad ä'%.parquet": parquet(orders(10, 2, [1])),
    });
    expect(records.map(({ state }) => state)).toEqual(['published', 'rejected']);
    expect(await idsOnMain(lake)).toEqual([0, 1]);
    expect(await idsOnMain(lake, records[1]!.branch)).toEqual([10, 11]);
  },
);

test('what is no drop of any table goes no further, beside drops that do', async () => {
  const { lake, config } = await tableLake();
  const good = putDrop(config, 'good.parquet', GOOD);
  const raw = config.raw;
  const urls = [
    `${raw}orders/.hidden.parquet`,
    `${raw}orders/_temporary/0/part.parquet`,
    `${raw}orders/../orders/good.parquet`,
    `${raw}orders/./good.parquet`,
    `${raw}orders/`,
    raw,
    `${raw}nobodys/x.parquet`,
    `${config.warehouse}orders/x.parquet`,
    `${raw}orders/nul\0.parquet`,
    `${raw}orders/${'long'.repeat(100)}.parquet`,
  ];
  const outcomes = await deliver(lake.ports, config, [...urls, good, `${raw}orders/absent.parquet`]);
  expect(outcomes.map(({ kind }) => kind)).toEqual([...urls.map(() => 'unrouted'), 'ended', 'gone']);
  expect(await allRecords(lake)).toHaveLength(1);
});

/** Calls `then` once, right after the first call of this name. */
function onceAfter(name: string, then: () => void): Around {
  let done = false;
  return async (call, run) => {
    const answer = await run();
    if (call === name && !done) {
      done = true;
      then();
    }
    return answer;
  };
}

test.each(['store.head', 'store.open'])(
  'a file that is replaced after %s is errored; what replaced it is a delivery of its own',
  async (moment) => {
    const { config } = await tableLake();
    const other = putDrop(config, 'other.parquet', parquet(orders(50, 2)));
    const url = putDrop(config, 'same.parquet', GOOD);
    const replace = onceAfter(moment, () => {
      unlinkSync(url.slice('file://'.length));
      putDrop(config, 'same.parquet', parquet(orders(4, 4)));
    });
    const lake = await openLake(config, { store: interceptStore(createStores(), replace) });
    const outcomes = await deliver(lake.ports, config, [url, other]);
    const [same] = outcomes;
    // A replacement between the look at it and the copy may be noticed by the copy, which is worth another try.
    const records = [...outcomes, ...(await resumeOpen({ ...lake.ports, isDead: () => true }, config))];
    expect(records.at(-1)?.kind === 'ended' || same?.kind === 'ended').toBe(true);
    const [record] = (await allRecords(lake)).filter(({ drop }) => drop.url === url);
    expect(record).toMatchObject({ state: 'errored', reason: expect.stringMatching(/same\.parquet was replaced/) });
    await deliver(lake.ports, config, [url]);
    expect(await idsOnMain(lake)).toEqual([...span(4, 4), 50, 51]);
    lake.close();
  },
);

test('a file that is replaced once it was copied is published as it was; what replaced it is a delivery of its own', async () => {
  const { config } = await tableLake();
  const url = putDrop(config, 'same.parquet', GOOD);
  const replace = onceAfter('store.copy', () => {
    unlinkSync(url.slice('file://'.length));
    putDrop(config, 'same.parquet', parquet(orders(50, 2)));
  });
  const lake = await openLake(config, { store: interceptStore(createStores(), replace) });
  expect(await deliver(lake.ports, config, [url])).toMatchObject([{ kind: 'ended', record: { state: 'published' } }]);
  const before = await idsOnMain(lake);
  expect(before).not.toContain(50);
  expect(await deliver(lake.ports, config, [url])).toMatchObject([{ kind: 'ended', record: { state: 'published' } }]);
  expect(await idsOnMain(lake)).toEqual([...before, 50, 51]);
  lake.close();
});

test('a file that is deleted while it is delivered is errored', async () => {
  const { config } = await tableLake();
  const url = putDrop(config, 'gone.parquet', GOOD);
  const remove = onceAfter('store.head', () => rmSync(url.slice('file://'.length)));
  const lake = await openLake(config, { store: interceptStore(createStores(), remove) });
  const [outcome] = await deliver(lake.ports, config, [url]);
  expect(outcome).toMatchObject({
    kind: 'ended',
    record: { state: 'errored', reason: expect.stringMatching(/gone\.parquet/) },
  });
  lake.close();
});

test('a folder of the name of a drop is no drop', async () => {
  const { lake, config } = await tableLake();
  const url = `${config.raw}orders/folder.parquet`;
  mkdirSync(url.slice('file://'.length), { recursive: true });
  mkdirSync(dirname(`${url.slice('file://'.length)}/x`), { recursive: true });
  expect(await deliver(lake.ports, config, [url])).toEqual([{ kind: 'gone', drop: url }]);
});

describe('commits', () => {
  async function counted(table: Partial<TableConfig>, files: Record<string, Uint8Array | string>, before: boolean) {
    const { config, drop, lake: first } = await tableLake(table);
    if (before) await drop({ 'before.parquet': GOOD });
    const calls: string[] = [];
    const lake = interceptCatalogs(await openLake(config), async (call, run) => {
      if (call === 'catalog.commit' || call === 'catalog.createTable') calls.push(call.slice('catalog.'.length));
      return run();
    });
    const urls = Object.entries(files).map(([name, content]) => putDrop(config, name, content));
    await deliver(lake.ports, config, urls);
    lake.close();
    expect(
      headOf((await targetOf(first).catalog.loadTable(targetOf(first).identifier)).metadata, MAIN) !== undefined,
    ).toBe(before || Object.keys(files).some((name) => name.startsWith('clean')));
    return calls;
  }
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, n) => [
      `${n % 3 ? 'clean' : 'bad'}-${n}.parquet`,
      parquet(orders(n * 10, 3, n % 3 ? [] : [1])),
    ]),
  );

  test('a hundred drops, a third of them bad, cost two, and one more to make the table', async () => {
    expect(await counted({}, many, true)).toEqual(['commit', 'commit']);
    expect(await counted({}, many, false)).toEqual(['createTable', 'commit', 'commit']);
    expect(await counted({ onFailure: 'discard' }, many, true)).toEqual(['commit', 'commit']);
  });

  test('a single drop costs two when it passes and one when it fails', async () => {
    expect(await counted({}, { 'clean.parquet': parquet(orders(50, 2)) }, true)).toEqual(['commit', 'commit']);
    expect(await counted({}, { 'bad.parquet': parquet(orders(50, 2, [0])) }, true)).toEqual(['commit']);
    expect(await counted({}, { 'x.parquet': 'no Parquet' }, true)).toEqual([]);
  });
});
