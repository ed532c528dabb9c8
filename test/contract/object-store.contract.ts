import fc from 'fast-check';
import type { ObjectInfo, ObjectStore } from '../../src/storage/store.ts';
import { collect } from './collect.ts';

/** A backend under test: a store and an empty place in it, a URL ending in `/`. */
export interface StoreUnderTest {
  store: ObjectStore;
  root: string;
  /** A server whose listings are ordered folder by folder. */
  unordered?: boolean;
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const text = (value: string) => new TextEncoder().encode(value);

/**
 * What every object store must do, whatever is behind it.
 * @param open gives the store and an empty root; called before each test
 */
export function objectStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`object store: ${name}`, () => {
    let store: ObjectStore;
    let root: string;
    let unordered: boolean | undefined;
    beforeEach(async () => {
      ({ store, root, unordered } = await open());
    });

    async function contents(url: string): Promise<string> {
      return new TextDecoder().decode((await store.read(url)).bytes);
    }
    async function listed(prefix: string): Promise<string[]> {
      const keys = (await collect(store.list(prefix))).map((info) => info.url.slice(root.length));
      return unordered ? keys.sort(byBytes) : keys;
    }
    async function infoOf(url: string): Promise<ObjectInfo> {
      return (await store.head(url)) as ObjectInfo;
    }

    test('what is not there is undefined to head, and not_found to open, read and copy', async () => {
      const url = `${root}none/x`;
      expect(await store.head(url)).toBeUndefined();
      await expect(store.open(url)).rejects.toMatchObject({ kind: 'not_found' });
      await expect(store.read(url)).rejects.toMatchObject({ kind: 'not_found' });
      await expect(store.copy(url, `${root}y`)).rejects.toMatchObject({ kind: 'not_found' });
      expect(await store.head(`${root}y`)).toBeUndefined();
      expect(await store.replace(url, text('x'), 'etag')).toBeUndefined();
      await store.delete([url]);
      expect(await listed(`${root}none/`)).toEqual([]);
    });

    test('create, head and read agree on the object and its etag', async () => {
      const url = `${root}a/b`;
      const before = Date.now() - 10_000;
      const created = await store.create(url, text('hello'));
      const head = (await store.head(url)) as ObjectInfo;
      expect(head).toMatchObject({ url, size: 5, etag: created?.etag });
      expect(head.lastModified).toBeGreaterThan(before);
      expect(head.lastModified).toBeLessThan(Date.now() + 10_000);
      expect((await store.read(url)).etag).toBe(head.etag);
      expect(await contents(url)).toBe('hello');
    });

    test('create leaves an object that exists as it is', async () => {
      const url = `${root}a`;
      const first = await store.create(url, text('first'));
      expect(await store.create(url, text('second'))).toBeUndefined();
      expect(await contents(url)).toBe('first');
      expect((await store.head(url))?.etag).toBe(first?.etag);
    });

    test('of many creators at once exactly one wins, and its bytes stay', async () => {
      const url = `${root}deep/er/claim`;
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => store.create(url, text(`winner ${i}`))));
      const winners = answers.flatMap((answer, i) => (answer === undefined ? [] : [i]));
      expect(winners).toHaveLength(1);
      expect(await contents(url)).toBe(`winner ${winners[0]}`);
    });

    test('replace swaps from the given version only', async () => {
      const url = `${root}record`;
      const one = (await store.create(url, text('1')))!;
      const two = (await store.replace(url, text('2'), one.etag))!;
      expect(two.etag).not.toBe(one.etag);
      expect((await store.head(url))?.etag).toBe(two.etag);
      expect(await store.replace(url, text('x'), one.etag)).toBeUndefined();
      expect(await contents(url)).toBe('2');
      expect(await store.replace(url, text('3'), two.etag)).toBeDefined();
      await store.delete([url]);
      expect(await store.replace(url, text('4'), two.etag)).toBeUndefined();
      expect(await store.head(url)).toBeUndefined();
    });

    test('no etag comes back while an object is replaced by others of the same size', async () => {
      const url = `${root}record`;
      const etags = [(await store.create(url, text('00')))!.etag];
      for (let i = 0; i < 50; i += 1) {
        etags.push((await store.replace(url, text(String(10 + i)), etags.at(-1)!))!.etag);
      }
      expect(new Set(etags).size).toBe(etags.length);
    });

    test('increments by compare-and-swap lose no update', async () => {
      const url = `${root}counter`;
      await store.create(url, text('0'));
      const increment = async () => {
        for (;;) {
          const { bytes, etag } = await store.read(url);
          const next = Number(new TextDecoder().decode(bytes)) + 1;
          if ((await store.replace(url, text(String(next)), etag)) !== undefined) return;
        }
      };
      await Promise.all(Array.from({ length: 10 }, increment));
      expect(await contents(url)).toBe('10');
    });

    test('ranged reads give exactly the bytes, clamped to the object', async () => {
      const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
      const url = `${root}ranges`;
      await store.create(url, bytes);
      const reader = await store.open(url);
      expect(reader).toMatchObject({ url, byteLength: 1000 });
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: -10, max: 1100 }),
          fc.integer({ min: -10, max: 1100 }),
          async (start, end) => {
            const expected = bytes.slice(Math.max(0, start), Math.max(0, end));
            expect(Buffer.compare(await reader.read(start, end), expected)).toBe(0);
          },
        ),
        { numRuns: 50 },
      );
      await reader.close();
    });

    test('an open reader gives its own version or nothing while the object is replaced', async () => {
      const url = `${root}version`;
      const { etag } = (await store.create(url, text('old bytes')))!;
      const reader = await store.open(url);
      await store.replace(url, text('new bytes, longer'), etag);
      const outcome = await reader.read(0, 100).then(
        (bytes) => new TextDecoder().decode(bytes),
        (error) => error.kind,
      );
      expect(['old bytes', 'not_found']).toContain(outcome);
      await reader.close();
    });

    test('the expected version is opened and copied; once it is replaced or deleted, it is not found', async () => {
      const url = `${root}expected`;
      await store.create(url, text('old bytes'));
      const expected = await infoOf(url);
      const reader = await store.open(url, expected);
      expect(reader.byteLength).toBe(9);
      expect(new TextDecoder().decode(await reader.read(4, 9))).toBe('bytes');
      await reader.close();
      await store.copy(url, `${root}copied`, expected);
      expect(await contents(`${root}copied`)).toBe('old bytes');

      const readExpected = async () => {
        const late = await store.open(url, expected);
        await late.read(0, 9).finally(() => late.close());
      };
      await store.replace(url, text('new bytes'), expected.etag);
      await expect(readExpected()).rejects.toMatchObject({ kind: 'not_found' });
      await expect(store.copy(url, `${root}late`, expected)).rejects.toMatchObject({ kind: 'not_found' });
      await store.delete([url]);
      await expect(readExpected()).rejects.toMatchObject({ kind: 'not_found' });
      await expect(store.copy(url, `${root}late`, expected)).rejects.toMatchObject({ kind: 'not_found' });
      expect(await store.head(`${root}late`)).toBeUndefined();
    });

    test('copy makes a second object; a finished copy is left, another object of the name is an error', async () => {
      await store.create(`${root}from`, text('12345'));
      await store.copy(`${root}from`, `${root}new/to`);
      expect(await contents(`${root}new/to`)).toBe('12345');
      const first = await store.head(`${root}new/to`);
      await store.copy(`${root}from`, `${root}new/to`);
      expect(await store.head(`${root}new/to`)).toEqual(first);
      await store.create(`${root}other`, text('123456'));
      await expect(store.copy(`${root}from`, `${root}other`)).rejects.toMatchObject({ kind: 'exists' });
      expect(await contents(`${root}other`)).toBe('123456');
      await store.delete([`${root}from`]);
      expect(await contents(`${root}new/to`)).toBe('12345');
    });

    test('a written object appears at finish, whole', async () => {
      const url = `${root}w/x`;
      const writer = await store.writer(url);
      const chunk = text('abc');
      await writer.write(chunk);
      chunk.fill(0);
      await writer.write(text('def'));
      expect(await store.head(url)).toBeUndefined();
      expect(await listed(root)).toEqual([]);
      expect(await writer.finish()).toEqual({ size: 6 });
      expect(await contents(url)).toBe('abcdef');
    });

    test('an aborted writer leaves nothing; an empty one an empty object', async () => {
      const aborted = await store.writer(`${root}aborted`);
      await aborted.write(text('x'));
      await aborted.abort();
      const empty = await store.writer(`${root}empty`);
      await empty.finish();
      expect(await listed(root)).toEqual(['empty']);
      expect((await store.read(`${root}empty`)).bytes.byteLength).toBe(0);
    });

    test('a writer replaces nothing', async () => {
      await store.create(`${root}same`, text('123'));
      const again = await store.writer(`${root}same`);
      await again.write(text('456'));
      expect(await again.finish()).toEqual({ size: 3 });
      const other = await store.writer(`${root}same`);
      await other.write(text('4567'));
      await expect(other.finish()).rejects.toMatchObject({ kind: 'exists' });
      expect(await contents(`${root}same`)).toBe('123');
    });

    test('ranges of another object are appended between what is written, of the version that is read', async () => {
      // Two and a half of S3's smallest parts, no two places of it alike.
      const numbers = Uint32Array.from({ length: (5 * 2 ** 20 * 2.5) / 4 }, (_, index) => index * 2654435761);
      const bytes = new Uint8Array(numbers.buffer);
      await store.create(`${root}source`, bytes);
      const source = await store.open(`${root}source`);
      const writer = await store.writer(`${root}ranged`);
      const { ranges } = writer;
      const offered = ranges?.takes(source);
      const append = async (start: number, end: number) =>
        offered ? ranges!.copy(source, start, end) : writer.write(await source.read(start, end));
      await writer.write(text('PAR1'));
      await append(7, bytes.length - 3);
      await append(0, 5);
      await writer.write(text('between'));
      await append(1_000_001, bytes.length);
      await writer.write(text('PAR1'));
      const expected = Buffer.concat([
        text('PAR1'),
        bytes.subarray(7, -3),
        bytes.subarray(0, 5),
        text('between'),
        bytes.subarray(1_000_001),
        text('PAR1'),
      ]);
      expect(await writer.finish()).toEqual({ size: expected.length });
      expect(expected.equals((await store.read(`${root}ranged`)).bytes)).toBe(true);
      if (!offered) return source.close();
      const late = await store.writer(`${root}late`);
      const { etag } = (await store.head(`${root}source`))!;
      await store.replace(`${root}source`, bytes.toReversed(), etag);
      const copied = async () => {
        await late.ranges!.copy(source, 0, bytes.length);
        await late.finish();
      };
      await expect(copied()).rejects.toMatchObject({ kind: 'not_found' });
      await source.close();
      await late.abort();
      expect(await store.head(`${root}late`)).toBeUndefined();
    });

    test('delete removes the named objects and no others', async () => {
      for (const name of ['a', 'b', 'd/c']) await store.create(root + name, text(name));
      await store.delete([`${root}a`, `${root}missing`, `${root}d/c`]);
      expect(await listed(root)).toEqual(['b']);
    });

    test('list gives all under a prefix in byte order of the key, folder or not', async () => {
      const keys = [
        'b',
        'a/z',
        'a.txt',
        'a/b/c',
        'a-',
        'a0',
        'ab/x',
        'ä',
        'Z',
        'a/b.c',
        '\u{1F600}',
        '\uFF5E',
        'a b',
        '%20',
      ];
      for (const key of keys) await store.create(root + key, text(key));
      const ordered = [...keys].sort(byBytes);
      expect(await listed(root)).toEqual(ordered);
      expect(await listed(`${root}a`)).toEqual(ordered.filter((key) => key.startsWith('a')));
      expect(await listed(`${root}a/`)).toEqual(['a/b.c', 'a/b/c', 'a/z']);
      expect(await listed(`${root}a/b`)).toEqual(['a/b.c', 'a/b/c']);
      for await (const info of store.list(root)) expect(info).toEqual(await store.head(info.url));
    });

    test('names are literal: what looks encoded is not decoded', async () => {
      const names = ['a%20b', 'a b', 'a+b', 'x#y', 'x?y=1', "it's", 'day=2024-01-01', 'ünï'];
      for (const name of names) await store.create(`${root}n/${name}`, text(name));
      for (const name of names) expect(await contents(`${root}n/${name}`)).toBe(name);
      expect((await listed(`${root}n/`)).length).toBe(names.length);
    });

    test('a path that climbs out, and a folder given for an object, are refused', async () => {
      for (const url of [`${root}../x`, `${root}a/../../x`, `${root}./x`, `${root}a/..`, `${root}nul\0`]) {
        await expect(store.create(url, text('x'))).rejects.toMatchObject({ kind: 'invalid' });
        await expect(store.read(url)).rejects.toMatchObject({ kind: 'invalid' });
      }
      await expect(store.create(`${root}folder/`, text('x'))).rejects.toMatchObject({ kind: 'invalid' });
    });
  });
}
