import type { Column, GlueClient, Partition } from '@aws-sdk/client-glue';

/**
 * Reads the answers of GetPartitions by themselves: of each partition its values, its place and its columns, which is all that a listing is held
 * against. Partitions repeat their table's columns, most of the megabyte that a page has; here those that are equal to the first partition's,
 * letter by letter, are cut out before the page is read, and are then one and the same array. The SDK's own reader makes an object of every column
 * of every partition, checked against its schema.
 * @param client whose middleware is set before its first request
 */
export function readPartitionPages(client: GlueClient): void {
  const pages = new WeakMap<object, Page>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const response = result.response as { statusCode: number; body: unknown };
      if (context.commandName !== 'GetPartitionsCommand' || response.statusCode !== 200) return result;
      const page = partitionPage(Buffer.from(await client.config.streamCollector(response.body)));
      pages.set(response, page);
      // What the SDK's reader is left with.
      response.body = Buffer.from(JSON.stringify({ NextToken: page.NextToken }));
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'lakegatePartitionPage', override: true },
  );
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const page = pages.get(result.response as object);
      return page === undefined
        ? result
        : { ...result, output: { ...result.output, Partitions: page.Partitions } as typeof result.output };
    },
    { step: 'deserialize', priority: 'high', name: 'lakegatePartitions', override: true },
  );
}

interface Page {
  Partitions: Partition[];
  NextToken: string | undefined;
}

/** An answer of GetPartitions as it is sent (Glue API reference, GetPartitions and Partition), columns that were cut out as 0. */
interface Sent {
  Partitions?: {
    Values?: string[] | null;
    StorageDescriptor?: { Location?: string | null; Columns?: Column[] | 0 | null } | null;
  }[];
  NextToken?: string | null;
}

/** @param bytes of an answer, JSON in UTF-8. @throws SyntaxError for anything else */
export function partitionPage(bytes: Buffer): Page {
  const { text, columns: first } = withoutRepeatedColumns(bytes);
  const { Partitions = [], NextToken } = JSON.parse(text) as Sent;
  return {
    Partitions: Partitions.map(({ Values, StorageDescriptor: own }) => {
      const columns = own?.Columns === 0 ? first : own?.Columns;
      return {
        Values: Values ?? [],
        StorageDescriptor: { ...(columns && { Columns: columns }), ...(own?.Location && { Location: own.Location }) },
      };
    }),
    NextToken: NextToken ?? undefined,
  };
}

const COLUMNS = '"Columns":';
const CUT = Buffer.from(`${COLUMNS}0`);

/** No text of JSON has this name and its list in it, because quotes in a text are written `\"`: where they are found, they are columns. */
function withoutRepeatedColumns(bytes: Buffer): { text: string; columns?: Column[] } {
  const start = bytes.indexOf(`${COLUMNS}[`);
  const end = start < 0 ? -1 : endOfList(bytes, start + COLUMNS.length);
  if (end < 0) return { text: bytes.toString() };
  const cut = bytes.subarray(start, end);
  const rest: Buffer[] = [];
  let from = 0;
  for (let at = start; at >= 0; at = bytes.indexOf(cut, from)) {
    rest.push(bytes.subarray(from, at), CUT);
    from = at + cut.length;
  }
  rest.push(bytes.subarray(from));
  const columns = JSON.parse(bytes.toString('utf8', start + COLUMNS.length, end)) as Column[];
  return { text: Buffer.concat(rest).toString(), columns };
}

/** Where a JSON list that begins at a place ends; -1 where it does not. */
function endOfList(bytes: Buffer, start: number): number {
  let depth = 0;
  let isText = false;
  for (let i = start; i < bytes.length; i += 1) {
    const letter = String.fromCharCode(bytes[i]!);
    if (isText && letter === '\\') i += 1;
    else if (letter === '"') isText = !isText;
    else if (!isText && (letter === '[' || letter === '{')) depth += 1;
    else if (!isText && (letter === ']' || letter === '}')) depth -= 1;
    if (depth === 0) return i + 1;
  }
  return -1;
}
