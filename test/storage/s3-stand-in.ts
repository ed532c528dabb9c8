import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Client } from '@aws-sdk/client-s3';
import { createS3Client } from '../../src/storage/s3-client.ts';

/** One HTTP request as it came over the wire. */
export interface SeenRequest {
  method: string;
  /** Encoded, as sent, without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Bytes of the body after which the connection breaks; -1: before anything is answered. */
  breakAfter?: number;
}

export type Respond = (request: SeenRequest, index: number) => Answer;

export interface StandIn {
  endpoint: string;
  seen: SeenRequest[];
  /** Says what is answered from here on; forgets what was seen. */
  answer(respond: Respond): void;
  client(attempts?: number): S3Client;
  stop(): Promise<void>;
}

/** A server that answers each request as the test says, and notes what it was asked. */
export async function startStandIn(): Promise<StandIn> {
  let respond: Respond = () => ({ status: 500 });
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const headers = request.headers;
    const one = {
      method: request.method ?? '',
      path,
      query: new URLSearchParams(query),
      headers,
      body: Buffer.concat(chunks),
    };
    seen.push(one);
    send(response, respond(one, seen.length - 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    seen,
    answer(next) {
      respond = next;
      seen.length = 0;
    },
    client(attempts = 3) {
      const client = createS3Client({ endpoint, attempts, env: {} });
      client.config.credentials = async () => ({
        accessKeyId: 'AKIDEXAMPLE',
        secretAccessKey: 'sesame',
        sessionToken: 'st0ken',
      });
      return client;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, { status = 200, headers = {}, body = '', breakAfter }: Answer): void {
  const bytes = Buffer.from(body);
  if (breakAfter === -1) {
    response.socket?.destroy();
    return;
  }
  response.writeHead(status, { 'content-length': bytes.length, ...headers });
  if (breakAfter === undefined) {
    response.end(bytes);
    return;
  }
  response.write(bytes.subarray(0, breakAfter), () => setTimeout(() => response.socket?.destroy(), 20));
}

/** An error as S3 words it. */
export function refusal(status: number, code: string, extra = ''): Answer {
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': 'REQ1' },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>words of ${code}</Message>${extra}</Error>`,
  };
}

export function xml(body: string): Answer {
  return { headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>${body}` };
}

/** Answers a ranged GET of these bytes. */
export function range(bytes: Uint8Array, request: SeenRequest, etag = '"e1"'): Answer {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(request.headers.range)) ?? [];
  const part = bytes.subarray(Number(from), Number(to) + 1);
  return {
    status: 206,
    headers: { etag, 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}` },
    body: part,
  };
}
