import { readFooter } from '../../src/parquet/footer.ts';
import { createS3Store, type S3StoreOptions } from '../../src/storage/s3.ts';
import { collect } from '../contract/collect.ts';
import { fixture } from '../parquet/fixture.ts';
import { range, refusal, type StandIn, startStandIn, xml } from './s3-stand-in.ts';

let server: StandIn;
beforeAll(async () => {
  server = await startStandIn();
});
afterAll(() => server.stop());

const store = (options: S3StoreOptions = {}) => createS3Store({ client: server.client(), ...options });
const said = () => server.seen.map(({ method, path }) => `${method} ${path}`);

describe('requests', () => {
  test('a Parquet footer of a known version costs one GET, pinned to the version', async () => {
    const bytes = fixture('duckdb.parquet');
    const operations: string[] = [];
    server.answer((request) => range(bytes, request));
    const reader = await store({ onRequest: (name) => operations.push(name) }).open('s3://lake/a.parquet', {
      size: bytes.length,
      etag: 'e1',
      version: 'v1',
    });
    expect((await readFooter(reader, 'a.parquet')).numRows).toBeGreaterThan(0);
    expect(operations).toEqual(['GetObject']);
    expect(server.seen[0]?.headers['if-match']).toBe('"e1"');
    expect(server.seen[0]?.query.get('versionId')).toBe('v1');
  });

  test('a copy of a known version is one CopyObject, pinned at both ends, tags left behind', async () => {
    server.answer(() => xml('<CopyObjectResult><ETag>"e1"</ETag></CopyObjectResult>'));
    await store().copy('s3://raw/in/a.parquet', 's3://lake/out.parquet', {
      size: 5 * 2 ** 30,
      etag: 'e1',
      version: 'v/1',
    });
    expect(said()).toEqual(['PUT /lake/out.parquet']);
    expect(server.seen[0]?.headers).toMatchObject({
      'x-amz-copy-source': 'raw/in/a.parquet?versionId=v%2F1',
      'x-amz-copy-source-if-match': '"e1"',
      'if-none-match': '*',
      'x-amz-tagging-directive': 'REPLACE',
    });
  });

  test('keys go over the wire as they are', async () => {
    const keys = [
      'a b',
      'a+b',
      'a%20b',
      'x#y',
      'x?y=1',
      '//a//b',
      'ünï/日本',
      "it's(1)!*",
      'a:b@c&d=e,f',
      'tab\there',
      '\\x',
      '~',
      '😀',
    ];
    for (const key of keys) {
      server.answer(({ headers }) =>
        headers['x-amz-copy-source'] === undefined ? {} : xml('<R><ETag>"e"</ETag></R>'),
      );
      await store().create(`s3://lake/${key}`, Buffer.from('x'));
      await store().copy(`s3a://raw/${key}`, 's3://lake/to', { size: 1, etag: 'e' });
      expect(decodeURIComponent(server.seen[0]!.path)).toBe(`/lake/${key}`);
      expect(decodeURIComponent(String(server.seen[1]!.headers['x-amz-copy-source']))).toBe(`raw/${key}`);
    }
  });

  test('a list asks for a page when it is needed, and decodes what came encoded', async () => {
    const page = (key: string, next: string) =>
      xml(
        `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${next !== ''}</IsTruncated><NextContinuationToken>${next}</NextContinuationToken><Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag><LastModified>2026-01-01T00:00:00.500Z</LastModified></Contents><Contents><Key>dir/sub/</Key><Size>0</Size></Contents></ListBucketResult>`,
      );
    server.answer((_, index) => (index === 0 ? page('dir/a%2Bb+c%01%25', 'more') : page('dir/z', '')));
    for await (const info of store().list('s3://lake/dir/')) {
      expect(info).toEqual({
        url: 's3://lake/dir/a+b c\u0001%',
        size: 1,
        etag: 'e',
        lastModified: Date.UTC(2026, 0, 1),
      });
      break;
    }
    expect(server.seen).toHaveLength(1);
    server.answer((_, index) => (index === 0 ? page('dir/a', 'more') : page('dir/z', '')));
    expect((await collect(store().list('s3n://lake/dir/'))).map(({ url }) => url)).toEqual([
      's3n://lake/dir/a',
      's3n://lake/dir/z',
    ]);
    expect(server.seen.map(({ query }) => query.get('continuation-token'))).toEqual([null, 'more']);
  });

  test('deletions go in batches of 1000, a single one and names that XML cannot hold by themselves', async () => {
    server.answer((request) => (request.method === 'POST' ? xml('<DeleteResult></DeleteResult>') : { status: 204 }));
    await store().delete(Array.from({ length: 2500 }, (_, i) => `s3://lake/k${i}`));
    expect(server.seen.map(({ body }) => body.toString().split('<Key>').length - 1).sort()).toEqual([1000, 1000, 500]);
    server.answer((request) => (request.method === 'POST' ? xml('<DeleteResult></DeleteResult>') : { status: 204 }));
    await store().delete(['s3://lake/a', 's3://lake/b', 's3://lake/a', 's3://other/c', 's3://lake/x\u0001']);
    expect(said().sort()).toEqual(['DELETE /lake/x%01', 'DELETE /other/c', 'POST /lake/']);
  });

  test('a part-sized object is one request; a longer one is put together of bounded parts', async () => {
    const parts: number[] = [];
    server.answer((request) => {
      if (request.query.has('uploads')) return xml('<R><UploadId>u1</UploadId></R>');
      if (request.method === 'POST') return xml('<R><ETag>"whole"</ETag></R>');
      if (request.query.has('partNumber')) parts[Number(request.query.get('partNumber'))] = request.body.length;
      return { headers: { etag: '"p"' } };
    });
    const one = await store({ partSize: 1000 }).writer('s3://lake/one');
    await one.write(new Uint8Array(1000));
    await one.finish();
    expect(said()).toEqual(['PUT /lake/one']);
    const many = await store({ partSize: 1000 }).writer('s3://lake/many');
    for (let i = 0; i < 35; i += 1) await many.write(new Uint8Array(100));
    expect(await many.finish()).toEqual({ size: 3500 });
    expect(parts.slice(1)).toEqual([1000, 1000, 1000, 500]);
    const complete = server.seen.at(-1)!;
    expect(complete.headers['if-none-match']).toBe('*');
    expect(complete.body.toString().match(/<PartNumber>\d+/g)).toEqual([1, 2, 3, 4].map((n) => `<PartNumber>${n}`));
  });
});

