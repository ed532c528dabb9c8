import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { type LakeFolder, lakeFolder, removeFolders } from './lake-folder.ts';

afterAll(removeFolders);

/** Drops a file with a null. @returns the delivery's id */
async function rejected(folder: LakeFolder, name = 'bad.parquet', rows = 3): Promise<string> {
  folder.parquet(name, rows, 1);
  const { value } = await folder.json<{ delivery: DeliveryRecord }[]>(`drop ${name} --table orders`);
  return value[0]!.delivery.id;
}

const stateOf = async (folder: LakeFolder, id: string) =>
  (await folder.json<DeliveryRecord>(`delivery show ${id}`)).value.state;

describe('list', () => {
  test('newest first, by table and state', async () => {
    const folder = lakeFolder();
    expect(await folder.run('delivery list')).toMatchObject({
      code: 0,
      out: 'no deliveries yet; `lakegate drop FILE` makes one\n',
    });
    const id = await rejected(folder);
    folder.parquet('good.parquet', 2);
    await folder.run('drop good.parquet --table others');
    const { out } = await folder.run('delivery list');
    expect(out).toMatch(
      /^id +table +state +rows +when \(UTC\) +file\n[0-9a-f]{20} {2}lake\.others {2}published {2}2 .*good\.parquet\n[0-9a-f]{20} {2}lake\.orders {2}rejected {3}3 .*bad\.parquet\n$/,
    );
    expect(await folder.json('delivery list --state rejected')).toMatchObject({ value: [{ id, state: 'rejected' }] });
    expect(await folder.json('delivery list --table others')).toMatchObject({ value: [{ state: 'published' }] });
    expect((await folder.run('delivery list --state errored')).out).toBe('no such deliveries\n');
  });

  test('of thousands, no more are read than shown, and one that is no record hides none', async () => {
    const folder = lakeFolder();
    const records = join(folder.path, '.lakegate', 'deliveries');
    mkdirSync(records, { recursive: true });
    const total = 1000;
    for (let n = 0; n < total; n += 1) {
      const id = n.toString(16).padStart(20, '0');
      const path = join(records, `${id}.json`);
      const at = new Date(1_800_000_000_000 + n * 1000);
      const record = {
        version: 1,
        id,
        table: 'lake.t',
        catalog: 'default',
        drop: { url: `file:///r/f${n}.csv`, version: 'v', size: 1 },
        state: 'published',
        history: [{ state: 'published', at: at.toISOString() }],
        attempts: 1,
      };
      // The older ones are no records at all: reading them would be told.
      writeFileSync(path, n < total - 100 ? 'no record' : JSON.stringify(record));
      utimesSync(path, at, at);
    }
    const { code, out, err } = await folder.run('delivery list -n 3');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/f999\.csv\n.*f998\.csv\n.*f997\.csv\n997 older ones not shown \(--limit\)\n$/);
    const all = await folder.run('delivery list -n 2000');
    expect(all.code).toBe(0);
    expect(all.out.split('\n')).toHaveLength(102);
    expect(all.err).toContain('is not JSON');
  });

  test('fits the terminal', async () => {
    const folder = lakeFolder();
    await rejected(folder, `${'a-long-name-'.repeat(12)}.parquet`);
    const { out } = await folder.run('delivery list', { tty: true, width: 110, env: { NO_COLOR: '1' } });
    expect(out.split('\n').map((line) => line.length)).toEqual([expect.any(Number), 110, 0]);
    expect(out).toMatch(/a-long-name-a-long-name.*…\n/);
    expect((await folder.run('delivery list')).out).toContain('a-long-name-.parquet\n');
  });
});

