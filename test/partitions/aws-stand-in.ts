/**
 * Glue and S3 over HTTP, for the real clients: holds what Glue documents (entries of a request, page sizes, faults of single entries), throttles
 * above a number of requests a second, and lists folders of any number without keeping them.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Partition, PartitionInput, Table } from '@aws-sdk/client-glue';
import { compareFolders } from '../../src/partitions/known.ts';

/** Folder names of one level in the order of their keys, made when they are asked for. */
export interface Level {
  length: number;
  at(i: number): string;
}

type Body = Record<string, unknown> & { DatabaseName?: string; TableName?: string; NextToken?: string };

interface StoredTable {
  table: Table;
  partitions: Map<string, Partition>;
}

export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface AwsStandIn {
  endpoint: string;
  /** By database and table. */
  databases: Map<string, Map<string, StoredTable>>;
  /** Levels of folders by bucket and prefix, `bucket/key/`. */
  levels: Map<string, Level>;
  /** Requests so far by operation, refused ones included. */
  calls: Record<string, number>;
  refused: number;
  /** Requests of Glue in any second; none: no limit. */
  limit: number | undefined;
  /** Says what goes wrong with a request before it is looked at; throws a Refusal. */
  before: (operation: string, body: Body) => void;
  /** Hears of a folder that is looked at again before its partition is taken out. */
  lookAgain: (prefix: string) => void;
  /** Says which entries are not taken. */
  itemFault: (operation: string, values: readonly string[]) => { ErrorCode: string; ErrorMessage: string } | undefined;
  addTable(database: string, table: Table): StoredTable;
  /** Adds partitions' folders, relative to a location `s3://bucket/key`. */
  addFolders(location: string, prefixes: Iterable<string>): void;
  reset(): void;
  stop(): Promise<void>;
}

