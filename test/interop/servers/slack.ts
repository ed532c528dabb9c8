import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message as a channel got it. */
export interface PostedMessage {
  channel: string;
  text: string;
  blocks: unknown[];
}

/** What the server does with a message: takes it, or refuses it as Slack does. */
export type SlackMood = 'well' | 'ratelimited' | 'invalid_auth' | 'failing';

/** A local server that speaks Slack's chat.postMessage. */
export interface SlackServer {
  /** What a client takes as its API's address, ending in `/`. */
  url: string;
  /** What it took, in order. */
  messages: readonly PostedMessage[];
  /** Requests it had, those it refused included. */
  readonly requests: number;
  /** How it answers from now on; with a number of answers, `well` again after as many. */
  answer(mood: SlackMood, times?: number): void;
  close(): Promise<void>;
}

/**
 * Starts the server on a free port of 127.0.0.1.
 * @param token the only token it lets in; the default lets in any
 * @see https://docs.slack.dev/reference/methods/chat.postMessage
 */
export async function startSlack({ token }: { token?: string } = {}): Promise<SlackServer> {
  const messages: PostedMessage[] = [];
  let mood: SlackMood = 'well';
  let left = Number.POSITIVE_INFINITY;
  let requests = 0;

  function nextMood(): SlackMood {
    const now = mood;
    left -= 1;
    if (left <= 0) answer('well');
    return now;
  }

  function answer(next: SlackMood, times = Number.POSITIVE_INFINITY): void {
    mood = next;
    left = times;
  }

  const server = createServer(async (request, response) => {
    requests += 1;
    const body = await bodyOf(request);
    const now = nextMood();
    if (now === 'ratelimited') {
      return reply(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': '1' });
    }
    if (now === 'failing') return reply(response, 500, 'Internal Server Error');
    if (request.url !== '/api/chat.postMessage') return reply(response, 200, { ok: false, error: 'unknown_method' });
    const isKnown = token === undefined || request.headers.authorization === `Bearer ${token}`;
    if (now === 'invalid_auth' || !isKnown) return reply(response, 200, { ok: false, error: 'invalid_auth' });
    const message = messageOf(request, body);
    messages.push(message);
    reply(response, 200, { ok: true, channel: message.channel, ts: `${messages.length}.000000` });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    messages,
    get requests() {
      return requests;
    },
    answer,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Slack takes forms, in which blocks are JSON in a field, and JSON. */
function messageOf(request: IncomingMessage, body: string): PostedMessage {
  if (request.headers['content-type']?.startsWith('application/json')) {
    const { channel, text = '', blocks = [] } = JSON.parse(body) as Partial<PostedMessage>;
    return { channel: String(channel), text, blocks };
  }
  const form = new URLSearchParams(body);
  return {
    channel: form.get('channel') ?? '',
    text: form.get('text') ?? '',
    blocks: JSON.parse(form.get('blocks') ?? '[]') as unknown[],
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(text);
}
