import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface GlueError {
  type: string;
  message?: string;
  status?: number;
}

/** What happens to a request instead of its answer: an error, or its answer is lost before or after it was carried out. */
export type Fault = GlueError | 'lost-before' | 'lost-after';

interface StoredTable extends Record<string, unknown> {
  Name: string;
  VersionId: string;
}

/** A stand-in that speaks Glue's protocol (JSON 1.1), pages by one, and fails when told to. */
export interface GlueServer {
  endpoint: string;
  /** Operations in the order they were asked for, with their bodies. */
  asked: { operation: string; body: Record<string, unknown> }[];
  /** The next requests of an operation go wrong, one for each fault. */
  fail(operation: string, ...faults: Fault[]): void;
  tables: Map<string, Map<string, StoredTable>>;
  close(): Promise<void>;
}

const refused = (type: string, message = 'no'): { error: GlueError } => ({ error: { type, message, status: 400 } });

export async function startGlueServer(): Promise<GlueServer> {
  const tables: GlueServer['tables'] = new Map();
  const asked: GlueServer['asked'] = [];
  const faults = new Map<string, Fault[]>();

  function answer(operation: string, body: Record<string, unknown>): object | { error: GlueError } {
    const database = tables.get(String(body.DatabaseName));
    const input = (body.TableInput ?? {}) as { Name?: string };
    const name = String(body.Name ?? input.Name);
    const table = database?.get(name);
    const page = (names: string[], give: (name: string) => object, key: string) => {
      const at = body.NextToken === undefined ? 0 : Number(body.NextToken);
      const next = at + 1 < names.length ? { NextToken: String(at + 1) } : {};
      return { [key]: names.slice(at, at + 1).map(give), ...next };
    };
    switch (operation) {
      case 'GetDatabases':
        return page([...tables.keys()], (Name) => ({ Name }), 'DatabaseList');
      case 'GetTables':
        if (database === undefined) return refused('EntityNotFoundException');
        return page([...database.keys()], (key) => database.get(key)!, 'TableList');
      case 'GetDatabase':
        return tables.has(name) ? { Database: { Name: name } } : refused('EntityNotFoundException');
      case 'CreateDatabase': {
        tables.set((body.DatabaseInput as { Name: string }).Name, new Map());
        return {};
      }
      case 'GetTable':
        return table ? { Table: table } : refused('EntityNotFoundException');
      case 'CreateTable':
        if (table) return refused('AlreadyExistsException');
        database!.set(name, { ...input, Name: name, VersionId: '0' });
        return {};
      case 'UpdateTable':
        if (!table) return refused('EntityNotFoundException');
        if (table.VersionId !== body.VersionId) return refused('ConcurrentModificationException');
        database!.set(name, { ...input, Name: name, VersionId: String(Number(table.VersionId) + 1) });
        return {};
      case 'DeleteTable':
        database!.delete(name);
        return {};
      default:
        return refused('InvalidInputException', operation);
    }
  }

  const server: Server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1)!;
    const body = (await json(request)) as Record<string, unknown>;
    asked.push({ operation, body });
    const fault = faults.get(operation)?.shift();
    if (fault === 'lost-before') return request.socket.destroy();
    const result = typeof fault === 'object' ? { error: fault } : answer(operation, body);
    if (fault === 'lost-after') return request.socket.destroy();
    const headers = { 'content-type': 'application/x-amz-json-1.1', connection: 'close' };
    if ('error' in result) {
      const { type, message = 'as told', status = 400 } = result.error as GlueError;
      response.writeHead(status, headers).end(JSON.stringify({ __type: type, Message: message, message }));
    } else {
      response.writeHead(200, headers).end(JSON.stringify(result));
    }
    return undefined;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    tables,
    fail: (operation, ...given) => faults.set(operation, [...(faults.get(operation) ?? []), ...given]),
    close: () => new Promise((done) => server.close(() => done())),
  };
}
