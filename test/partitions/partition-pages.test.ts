import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetPartitionsCommand, GetTablesCommand } from '@aws-sdk/client-glue';
import fc from 'fast-check';
import { schemaOf } from '../../src/partitions/entry.ts';
import { createPacedGlueClient } from '../../src/partitions/glue-requests.ts';
import { partitionPage } from '../../src/partitions/partition-pages.ts';

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"Columns":[', '\\"Columns":[{}]', ']}', '"'));
const column = fc.record({ Name: text, Type: text, Comment: text }, { requiredKeys: ['Name', 'Type'] });
const columns = fc.array(column, { maxLength: 3 });

test('a page is what JSON says it is, whatever stands in names, values and comments', () => {
  const given = fc.array(columns, { minLength: 1, maxLength: 3 }).chain((lists) =>
    fc.array(
      fc.record({
        Values: fc.array(text),
        Parameters: fc.dictionary(text, text),
        StorageDescriptor: fc.record(
          { SortColumns: fc.constant([{ Column: 'Columns' }]), Location: text, Columns: fc.constantFrom(...lists) },
          { requiredKeys: [] },
        ),
      }),
    ),
  );
  fc.assert(
    fc.property(given, fc.option(text, { nil: undefined }), fc.constantFrom(0, 2), (Partitions, NextToken, indent) => {
      const page = partitionPage(Buffer.from(JSON.stringify({ Partitions, NextToken }, undefined, indent)));
      expect(page.NextToken).toBe(NextToken);
      expect(page.Partitions).toEqual(
        Partitions.map(({ Values, StorageDescriptor: { Columns, Location } }) => ({
          Values,
          StorageDescriptor: { ...(Columns && { Columns }), ...(Location && { Location }) },
        })),
      );
    }),
  );
});

test('partitions with the same columns share one list of them', () => {
  const one = {
    Values: ['1'],
    StorageDescriptor: { Location: 's3://raw/a/1/', Columns: [{ Name: 'id', Type: 'int' }] },
  };
  const other = { Values: ['2'], StorageDescriptor: { Columns: [{ Name: 'id', Type: 'bigint' }] } };
  const { Partitions } = partitionPage(Buffer.from(JSON.stringify({ Partitions: [one, other, one, one] })));
  const lists = Partitions.map(({ StorageDescriptor }) => StorageDescriptor!.Columns);
  expect(new Set(lists).size).toBe(2);
  expect(new Set(Partitions.map(({ StorageDescriptor }) => schemaOf(StorageDescriptor!))).size).toBe(2);
});

test('an answer that was cut off is no page', () => {
  const bytes = Buffer.from(JSON.stringify({ Partitions: [{ Values: ['1'], StorageDescriptor: { Columns: [] } }] }));
  for (let length = 0; length < bytes.length; length += 1)
    expect(() => partitionPage(bytes.subarray(0, length))).toThrow(SyntaxError);
});

describe('by the client', () => {
  let server: Server;
  let answers: { status: number; body: object }[] = [];
  const client = () =>
    createPacedGlueClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'sesame' },
    });

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        const { status, body } = answers.shift()!;
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  afterAll(() => server.close());

  test('pages come one after another, and other answers and faults as the SDK has them', async () => {
    const glue = client();
    const page = (value: string, NextToken?: string) => ({
      status: 200,
      body: {
        Partitions: [{ Values: [value], CreationTime: 1.7e9, StorageDescriptor: { Location: 's3://raw/a/' } }],
        NextToken,
      },
    });
    const input = { DatabaseName: 'web_raw', TableName: 'a' };
    answers = [
      page('1', 'more'),
      page('2'),
      { status: 200, body: { TableList: [{ Name: 'a', CreateTime: 1.7e9 }] } },
      { status: 400, body: { __type: 'EntityNotFoundException', Message: 'Table a not found.' } },
    ];
    const [first, second] = [
      await glue.send(new GetPartitionsCommand(input)),
      await glue.send(new GetPartitionsCommand(input)),
    ];
    expect(first).toMatchObject({
      Partitions: [{ Values: ['1'] }],
      NextToken: 'more',
      $metadata: { httpStatusCode: 200 },
    });
    expect(second).toMatchObject({ Partitions: [{ Values: ['2'], StorageDescriptor: { Location: 's3://raw/a/' } }] });
    expect(second.NextToken).toBeUndefined();
    const tables = await glue.send(new GetTablesCommand({ DatabaseName: 'web_raw' }));
    expect(tables.TableList).toEqual([{ Name: 'a', CreateTime: new Date(1.7e12) }]);
    await expect(glue.send(new GetPartitionsCommand(input))).rejects.toMatchObject({ name: 'EntityNotFoundException' });
    glue.destroy();
  });
});
