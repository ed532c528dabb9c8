import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { openRestCatalog, type RestCatalogOptions } from '../../src/catalogs/rest.ts';

export interface Received {
  method: string;
  /** Path and query, as sent. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** `drop`: the connection is cut with no answer. `hang up after work` is a drop whose handler did something first. */
export type Reply = { status: number; body?: unknown; headers?: Record<string, string> } | 'drop';

/** A server on this machine that answers as a test says. */
export interface TestServer {
  uri: string;
  received: Received[];
  /** What is asked, settings and tokens apart: `GET /v1/namespaces`. */
  asked(): string[];
  stop(): Promise<void>;
}

/**
 * @param reply undefined: settings without a prefix are answered, everything else with 404
 */
export async function startTestServer(reply: (request: Received) => Reply | undefined): Promise<TestServer> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const got = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      received.push(got);
      const answer = reply(got) ?? settings(got);
      if (answer === 'drop') return request.socket.destroy();
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      return response.end(answer.status === 204 || answer.status === 304 ? undefined : text);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    asked: () =>
      received
        .filter(({ path }) => !path.startsWith('/v1/config') && !path.includes('token'))
        .map(({ method, path }) => `${method} ${path}`),
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function settings({ path }: Received): Reply {
  if (path.startsWith('/v1/config')) return { status: 200, body: { defaults: {}, overrides: {} } };
  return refusal(404, 'NoSuchTableException', 'not there');
}

/** Iceberg's ErrorModel. */
export function refusal(code: number, type: string, message: string, headers: Record<string, string> = {}): Reply {
  return { status: code, body: { error: { message, type, code } }, headers };
}

/** A client of a test server; `slept` collects how long it meant to wait, on a clock that it moves. */
export function restClient(
  uri: string,
  changes: Partial<RestCatalogOptions['config']> = {},
  options: Partial<RestCatalogOptions> = {},
): { catalog: Catalog; slept: number[]; clock: { now: number } } {
  const slept: number[] = [];
  const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
  const catalog = openRestCatalog({
    name: 'rest',
    config: { uri, auth: { kind: 'none' }, ...changes },
    secret: async () => 'secret',
    clock: () => clock.now,
    sleep: async (ms) => {
      slept.push(ms);
      clock.now += ms;
    },
    ...options,
  });
  return { catalog, slept, clock };
}