describe('answers that are lost', () => {
  const writeId = 'x-amz-meta-lakegate-write';

  test.each([
    ['create', () => store().create('s3://lake/k', Buffer.from('x'))],
    ['replace', () => store().replace('s3://lake/k', Buffer.from('x'), 'e0')],
  ])('%s: a refusal after a lost answer is our own write, when the object says so', async (_, write) => {
    let id = '';
    server.answer((request, index) => {
      if (index === 0) id = String(request.headers[writeId]);
      if (index === 0) return { breakAfter: -1 };
      return request.method === 'HEAD'
        ? { headers: { etag: '"mine"', [writeId]: id } }
        : refusal(412, 'PreconditionFailed');
    });
    expect(await write()).toEqual({ etag: 'mine' });
    expect(said()).toEqual(['PUT /lake/k', 'PUT /lake/k', 'HEAD /lake/k']);
  });

  test('of another writer, it is not known what became of ours', async () => {
    server.answer((request, index) => {
      if (index === 0) return { breakAfter: -1 };
      return request.method === 'HEAD'
        ? { headers: { etag: '"x"', [writeId]: 'another' } }
        : refusal(412, 'PreconditionFailed');
    });
    await expect(store().replace('s3://lake/k', Buffer.from('x'), 'e0')).rejects.toMatchObject({
      kind: 'unknown_outcome',
      retryable: true,
    });
  });

  test('a refusal that no lost answer went before is believed at once', async () => {
    server.answer((_, index) => (index === 0 ? refusal(503, 'SlowDown') : refusal(412, 'PreconditionFailed')));
    expect(await store().create('s3://lake/k', Buffer.from('x'))).toBeUndefined();
    expect(said()).toEqual(['PUT /lake/k', 'PUT /lake/k']);
  });

  test('a conflict of conditional requests is sent again', async () => {
    server.answer((_, index) =>
      index < 2 ? refusal(409, 'ConditionalRequestConflict') : { headers: { etag: '"e"' } },
    );
    expect(await store().create('s3://lake/k', Buffer.from('x'))).toEqual({ etag: 'e' });
  });

  test('a copy that was done though its answer was lost is found done', async () => {
    server.answer((request, index) => {
      if (index === 0) return { breakAfter: -1 };
      return request.method === 'HEAD' ? { headers: { 'content-length': '7' } } : refusal(412, 'PreconditionFailed');
    });
    await store().copy('s3://raw/a', 's3://lake/b', { size: 7, etag: 'e' });
    expect(said()).toEqual(['PUT /lake/b', 'PUT /lake/b', 'HEAD /lake/b']);
  });

  test('a body that breaks off is gone on with where it broke', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    server.answer((request, index) => ({ ...range(bytes, request), ...(index === 0 && { breakAfter: 40_000 }) }));
    const reader = await store().open('s3://lake/a', { size: bytes.length, etag: 'e1' });
    expect(Buffer.compare(await reader.read(10, 100_000), bytes.subarray(10))).toBe(0);
    const second = /^bytes=(\d+)-99999$/.exec(String(server.seen[1]?.headers.range));
    expect(Number(second?.[1])).toBeGreaterThan(10);
    expect(server.seen).toHaveLength(2);

    server.answer((_, index) => ({ body: bytes, headers: { etag: '"w"' }, ...(index === 0 && { breakAfter: 10 }) }));
    expect(await store().read('s3://lake/a')).toEqual({ bytes, etag: 'w' });
    server.answer(() => ({ body: bytes, breakAfter: 10 }));
    await expect(store().read('s3://lake/a')).rejects.toMatchObject({ kind: 'unavailable', retryable: true });
  });
});

