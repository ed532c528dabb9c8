import { LakegateError } from '../errors.ts';
import { ExactNumber } from './exact-number.ts';

/** A parsed JSON value; integers beyond 2^53 are bigint, other numbers with more digits than a double holds are ExactNumber. */
export type JsonValue = null | boolean | number | bigint | string | ExactNumber | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

/** Some records of a JSON Lines file. */
export interface JsonBatch {
  /** Position of the first record, zero-based. */
  firstRow: number;
  records: JsonObject[];
  /** Line of each record, from 1. */
  lines: number[];
}

const MAX_LINE_BYTES = 64 << 20;
/** Only text with this many digits on end can hold a number that a double changes. */
const LONG_NUMBER = /[\d.]{16}/;
const NEWLINE = 10;

/**
 * Reads JSON Lines: one object a line, blank lines skipped.
 * @param chunks UTF-8 text
 * @throws LakegateError `corrupt` naming the line, for anything else
 */
export async function* jsonRecords(chunks: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<JsonBatch> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let carry: Uint8Array[] = [];
  let carried = 0;
  let line = 1;
  let firstRow = 0;

  const take = (text: string): JsonBatch => {
    const exact = LONG_NUMBER.test(text);
    const batch: JsonBatch = { firstRow, records: [], lines: [] };
    for (const row of text.split('\n')) {
      if (row.trim() !== '') {
        batch.records.push(parseRecord(row, exact, line, url));
        batch.lines.push(line);
      }
      line++;
    }
    firstRow += batch.records.length;
    return batch;
  };

  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      carry.push(chunk);
      carried += chunk.length;
      if (carried > MAX_LINE_BYTES) throw notAnObject(`a line of more than ${MAX_LINE_BYTES} bytes`, line, url);
      continue;
    }
    const batch = take(decoder.decode(Buffer.concat([...carry, chunk.subarray(0, end)])));
    carry = [chunk.subarray(end + 1)];
    carried = chunk.length - end - 1;
    if (batch.records.length > 0) yield batch;
  }
  const batch = take(decoder.decode(Buffer.concat(carry)));
  if (batch.records.length > 0) yield batch;
}

function parseRecord(text: string, mayNeedSource: boolean, line: number, url: string): JsonObject {
  let value: JsonValue;
  try {
    value = mayNeedSource && LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (error) {
    const start = text.trimStart().slice(0, 1);
    if (line === 1 && (start === '[' || text.trim() === '{')) {
      throw notAnObject('the start of a JSON document over several lines', line, url);
    }
    throw new LakegateError(
      'corrupt',
      `${url}: line ${line}: expected one JSON object, found text that is not JSON (${error instanceof Error ? error.message.slice(0, 120) : ''}). Correct the line and drop the file again.`,
      { context: { url, line }, cause: error },
    );
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof ExactNumber) {
    throw notAnObject(Array.isArray(value) ? 'a JSON array' : JSON.stringify(text.slice(0, 40)), line, url);
  }
  return value;
}

function keepDigits(_key: string, value: JsonValue, context?: { source?: string }): JsonValue {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || source.length < 16) return value;
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source);
  if (String(value) === source) return value;
  return new ExactNumber(source);
}

function notAnObject(found: string, line: number, url: string): LakegateError {
  return new LakegateError(
    'corrupt',
    `${url}: line ${line}: expected JSON Lines (one object on each line), found ${found}. Write one object a line, for example with: jq -c '.[]'`,
    { context: { url, line } },
  );
}
