import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFolderClient, s3Folders } from '../../src/partitions/s3-folders.ts';
import { newTally } from '../../src/partitions/tally.ts';

let server: Server;
let answers: ((url: URL) => { status: number; body: string })[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    const { status, body } = answers.shift()!(new URL(request.url!, 'http://s3'));
    response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => server.close());

function lister(tally = newTally()) {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createFolderClient({ endpoint, env: {}, region: 'eu-west-1', attempts: 2 });
  client.config.credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'sesame' });
  return { tally, client, folders: s3Folders(client, 's3://raw/clicks', tally) };
}

const NAMES = ['a b', 'a&b', 'a<b', 'é', 'line\nbreak', 'plus+', 'per%25cent', '</Prefix>'];
const page = (prefixes: string[], { encoding = true, between = '', token = '' } = {}) => ({
  status: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>raw</Name><Prefix>clicks/</Prefix>${encoding ? '<EncodingType>url</EncodingType>' : ''}<IsTruncated>${token !== ''}</IsTruncated>${token && `<NextContinuationToken>${token}</NextContinuationToken>`}${prefixes
    .map((prefix) => `<CommonPrefixes>${between}<Prefix>${prefix}</Prefix>${between}</CommonPrefixes>`)
    .join(between)}</ListBucketResult>`,
});
const encoded = (name: string) => encodeURIComponent(`clicks/${name}/`).replaceAll('%2F', '/').replaceAll('%20', '+');
const escaped = (name: string) =>
  `clicks/${name}/`.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\n', '&#10;');

async function all(pages: AsyncIterable<string[]>): Promise<string[][]> {
  const found: string[][] = [];
  for await (const names of pages) found.push(names);
  return found;
}

test.each([
  ['on one line, as S3 writes them', {}],
  ['on lines of their own', { between: '\n  ' }],
])('folders of any name come as they are: %s', async (_, form) => {
  const { client, folders, tally } = lister();
  const tokens: (string | null)[] = [];
  const noted = (answer: ReturnType<typeof page>) => (url: URL) => {
    tokens.push(url.searchParams.get('continuation-token'));
    return answer;
  };
  answers = [
    noted(page(NAMES.map(encoded), { ...form, token: 'next' })),
    noted(page([encoded('last')], form)),
    noted(page([], form)),
  ];
  expect(await all(folders.folders(''))).toEqual([NAMES, ['last']]);
  expect(await all(folders.folders(''))).toEqual([[]]);
  expect(tokens).toEqual([null, 'next', null]);
  expect(tally.s3).toBe(3);
  client.destroy();
});

test('a server that does not encode names is believed', async () => {
  const { client, folders } = lister();
  answers = [() => page(NAMES.map(escaped), { encoding: false })];
  expect(await all(folders.folders(''))).toEqual([NAMES]);
  client.destroy();
});

test('a fault that comes with status 200 is a fault, and a listing that is refused names the right', async () => {
  const { client, folders } = lister();
  answers = [
    () => ({ status: 200, body: '<Error><Code>InternalError</Code><Message>Try again</Message></Error>' }),
    () => page([encoded('a')]),
    () => ({ status: 403, body: '<Error><Code>AccessDenied</Code><Message>no</Message></Error>' }),
  ];
  expect(await all(folders.folders(''))).toEqual([['a']]);
  await expect(all(folders.folders(''))).rejects.toThrow(/s3:ListBucket/);
  client.destroy();
});
