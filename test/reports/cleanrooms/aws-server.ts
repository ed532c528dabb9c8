/**
 * A stand-in that speaks the protocols of Clean Rooms, Entity Resolution (REST JSON) and Glue (JSON 1.1) to the SDK's own clients. Which requests
 * there are, and what an answer may and must hold, is taken from the schemas that the clients themselves are made from.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as rooms from '@aws-sdk/client-cleanrooms';
import * as resolution from '@aws-sdk/client-entityresolution';
import * as glue from '@aws-sdk/client-glue';
import { answerOf, type World } from './world.ts';

/** An operation of a client: `[9, namespace, name, traits, input, output]`. */
type Operation = [9, string, string, { http?: [string, string, number] } | 0, () => Shape, () => Shape];
/** A structure: `[3, namespace, name, traits, members, their schemas, how many of the first are required]`. */
type Shape = unknown[];

export interface Fault {
  type: string;
  status: number;
  message?: string;
  /** How often; default: always. */
  times?: number;
  /** Only requests with this in their parameters. */
  about?: string;
}

export interface AwsServer {
  endpoint: string;
  /** Operations with their parameters, in order. */
  asked: { operation: string; input: Record<string, unknown> }[];
  /** What the schemas did not allow; for a test to find empty. */
  violations: string[];
  fail(operation: string, fault: Fault): void;
  close(): Promise<void>;
}

/** Items of a page: few, so that every list has several. */
export const PAGE = 7;

const OPERATIONS: Operation[] = [rooms, resolution, glue].flatMap((client) =>
  Object.values(client as Record<string, unknown>).filter(
    (value): value is Operation => Array.isArray(value) && value[0] === 9,
  ),
);

export async function startAwsServer(world: World, pageSize = PAGE): Promise<AwsServer> {
  const asked: AwsServer['asked'] = [];
  const violations: string[] = [];
  const faults: { operation: string; fault: Fault; left: number }[] = [];

  async function respond(request: IncomingMessage): Promise<{ status: number; body: object; type?: string }> {
    const body = await text(request);
    const found = operationOf(request, body);
    if (found === undefined) {
      violations.push(`no operation: ${request.method} ${request.url}`);
      return { status: 404, body: {}, type: 'UnknownOperationException' };
    }
    const { operation, input } = found;
    const name = operation[2];
    asked.push({ operation: name, input });
    violations.push(...faultsOf(operation[4](), input, `${name} request`));
    const due = faults.find(
      (each) => each.operation === name && each.left > 0 && JSON.stringify(input).includes(each.fault.about ?? ''),
    );
    if (due !== undefined) {
      due.left -= 1;
      return { status: due.fault.status, body: { message: due.fault.message ?? 'no' }, type: due.fault.type };
    }
    const answer = answerOf(world, name, input, pageSize);
    if ('type' in answer) return { status: answer.status, body: { message: answer.message }, type: answer.type };
    violations.push(...faultsOf(operation[5](), answer.value, `${name} answer`));
    return { status: 200, body: wire(answer.value) as object };
  }

  const server = createServer((request, response) => {
    respond(request).then(
      ({ status, body, type }) => {
        response.writeHead(status, {
          'content-type': request.headers['x-amz-target'] ? 'application/x-amz-json-1.1' : 'application/json',
          ...(type !== undefined && { 'x-amzn-errortype': type }),
        });
        response.end(JSON.stringify(type === undefined ? body : { ...body, __type: type }));
      },
      (error: unknown) => {
        violations.push(String(error));
        response.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    violations,
    fail: (operation, fault) => void faults.push({ operation, fault, left: fault.times ?? Number.POSITIVE_INFINITY }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function operationOf(
  request: IncomingMessage,
  body: string,
): { operation: Operation; input: Record<string, unknown> } | undefined {
  const given = (body === '' ? {} : JSON.parse(body)) as Record<string, unknown>;
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const [, name] = target.split('.');
    const operation = OPERATIONS.find(([, namespace, own]) => namespace.endsWith('glue') && own === name);
    return operation && { operation, input: given };
  }
  const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
  for (const operation of OPERATIONS) {
    const traits = operation[3];
    if (typeof traits !== 'object' || traits.http === undefined) continue;
    const [method, path] = traits.http;
    const pattern = new RegExp(`^${path.split('?')[0]!.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`);
    const match = method === request.method ? pattern.exec(pathname) : null;
    if (match === null) continue;
    const inPath = Object.entries(match.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]);
    return { operation, input: { ...Object.fromEntries(inPath), ...Object.fromEntries(searchParams), ...given } };
  }
  return undefined;
}

/** What of a value its schema does not know, and what it demands and does not find. */
function faultsOf(schema: unknown, value: unknown, at: string): string[] {
  const shape = typeof schema === 'function' ? (schema as () => unknown)() : schema;
  if (!Array.isArray(shape) || value === undefined || value === null) return [];
  // A member with traits of its own: `[schema, traits]`.
  if (shape.length === 2) return faultsOf(shape[0], value, at);
  const [kind] = shape as [number];
  if (kind === 3 || kind === 4) {
    const [, , , , names, schemas, required = 0] = shape as [3, string, string, unknown, string[], unknown[], number];
    const object = value as Record<string, unknown>;
    return [
      ...Object.keys(object)
        .filter((key) => !names.includes(key))
        .map((key) => `${at}: unknown ${key}`),
      ...(kind === 3 ? names.slice(0, required) : [])
        .filter((name) => object[name] === undefined)
        .map((name) => `${at}: missing ${name}`),
      ...names.flatMap((name, index) => faultsOf(schemas[index], object[name], `${at}.${name}`)),
    ];
  }
  // A list: `[1, namespace, name, traits, of what]`.
  if (kind !== 1) return [];
  if (!Array.isArray(value)) return [`${at}: expected a list`];
  return value.flatMap((item, index) => faultsOf(shape[4], item, `${at}[${index}]`));
}

/** Times as both protocols send them: seconds since the epoch. */
function wire(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wire(item)]));
}