export async function startAws(): Promise<AwsStandIn> {
  const taken: number[] = [];
  const folders = new Map<string, Set<string>>();

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      const target = request.headers['x-amz-target'];
      if (typeof target === 'string') answerGlue(target.split('.')[1]!, Buffer.concat(chunks), response);
      else answerS3(request, response);
    } catch (error) {
      const { code, message, status } =
        error instanceof Refusal ? error : { code: 'InternalServiceException', message: String(error), status: 500 };
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify({ __type: code, Message: message }));
    }
  });

  function answerGlue(operation: string, bytes: Buffer, response: ServerResponse): void {
    aws.calls[operation] = (aws.calls[operation] ?? 0) + 1;
    const now = performance.now();
    while (taken.length > 0 && taken[0]! <= now - 1000) taken.shift();
    if (aws.limit !== undefined && taken.length >= aws.limit) {
      aws.refused += 1;
      throw new Refusal('ThrottlingException', 'Rate exceeded');
    }
    taken.push(now);
    const body = JSON.parse(bytes.toString() || '{}') as Body;
    aws.before(operation, body);
    const answer = GLUE[operation];
    if (answer === undefined) throw new Refusal('InvalidAction', operation);
    const text = JSON.stringify(answer(body));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(text);
  }

  function table(body: Body): StoredTable {
    const found = aws.databases.get(String(body.DatabaseName))?.get(String(body.TableName));
    if (found === undefined) throw new Refusal('EntityNotFoundException', `Table ${body.TableName} not found.`);
    return found;
  }

  function entries<T>(list: unknown, most: number): T[] {
    const all = (list ?? []) as T[];
    if (all.length === 0 || all.length > most) {
      throw new Refusal('ValidationException', `expected 1 to ${most} entries, found ${all.length}`);
    }
    return all;
  }

  function page<T>(all: readonly T[], body: Body, most: number): { items: T[]; NextToken?: string } {
    const size = Number(body.MaxResults ?? most);
    if (size < 1 || size > most) throw new Refusal('InvalidInputException', `MaxResults ${size}`);
    const start = Number(body.NextToken ?? 0);
    const next = start + size < all.length ? { NextToken: String(start + size) } : {};
    return { items: all.slice(start, start + size), ...next };
  }

  const GLUE: Record<string, (body: Body) => object> = {
    GetDatabases(body) {
      const { items, ...next } = page([...aws.databases.keys()], body, 100);
      return { DatabaseList: items.map((Name) => ({ Name })), ...next };
    },
    GetTables(body) {
      const database = aws.databases.get(String(body.DatabaseName));
      if (database === undefined)
        throw new Refusal('EntityNotFoundException', `Database ${body.DatabaseName} not found.`);
      const { items, ...next } = page([...database.values()], body, 100);
      // Times are seconds on the wire.
      const TableList = items.map(({ table: { CreateTime, ...rest } }) => ({
        ...rest,
        ...(CreateTime !== undefined && { CreateTime: CreateTime.getTime() / 1000 }),
      }));
      return { TableList, ...next };
    },
    GetPartitions(body) {
      const segment = body.Segment as { SegmentNumber: number; TotalSegments: number } | undefined;
      if (segment && segment.TotalSegments > 10) throw new Refusal('InvalidInputException', 'at most 10 segments');
      const all = [...table(body).partitions.values()].filter(
        (_, i) => segment === undefined || i % segment.TotalSegments === segment.SegmentNumber,
      );
      const { items, ...next } = page(all, body, 1000);
      const Partitions = items.map((one) =>
        body.ExcludeColumnSchema
          ? { ...one, StorageDescriptor: { ...one.StorageDescriptor, Columns: undefined } }
          : one,
      );
      return { Partitions, ...next };
    },
    BatchGetPartition(body) {
      const { partitions } = table(body);
      const wanted = entries<{ Values: string[] }>(body.PartitionsToGet, 1000);
      return { Partitions: wanted.flatMap(({ Values }) => partitions.get(JSON.stringify(Values)) ?? []) };
    },
    BatchCreatePartition(body) {
      const { partitions, table: of } = table(body);
      const Errors: object[] = [];
      for (const input of entries<PartitionInput>(body.PartitionInputList, 100)) {
        const values = input.Values ?? [];
        const key = JSON.stringify(values);
        const fault =
          aws.itemFault('BatchCreatePartition', values) ??
          (values.length !== of.PartitionKeys?.length
            ? { ErrorCode: 'InvalidInputException', ErrorMessage: 'wrong number of values' }
            : partitions.has(key)
              ? { ErrorCode: 'AlreadyExistsException', ErrorMessage: 'Partition already exists.' }
              : undefined);
        if (fault === undefined) partitions.set(key, input);
        else Errors.push({ PartitionValues: values, ErrorDetail: fault });
      }
      return { Errors };
    },
    BatchUpdatePartition(body) {
      const { partitions } = table(body);
      const Errors: object[] = [];
      type Entry = { PartitionValueList: string[]; PartitionInput: PartitionInput };
      for (const { PartitionValueList, PartitionInput } of entries<Entry>(body.Entries, 100)) {
        const key = JSON.stringify(PartitionValueList);
        const ErrorDetail =
          aws.itemFault('BatchUpdatePartition', PartitionValueList) ??
          (partitions.has(key) ? undefined : { ErrorCode: 'EntityNotFoundException', ErrorMessage: 'not found' });
        if (ErrorDetail === undefined) partitions.set(key, PartitionInput);
        else Errors.push({ PartitionValueList, ErrorDetail });
      }
      return { Errors };
    },
    BatchDeletePartition(body) {
      const { partitions } = table(body);
      const Errors: object[] = [];
      for (const { Values } of entries<{ Values: string[] }>(body.PartitionsToDelete, 25)) {
        const ErrorDetail =
          aws.itemFault('BatchDeletePartition', Values) ??
          (partitions.has(JSON.stringify(Values))
            ? undefined
            : { ErrorCode: 'EntityNotFoundException', ErrorMessage: 'not found' });
        if (ErrorDetail === undefined) partitions.delete(JSON.stringify(Values));
        else Errors.push({ PartitionValues: Values, ErrorDetail });
      }
      return { Errors };
    },
  };

  function answerS3(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3');
    const bucket = pathname.split('/')[1]!;
    const prefix = query.get('prefix') ?? '';
    if (query.get('list-type') === '2' && !query.has('delimiter') && query.get('max-keys') === '1') {
      aws.calls.LookAgain = (aws.calls.LookAgain ?? 0) + 1;
      aws.lookAgain(prefix);
      const name = prefix.slice(0, -1).split('/').at(-1)!;
      const level = levelAt(`${bucket}/${prefix.slice(0, -name.length - 1)}`);
      const isThere = Array.from({ length: level.length }, (_, i) => level.at(i)).includes(name);
      const content = isThere ? `<Contents><Key>${encodeURIComponent(`${prefix}part-0`)}</Key></Contents>` : '';
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end(`<ListBucketResult><EncodingType>url</EncodingType>${content}</ListBucketResult>`);
      return;
    }
    if (query.get('list-type') !== '2' || query.get('delimiter') !== '/')
      throw new Error(`not a listing: ${request.url}`);
    aws.calls.ListObjectsV2 = (aws.calls.ListObjectsV2 ?? 0) + 1;
    const level = levelAt(`${bucket}/${prefix}`);
    const token = query.get('continuation-token');
    const start = token === null ? firstAfter(level, prefix, query.get('start-after')) : Number(token);
    const end = Math.min(level.length, start + Number(query.get('max-keys') ?? 1000));
    const names = Array.from({ length: end - start }, (_, i) => level.at(start + i));
    const encoded = (text: string) => encodeURIComponent(text).replaceAll('%2F', '/');
    const more = end < level.length;
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>` +
        (more ? `<NextContinuationToken>${end}</NextContinuationToken>` : '') +
        names
          .map((name) => `<CommonPrefixes><Prefix>${encoded(`${prefix}${name}/`)}</Prefix></CommonPrefixes>`)
          .join('') +
        '</ListBucketResult>',
    );
  }

  function levelAt(path: string): Level {
    const made = aws.levels.get(path);
    if (made !== undefined) return made;
    const names = [...(folders.get(path) ?? [])].sort(compareFolders);
    const level = { length: names.length, at: (i: number) => names[i]! };
    aws.levels.set(path, level);
    return level;
  }

  /** By halving, over keys with their slash as S3 has them. */
  function firstAfter(level: Level, prefix: string, startAfter: string | null): number {
    if (startAfter === null) return 0;
    let [low, high] = [0, level.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(Buffer.from(`${prefix}${level.at(middle)}/`), Buffer.from(startAfter)) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const aws: AwsStandIn = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    databases: new Map(),
    levels: new Map(),
    calls: {},
    refused: 0,
    limit: undefined,
    before: () => undefined,
    lookAgain: () => undefined,
    itemFault: () => undefined,
    addTable(database, definition) {
      if (!aws.databases.has(database)) aws.databases.set(database, new Map());
      const stored = { table: { DatabaseName: database, ...definition }, partitions: new Map() };
      aws.databases.get(database)!.set(definition.Name!, stored);
      return stored;
    },
    addFolders(location, prefixes) {
      for (const prefix of prefixes) {
        let path = `${location.replace(/^s3:\/\//, '').replace(/\/+$/, '')}/`;
        for (const name of prefix.slice(0, -1).split('/')) {
          const level = folders.get(path) ?? new Set();
          level.add(name);
          folders.set(path, level);
          aws.levels.delete(path);
          path += `${name}/`;
        }
      }
    },
    reset() {
      aws.databases.clear();
      aws.levels.clear();
      folders.clear();
      taken.length = 0;
      Object.assign(aws, {
        calls: {},
        refused: 0,
        limit: undefined,
        before: () => undefined,
        lookAgain: () => undefined,
        itemFault: () => undefined,
      });
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return aws;
}
