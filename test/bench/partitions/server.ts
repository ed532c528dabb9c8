/**
 * Glue and S3 as far as partition management asks them, with a latency: every answer comes so many milliseconds later, as over a network.
 * `POST /_world?name=wide&fresh=0|1` makes a world anew; `GET /_counts` tells what was asked since.
 *
 * usage: server WORLD LATENCY_MS; prints its port
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { databaseName, LAKE_BUCKET, RAW_BUCKET, tableName, WORLDS, type World } from './world.ts';

const [, , first = 'small', latency = '20'] = process.argv;
const LATENCY_MS = Number(latency);

/** As many columns as a table of a RAW zone has; partitions repeat them. */
const COLUMNS = Array.from({ length: 20 }, (_, i) => ({ Name: `column_${i}`, Type: 'string' }));

let world: World = WORLDS[first]!;
let folders: string[] = [];
let objects: string[] = [];
let registered = new Map<string, Map<string, object>>();
let counts: Record<string, number> = {};
const stored = new Map<string, { bytes: Buffer; etag: string }>();
begin(first, true);

function begin(name: string, fresh: boolean): void {
  world = WORLDS[name]!;
  const relative = (values: readonly string[]) => values.map((value, i) => `${world.keys[i]}=${value}/`).join('');
  folders = [...world.registered, ...(fresh ? world.fresh : [])].map(relative).sort();
  objects = folders.flatMap((folder) =>
    Array.from({ length: world.files }, (_, i) => `${folder}part-${String(i).padStart(5, '0')}.parquet`),
  );
  counts = {};
}

/** Every partition of before as it was, and nothing else. */
function restore(): void {
  registered = new Map();
  stored.clear();
  for (let d = 0; d < world.databases; d += 1)
    for (let t = 0; t < world.tables; t += 1) {
      const own = new Map<string, object>();
      for (const values of world.registered) own.set(values.join('\u0000'), partition(d, t, values));
      registered.set(`${databaseName(d)}.${tableName(t)}`, own);
    }
}

function location(d: number, t: number): string {
  return `s3://${RAW_BUCKET}/${databaseName(d)}/${tableName(t)}/`;
}

function descriptor(at: string) {
  return {
    Columns: COLUMNS,
    Location: at,
    InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    Compressed: false,
    NumberOfBuckets: -1,
    SerdeInfo: {
      SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
      Parameters: { 'serialization.format': '1' },
    },
    Parameters: {},
    StoredAsSubDirectories: false,
  };
}

function partition(d: number, t: number, values: readonly string[]): object {
  const at = `${location(d, t)}${values.map((value, i) => `${world.keys[i]}=${value}/`).join('')}`;
  return { Values: values, StorageDescriptor: descriptor(at) };
}

function glue(operation: string, input: Record<string, unknown>): object {
  const page = (total: number, most: number) => {
    const from = Number(input.NextToken ?? 0);
    const to = Math.min(total, from + Math.min(Number(input.MaxResults ?? most), most));
    return { from, to, ...(to < total && { NextToken: String(to) }) };
  };
  const table = (d: number, t: number) => ({
    DatabaseName: databaseName(d),
    Name: tableName(t),
    TableType: 'EXTERNAL_TABLE',
    Parameters: { classification: 'parquet' },
    PartitionKeys: world.keys.map((Name) => ({ Name, Type: 'string' })),
    StorageDescriptor: descriptor(location(d, t)),
  });
  const partitions = () => registered.get(`${input.DatabaseName}.${input.TableName}`)!;
  switch (operation) {
    case 'GetDatabases': {
      const { from, to, ...next } = page(world.databases, 100);
      return { DatabaseList: Array.from({ length: to - from }, (_, i) => ({ Name: databaseName(from + i) })), ...next };
    }
    case 'GetTables': {
      const d = Number(/\d+/.exec(String(input.DatabaseName)));
      const { from, to, ...next } = page(world.tables, 100);
      return { TableList: Array.from({ length: to - from }, (_, i) => table(d, from + i)), ...next };
    }
    case 'GetTable':
      return { Table: table(Number(/\d+/.exec(String(input.DatabaseName))), Number(/\d+/.exec(String(input.Name)))) };
    case 'GetPartitions': {
      const { SegmentNumber = 0, TotalSegments = 1 } = (input.Segment ?? {}) as Record<string, number>;
      const all = [...partitions().values()].filter((_, i) => i % TotalSegments === SegmentNumber);
      const { from, to, ...next } = page(all.length, 1000);
      const some = all.slice(from, to) as { Values: string[]; StorageDescriptor: Record<string, unknown> }[];
      const plain = input.ExcludeColumnSchema
        ? some.map(({ Values, StorageDescriptor: { Columns: _, ...rest } }) => ({ Values, StorageDescriptor: rest }))
        : some;
      return { Partitions: plain, ...next };
    }
    case 'BatchCreatePartition': {
      const list = input.PartitionInputList as { Values: string[] }[];
      if (list.length > 100) throw new Error('at most 100');
      const Errors: object[] = [];
      for (const one of list) {
        const key = one.Values.join('\u0000');
        if (partitions().has(key))
          Errors.push({ PartitionValues: one.Values, ErrorDetail: { ErrorCode: 'AlreadyExistsException' } });
        else partitions().set(key, one);
      }
      return { Errors };
    }
    default:
      throw new Error(`no ${operation}`);
  }
}

