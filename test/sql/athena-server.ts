import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** How a query goes: its rows, or how it fails; each after some polls. */
export interface Scripted {
  /** Answers to GetQueryExecution before the last one. */
  polls?: number;
  state?: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  reason?: string;
  error?: { ErrorCategory: number; ErrorType?: number; Retryable?: boolean; ErrorMessage?: string };
  columns?: string[];
  rows?: (string | null)[][];
  /** Answers to the start itself. */
  refuse?: { type: string; message: string; status?: number; code?: string };
}

/** A stand-in that speaks Athena's protocol (JSON 1.1) and answers queries as scripted, in order. */
export interface AthenaServer {
  endpoint: string;
  /** Bodies of StartQueryExecution. */
  started: Record<string, unknown>[];
  /** Ids that were stopped. */
  stopped: string[];
  script: Scripted[];
  close(): Promise<void>;
}

export async function startAthenaServer(): Promise<AthenaServer> {
  const started: AthenaServer['started'] = [];
  const stopped: string[] = [];
  const script: Scripted[] = [];
  const running: { query: Scripted; polls: number }[] = [];

  function answer(operation: string, body: Record<string, unknown>): object {
    const id = Number(body.QueryExecutionId);
    const run = running[id];
    switch (operation) {
      case 'StartQueryExecution':
        started.push(body);
        running.push({ query: script.shift() ?? {}, polls: 0 });
        return { QueryExecutionId: String(running.length - 1) };
      case 'GetQueryExecution': {
        const { query } = run!;
        if (run!.polls++ < (query.polls ?? 0)) return { QueryExecution: { Status: { State: 'RUNNING' } } };
        const Status = {
          State: query.state ?? 'SUCCEEDED',
          StateChangeReason: query.reason,
          AthenaError: query.error,
        };
        return { QueryExecution: { Status } };
      }
      case 'GetQueryResults': {
        const { columns = [], rows = [] } = run!.query;
        const lines = [columns, ...rows].slice(0, Number(body.MaxResults));
        return {
          ResultSet: {
            ResultSetMetadata: { ColumnInfo: columns.map((Name) => ({ Name, Type: 'varchar' })) },
            Rows: lines.map((line) => ({ Data: line.map((value) => (value === null ? {} : { VarCharValue: value })) })),
          },
        };
      }
      default:
        stopped.push(String(body.QueryExecutionId));
        return {};
    }
  }

  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1)!;
    const body = (await json(request)) as Record<string, unknown>;
    const headers = { 'content-type': 'application/x-amz-json-1.1', connection: 'close' };
    const refuse = operation === 'StartQueryExecution' ? script[0]?.refuse : undefined;
    if (refuse) {
      script.shift();
      const { type, message, status = 400, code } = refuse;
      response
        .writeHead(status, headers)
        .end(JSON.stringify({ __type: type, Message: message, AthenaErrorCode: code }));
    } else {
      response.writeHead(200, headers).end(JSON.stringify(answer(operation, body)));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    started,
    stopped,
    script,
    close: () => new Promise((done) => server.close(() => done())),
  };
}
