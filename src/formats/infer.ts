import { LakegateError } from '../errors.ts';
import type { IcebergType, NestedField } from '../iceberg/model.ts';
import type { RangeReader } from '../storage/store.ts';
import { type CsvOptions, cellText, csvRecords } from './csv.ts';
import { nullTest } from './csv-columns.ts';
import { asText, type DetectedFormat } from './detect.ts';
import { ExactNumber } from './exact-number.ts';
import { type JsonValue, jsonRecords } from './jsonl.ts';
import { textChunks } from './text-stream.ts';
import { classifyCell, classifyText, isDateLike, KIND, kindsToType, longKind } from './value-kind.ts';

/**
 * The columns of a CSV or JSON Lines file, from every one of its rows: a type is only given when all values are of it, and nothing is lost by it.
 *
 * Whole numbers are long (never int: the next file may hold larger ones), others double (decimal is never inferred: a file does not tell its
 * precision and scale; declare the column to have it), true/false boolean, YYYY-MM-DD date, ISO timestamps timestamp or, all with an offset,
 * timestamptz. Everything else is string: leading zeros, a leading `+`, whole numbers beyond 64 bits, whole numbers beyond 2^53 mixed with fractions,
 * dates mixed with timestamps, more than microseconds, and columns without any value. JSON strings are only ever dates, timestamps or string.
 * All columns are optional, in order of first appearance; ids are 0, to be assigned. A CSV without header has `column_1`, `column_2`, …
 *
 * @returns the columns, and the number of rows
 * @throws LakegateError `corrupt` for a file that is not what it says; `invalid` for a JSON field that is an object in one row and something else in
 *   another, or never has any field
 */
export async function inferColumns(
  reader: RangeReader,
  detected: DetectedFormat,
  csv: CsvOptions,
): Promise<{ columns: NestedField[]; rows: number }> {
  const { format, compression, delimiter = csv.delimiter } = asText(detected, reader.url);
  const chunks = textChunks(reader, compression);
  if (format === 'jsonl') return inferJson(chunks, reader.url);
  const options = { ...csv, delimiter };
  const isNull = nullTest(csv.nullValue);
  let names: readonly string[] | undefined;
  let kinds: number[] = [];
  let rows = 0;
  for await (const batch of csvRecords(chunks, options, reader.url)) {
    if (names === undefined) {
      names = batch.header ?? Array.from({ length: batch.width }, (_, index) => `column_${index + 1}`);
      kinds = names.map(() => 0);
    }
    rows += batch.rows;
    const { data, starts, ends, width } = batch;
    for (let column = 0; column < kinds.length; column++) {
      let seen = kinds[column] ?? 0;
      // Nothing can turn a string column into anything else: its other cells need not be looked at.
      for (let row = 0; row < batch.rows && (seen & KIND.string) === 0; row++) {
        const start = starts[row * width + column]!;
        const end = ends[row * width + column]!;
        if (isNull(data, start, end)) continue;
        seen |= classifyCell(data, start, end) || classifyText(cellText(batch, row, column));
      }
      kinds[column] = seen;
    }
  }
  const columns = (names ?? []).map((name, index) => optional(name, kindsToType(kinds[index] ?? 0)));
  return { columns, rows };
}

/** What has been seen of one JSON field. */
interface Seen {
  kinds: number;
  fields?: Map<string, Seen>;
  element?: Seen;
}

async function inferJson(
  chunks: AsyncIterable<Uint8Array>,
  url: string,
): Promise<{ columns: NestedField[]; rows: number }> {
  const fields = new Map<string, Seen>();
  let rows = 0;
  for await (const batch of jsonRecords(chunks, url)) {
    rows += batch.records.length;
    for (const record of batch.records) observeFields(fields, record);
  }
  return { columns: [...fields].map(([name, seen]) => optional(name, typeOf(seen, name, url))), rows };
}

function observeFields(fields: Map<string, Seen>, object: { [name: string]: JsonValue }): void {
  for (const name in object) {
    let seen = fields.get(name);
    if (seen === undefined) {
      seen = { kinds: 0 };
      fields.set(name, seen);
    }
    observe(seen, object[name] ?? null);
  }
}

function observe(seen: Seen, value: JsonValue): void {
  if (value === null) return;
  switch (typeof value) {
    case 'string':
      seen.kinds |= (seen.kinds & KIND.string) === 0 && isDateLike(value) ? classifyText(value) : KIND.string;
      return;
    case 'boolean':
      seen.kinds |= KIND.boolean;
      return;
    case 'number':
      seen.kinds |= Number.isSafeInteger(value) ? KIND.long : KIND.double;
      return;
    case 'bigint':
      seen.kinds |= longKind(value);
      return;
  }
  if (value instanceof ExactNumber) {
    seen.kinds |= KIND.double;
  } else if (Array.isArray(value)) {
    seen.kinds |= KIND.list;
    seen.element ??= { kinds: 0 };
    for (const item of value) observe(seen.element, item);
  } else {
    seen.kinds |= KIND.struct;
    seen.fields ??= new Map();
    observeFields(seen.fields, value);
  }
}

function typeOf(seen: Seen, path: string, url: string): IcebergType {
  const { kinds } = seen;
  if ((kinds & (KIND.list | KIND.struct)) === 0) return kindsToType(kinds);
  const fault = (message: string) =>
    new LakegateError(
      'invalid',
      `${url}: column "${path}" ${message} Declare the column's type, or correct the file.`,
      {
        context: { url, column: path },
      },
    );
  if (kinds === KIND.list) {
    const element = typeOf(seen.element ?? { kinds: 0 }, `${path}.element`, url);
    return { type: 'list', elementId: 0, element, elementRequired: false };
  }
  if (kinds !== KIND.struct) throw fault('is an object or a list in some rows and something else in others.');
  const fields = [...(seen.fields ?? [])];
  if (fields.length === 0) throw fault('is always an empty object, which no type can hold.');
  return {
    type: 'struct',
    fields: fields.map(([name, field]) => optional(name, typeOf(field, `${path}.${name}`, url))),
  };
}

function optional(name: string, type: IcebergType): NestedField {
  return { id: 0, name, required: false, type };
}