/** ListObjectsV2 over keys that are made up as they are asked for. */
function list(bucket: string, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const table = /^[^/]+\/[^/]+\//.exec(prefix)?.[0] ?? '';
  const within = prefix.slice(table.length);
  const start = after.startsWith(table) ? after.slice(table.length) : '';
  const from = [start, within].sort().at(-1)!;
  const found: string[] = [];
  if (query.get('delimiter') === '/') {
    // Names at this level, each once.
    for (let i = firstAfter(folders, from); i < folders.length && found.length <= most; i += 1) {
      const folder = folders[i]!;
      if (!folder.startsWith(within)) break;
      const child = folder.slice(0, folder.indexOf('/', within.length) + 1);
      if (child !== found.at(-1) && child > start) found.push(child);
    }
  } else {
    for (let i = firstAfter(objects, from); i < objects.length && found.length <= most; i += 1) {
      if (!objects[i]!.startsWith(within)) break;
      if (objects[i]! > start) found.push(objects[i]!);
    }
  }
  const shown = found.slice(0, most);
  const encoded = (text: string) => (query.get('encoding-type') === 'url' ? encodeURIComponent(text) : text);
  const items = shown.map((each) =>
    query.get('delimiter') === '/'
      ? `<CommonPrefixes><Prefix>${encoded(table + each)}</Prefix></CommonPrefixes>`
      : `<Contents><Key>${encoded(table + each)}</Key><Size>1</Size><ETag>"x"</ETag><LastModified>2026-11-20T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const truncated = found.length > most;
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${encoded(prefix)}</Prefix><KeyCount>${shown.length}</KeyCount><MaxKeys>${most}</MaxKeys>${query.get('encoding-type') ? '<EncodingType>url</EncodingType>' : ''}<IsTruncated>${truncated}</IsTruncated>${truncated ? `<NextContinuationToken>${encodeURI(table + shown.at(-1))}</NextContinuationToken>` : ''}${items.join('')}</ListBucketResult>`;
}

/** Index of the first text that sorts at or after this one. */
function firstAfter(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function count(operation: string): void {
  counts[operation] = (counts[operation] ?? 0) + 1;
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://server');
  const body = await bodyOf(request);
  const send = (status: number, content: string | Buffer, headers: Record<string, string> = {}) =>
    response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(content)) }).end(content);
  if (url.pathname === '/_counts') return send(200, JSON.stringify(counts));
  if (url.pathname === '/_world') {
    begin(url.searchParams.get('name') ?? first, url.searchParams.get('fresh') !== '0');
    if (url.searchParams.get('keep') !== '1') restore();
    return send(200, '{}');
  }
  await sleep(LATENCY_MS);
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const operation = target.split('.')[1]!;
    count(operation);
    const answer = glue(operation, JSON.parse(body.toString()) as Record<string, unknown>);
    return send(200, JSON.stringify(answer), { 'content-type': 'application/x-amz-json-1.1' });
  }
  const [, bucket = '', ...rest] = url.pathname.split('/');
  const key = rest.join('/');
  if (bucket === RAW_BUCKET && key === '') {
    count('ListObjectsV2');
    return send(200, list(bucket, url.searchParams), { 'content-type': 'application/xml' });
  }
  if (bucket !== LAKE_BUCKET) return send(404, '');
  count(`${request.method} state`);
  const there = stored.get(key);
  if (request.method === 'PUT') {
    const match = request.headers['if-match'];
    const refused =
      request.headers['if-none-match'] !== undefined
        ? there !== undefined
        : match !== undefined && match !== there?.etag;
    if (refused) return send(412, '<Error><Code>PreconditionFailed</Code></Error>');
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    stored.set(key, { bytes: body, etag });
    return send(200, '', { etag });
  }
  if (there === undefined)
    return send(404, '<Error><Code>NoSuchKey</Code></Error>', { 'content-type': 'application/xml' });
  return send(200, request.method === 'HEAD' ? '' : there.bytes, { etag: there.etag });
});
restore();
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as { port: number }).port}\n`));