describe('ranges copied inside S3', () => {
  const source = new Uint8Array(1000).map((_, index) => index % 251);
  const VERSION = { size: source.length, etag: 'e1', version: 'v1' };
  const options = { partSize: 100, leastPart: 50, copyPartSize: 300 };

  function uploads(copying: boolean): void {
    server.answer((request) => {
      const { query, headers } = request;
      if (request.method === 'GET') return range(source, request);
      if (query.has('uploads')) return xml('<R><UploadId>u1</UploadId></R>');
      const number = Number(query.get('partNumber'));
      if (headers['x-amz-copy-source'] !== undefined) {
        if (!copying) return refusal(501, 'NotImplemented');
        return xml(`<CopyPartResult><ETag>"p${number}"</ETag></CopyPartResult>`);
      }
      return number > 0 ? { headers: { etag: `"p${number}"` } } : xml('<R><ETag>"done"</ETag></R>');
    });
  }

  /** @returns how many bytes were put together */
  async function written(made: ReturnType<typeof store>): Promise<number> {
    const reader = await made.open('s3://raw/a', VERSION);
    const writer = await made.writer('s3://lake/b');
    const append = async (start: number, end: number) =>
      writer.ranges === undefined
        ? writer.write(await reader.read(start, end))
        : writer.ranges.copy(reader, start, end);
    await writer.write(new TextEncoder().encode('PAR1'));
    await append(10, 900);
    await append(20, 40);
    await append(0, 1000);
    return (await writer.finish()).size;
  }

  const copies = () => server.seen.filter(({ headers }) => headers['x-amz-copy-source'] !== undefined);

  test('are pinned to the version, and parts between are filled up from what is read', async () => {
    uploads(true);
    await written(store(options));
    expect(copies().map(({ headers }) => headers['x-amz-copy-source-range'])).toEqual([
      'bytes=56-337',
      'bytes=338-619',
      'bytes=620-899',
      'bytes=30-272',
      'bytes=273-515',
      'bytes=516-758',
      'bytes=759-999',
    ]);
    for (const { headers } of copies()) {
      expect(headers).toMatchObject({
        'x-amz-copy-source': 'raw/a?versionId=v1',
        'x-amz-copy-source-if-match': '"e1"',
      });
    }
    const parts = server.seen
      .filter(({ query }) => query.has('partNumber'))
      .map(({ query }) => query.get('partNumber'));
    expect(parts.toSorted((a, b) => Number(a) - Number(b))).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  test('a server without them is asked once, and the bytes are read from then on', async () => {
    uploads(false);
    const made = store(options);
    const size = await written(made);
    await written(made);
    expect(copies()).toHaveLength(1);
    const sent = server.seen
      .filter(({ query }) => query.has('partNumber'))
      .reduce(
        (sum, { headers }) => sum + Number(headers['x-amz-decoded-content-length'] ?? headers['content-length']),
        0,
      );
    expect(sent).toBe(2 * size);
  });

  test('a source that was replaced is not_found, and what was uploaded is dropped', async () => {
    uploads(true);
    const made = store(options);
    const reader = await made.open('s3://raw/a', VERSION);
    const writer = await made.writer('s3://lake/b');
    server.answer((request) => {
      if (request.query.has('uploads')) return xml('<R><UploadId>u1</UploadId></R>');
      return request.headers['x-amz-copy-source'] === undefined ? { status: 204 } : refusal(412, 'PreconditionFailed');
    });
    await expect(writer.ranges!.copy(reader, 0, 1000)).rejects.toMatchObject({ kind: 'not_found' });
    await writer.abort();
    expect(said().at(-1)).toBe('DELETE /lake/b');
  });
});