describe('show', () => {
  test('its way, its rules, its branch, by the first digits of its id', async () => {
    const folder = lakeFolder();
    const id = await rejected(folder);
    const { code, out } = await folder.run(`delivery show ${id.slice(0, 6).toUpperCase()}`);
    expect(code).toBe(0);
    expect(out).toMatch(/^rejected {2}bad\.parquet → lake\.orders \(3 rows/);
    expect(out).toContain(`branch    wap-${id}\n`);
    expect(out).toMatch(/its way \(UTC\)\n.* received\n.* staged +branch wap-.*\n.* failed +not_null on name/);
    expect(out).toMatch(/rules\nfailed {7}not_null on name: 1 null/);
  });

  test('a start that several ids share is answered with them', async () => {
    const folder = lakeFolder();
    const names = Array.from({ length: 17 }, (_, n) => `f${n}.parquet`);
    for (const [n, name] of names.entries()) folder.parquet(name, n + 1);
    const { value } = await folder.json<{ delivery: DeliveryRecord }[]>(`drop ${names.join(' ')} --table orders`);
    const ids = value.map(({ delivery }) => delivery.id);
    const shared = ids.find((id, n) => ids.findIndex((other) => other[0] === id[0]) < n)!;
    expect(await folder.run(`delivery show ${shared[0]}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`several deliveries begin with ${shared[0]}: `),
    });
  });
});

describe('publish', () => {
  test('with a reason: main gains it, the record says who and why', async () => {
    const folder = lakeFolder();
    const id = await rejected(folder);
    const { code, out } = await folder.run(['delivery', 'publish', id, '--reason', 'known gap']);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^published {2}bad\.parquet/) });
    const { value } = await folder.json<DeliveryRecord>(`delivery show ${id}`);
    expect(value.decision).toMatchObject({ action: 'publish', by: userInfo().username, reason: 'known gap' });
    expect(await folder.json('table list')).toMatchObject({ value: [{ rows: 3, branches: [] }] });
    expect(await folder.run(['delivery', 'publish', id, '--reason', 'again'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('is published'),
    });
  });

  test.each([
    ['nobody to ask', {}, ''],
    ['an empty answer', { tty: true, answer: '\n' }, ''],
    ['no answer', { tty: true, answer: '' }, ''],
    ['an empty reason', {}, ' --reason= '],
  ])('without a reason nothing is published: %s', async (_what, options, flag) => {
    const folder = lakeFolder();
    const id = await rejected(folder);
    const words = ['delivery', 'publish', id, ...(flag === '' ? [] : [flag.trim()])];
    expect(await folder.run(words, options)).toMatchObject({
      code: 2,
      err: expect.stringContaining('say why it may be published all the same, --reason "…"'),
    });
    expect(await stateOf(folder, id)).toBe('rejected');
  });

  test('on a terminal the reason is asked for', async () => {
    const folder = lakeFolder();
    const id = await rejected(folder);
    const { code, err } = await folder.run(`delivery publish ${id}`, { tty: true, answer: 'agreed with sales\n' });
    expect(code).toBe(0);
    expect(err).toContain(`Why may delivery ${id} be published all the same?`);
    expect(await folder.json(`delivery show ${id}`)).toMatchObject({
      value: { state: 'published', decision: { reason: 'agreed with sales' } },
    });
  });
});

test('discard drops the branch and keeps the dropped file', async () => {
  const folder = lakeFolder();
  const id = await rejected(folder);
  expect((await folder.run(`delivery discard ${id}`)).out).toMatch(/^discarded {2}bad\.parquet/);
  expect(await folder.json('table list')).toMatchObject({ value: [{ branches: [] }] });
  expect(await folder.json(`delivery retry ${id}`)).toMatchObject({
    code: 3,
    value: [{ delivery: { state: 'rejected' } }],
  });
});

describe('retry', () => {
  test('runs a delivery again, once the rules have changed', async () => {
    const folder = lakeFolder();
    folder.write('lake.yaml', 'version: 1\ntables: { s.orders: { from: o/ } }\n');
    folder.parquet('bad.parquet', 3, 1);
    const { value } = await folder.json<{ delivery: DeliveryRecord }[]>('drop bad.parquet');
    folder.write('lake.yaml', 'version: 1\ntables: { s.orders: { from: o/, rules: [{ not_null: id }] } }\n');
    const { code, out } = await folder.run(`delivery retry ${value[0]!.delivery.id}`);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^published/) });
    expect(await folder.run(`delivery retry ${value[0]!.delivery.id}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is nothing to retry'),
    });
  });

  test('of a file that was replaced or is gone', async () => {
    const folder = lakeFolder();
    const id = await rejected(folder);
    const dropped = '.lakegate/raw/orders/bad.parquet';
    rmSync(join(folder.path, dropped));
    expect(await folder.run(`delivery retry ${id}`)).toMatchObject({ code: 1, out: expect.stringMatching(/^gone/) });
    folder.parquet(dropped, 9);
    expect(await folder.run(`delivery retry ${id}`)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/was replaced since/),
    });
  });
});
