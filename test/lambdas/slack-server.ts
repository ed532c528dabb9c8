/** Servers that speak Slack's chat.postMessage and a Teams webhook, and keep what they were sent. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Chat {
  url: string;
  /** Slack: channel and blocks as text. Teams: the card as text. */
  messages: { channel?: string; text: string }[];
  /** What is answered from now on; undefined: all is well. */
  fail?: { status: number; body?: object };
  stop(): Promise<void>;
}

export async function chatServer(): Promise<Chat> {
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (chat.fail) {
      response.writeHead(chat.fail.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(chat.fail.body ?? {}));
      return;
    }
    if (request.url === '/teams') chat.messages.push({ text: body });
    else {
      const fields = new URLSearchParams(body);
      chat.messages.push({ channel: fields.get('channel') ?? '', text: fields.get('blocks') ?? '' });
    }
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ok: true, ts: '1', channel: 'C' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const chat: Chat = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages: [],
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return chat;
}
