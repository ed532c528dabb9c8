import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AwsRequest, awsRequest } from './operation.ts';

/** What goes wrong with a request. */
export type Fault =
  /** The connection ends without an answer; nothing was done. */
  | { kind: 'drop' }
  /** It is done, later. */
  | { kind: 'delay'; ms: number }
  /** It is refused: nothing was done. `code` as AWS names it: SlowDown, ThrottlingException, InternalError… */
  | { kind: 'refuse'; status: number; code: string }
  /** It is done, and the connection ends before the answer. */
  | { kind: 'lose-answer' }
  /** It is done, and the answer says that the server failed. */
  | { kind: 'deny-answer'; status: number; code: string };

export interface FaultRule {
  /** Which requests it is for. */
  match: (request: AwsRequest) => boolean;
  fault: Fault;
  /** How many of them. Default: all. */
  times?: number;
  /** How many of them pass before it. Default: none. */
  after?: number;
}

/** A reverse proxy in front of an AWS endpoint that makes requests fail as they are told to. */
export interface FaultProxy {
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  /** Has a fault befall requests from now on. Gives how many it has befallen. */
  inject(rule: FaultRule): { readonly befallen: number };
  /** No more faults. */
  heal(): void;
  /** Requests by operation since the start or the last `forget`, those that failed included. */
  counts(): Record<string, number>;
  forget(): void;
  close(): Promise<void>;
}

/**
 * Starts a proxy on a free port of 127.0.0.1. Requests go on as they are, `Host` included, so that their signatures hold.
 * @param target the endpoint behind it, `http://127.0.0.1:<port>`
 */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  let rules: { rule: FaultRule; seen: number; befallen: number }[] = [];
  const counted = new Map<string, number>();

  function faultOf(asked: AwsRequest): Fault | undefined {
    for (const entry of rules) {
      const { rule } = entry;
      if (!rule.match(asked)) continue;
      entry.seen += 1;
      const after = rule.after ?? 0;
      if (entry.seen <= after || entry.befallen >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
      entry.befallen += 1;
      return rule.fault;
    }
    return undefined;
  }

  const server = createServer(async (request, response) => {
    const asked = awsRequest(request.method ?? 'GET', request.url ?? '/', request.headers);
    counted.set(asked.operation, (counted.get(asked.operation) ?? 0) + 1);
    const fault = faultOf(asked);
    if (fault?.kind === 'drop') return request.socket.destroy();
    if (fault?.kind === 'refuse') {
      request.resume();
      return refuse(response, asked, fault);
    }
    if (fault?.kind === 'delay') await new Promise((done) => setTimeout(done, fault.ms));
    forward(target, request, response, asked, fault);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    inject(rule) {
      const entry = { rule, seen: 0, befallen: 0 };
      rules.push(entry);
      return entry;
    },
    heal() {
      rules = [];
    },
    counts: () => Object.fromEntries([...counted].sort()),
    forget: () => counted.clear(),
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function forward(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  asked: AwsRequest,
  fault: Fault | undefined,
): void {
  const { method, headers, url } = request;
  const { hostname, port } = new URL(target);
  const onward = send({ hostname, port, path: url, method, headers }, (answer) => {
    if (fault?.kind !== 'lose-answer' && fault?.kind !== 'deny-answer') {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      return;
    }
    // The answer is taken to its end: what was asked for has happened.
    answer.resume().once('end', () => {
      if (fault.kind === 'lose-answer') request.socket.destroy();
      else refuse(response, asked, fault);
    });
  });
  onward.once('error', () => request.socket.destroy());
  request.pipe(onward);
}

function refuse(
  response: ServerResponse,
  { service, method }: AwsRequest,
  { status, code }: { status: number; code: string },
): void {
  const message = 'The fault proxy says no';
  if (service === 's3') {
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    response.writeHead(status, { 'content-type': 'application/xml' }).end(method === 'HEAD' ? undefined : body);
    return;
  }
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code };
  response.writeHead(status, headers).end(JSON.stringify({ __type: code, message }));
}
