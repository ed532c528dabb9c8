import { LakegateError } from '../errors.ts';
import { allFields, type FieldPath } from '../iceberg/schema.ts';
import { readFooter } from '../parquet/footer.ts';
import { depthFirst } from '../parquet/logical.ts';
import type { LogicalField, NullCount, ParquetFooter } from '../parquet/model.ts';
import { countNulls } from '../parquet/nulls.ts';
import { nullRows } from '../parquet/positions.ts';
import { dictionaryValues, readValues, statisticsBounds } from '../parquet/values.ts';
import type { RangeReader } from '../storage/store.ts';
import { factsOf, type ManifestStatistics, manifestBounds, manifestNulls } from './manifest-statistics.ts';
import { once } from './once.ts';
import type { AuditedFile, AuditValue, FieldFacts } from './rule.ts';
import { fileFields, matchFields } from './stored-field.ts';

/** Rows in a batch of a column that the file does not have. */
const BATCH = 65_536;

export interface AuditedParquetSource {
  url: string;
  /** Opens the file; whoever reads closes. */
  openReader: () => Promise<RangeReader>;
  /** What its table's manifest says of it. Without it the file speaks for itself. */
  statistics?: ManifestStatistics;
  /** Its footer, where it was read already. Needed where there is no manifest: nothing else says how many rows there are. */
  footer?: ParquetFooter;
}

/** A Parquet file without a table, under audit: reads its footer, and nothing else until a rule asks. @throws LakegateError `corrupt` | `unsupported` */
export async function openAuditedParquet(url: string, openReader: () => Promise<RangeReader>): Promise<AuditedFile> {
  return auditedParquet({ url, openReader, footer: await openFooter(url, openReader) });
}

/**
 * A Parquet file under audit. With a manifest its fields are the table's, and questions that the manifest decides do not open the file; a field
 * that the file lacks is null in all its rows. Otherwise the footer is read once, then levels, then values, of the columns asked for alone.
 * @throws LakegateError `internal` when neither manifest nor footer is given
 */
export function auditedParquet({ url, openReader, statistics, footer: given }: AuditedParquetSource): AuditedFile {
  const rows = statistics?.dataFile.recordCount ?? given?.numRows;
  if (rows === undefined)
    throw new LakegateError('internal', `${url}: an audit needs the manifest's entry or the footer`);
  const table = statistics && new Map(allFields(statistics.schema).map((path) => [path.name, path]));
  const footer = once(async () => {
    const file = given ?? (await openFooter(url, openReader));
    if (file.numRows === rows) return file;
    const message = `${url} has ${file.numRows} rows, but its manifest says ${rows}: it was replaced after it was staged. Deliver it again.`;
    throw new LakegateError('corrupt', message, { context: { url } });
  });
  /** The file's fields by the names that people ask for. */
  const stored = once(async (): Promise<Map<string, LogicalField>> => {
    const file = await footer();
    return statistics === undefined
      ? new Map(depthFirst(file.fields).map((field) => [field.path, field]))
      : matchFields(statistics.schema, file, statistics.nameMapping);
  });

  async function locate(name: string): Promise<LogicalField | undefined> {
    const field = (await stored()).get(name);
    if (field === undefined && !table?.has(name)) {
      throw new LakegateError('not_found', `${url} has no column ${name}`, { context: { url, column: name } });
    }
    return field;
  }

  const provenNulls = (name: string): number | undefined => {
    const path = table?.get(name);
    return path && statistics && manifestNulls(statistics, path);
  };

  async function counted(names: readonly string[]): Promise<Map<string, NullCount>> {
    const counts = new Map<string, NullCount>();
    const asked = new Map<LogicalField, string>();
    for (const name of names) {
      const proven = provenNulls(name);
      if (proven !== undefined) counts.set(name, { name, nulls: proven, from: 'statistics' });
      else {
        const field = await locate(name);
        if (field !== undefined) asked.set(field, name);
        else counts.set(name, { name, nulls: await nullsOfAbsent(name), from: 'statistics' });
      }
    }
    if (asked.size > 0) {
      const found = await countNulls(await footer(), openReader, [...asked.keys()]);
      [...asked.values()].forEach((name, i) => {
        counts.set(name, { ...found[i]!, name });
      });
    }
    return counts;
  }

  /** A field that the file lacks is null wherever its parent is present. */
  async function nullsOfAbsent(name: string): Promise<number> {
    const path = table!.get(name)!;
    const above = path.path.slice(0, -1).map((_, i) => path.path.slice(0, i + 1).join('.'));
    const parents = await Promise.all(above.map(locate));
    if (parents.includes(undefined)) return 0;
    if (path.repeated) {
      throw new LakegateError('unsupported', `${url}: ${name} is not in the file, and lies inside a list or map`, {
        context: { url, column: name },
      });
    }
    const counts = await counted(above);
    return [...counts.values()].reduce((present, { nulls }) => present - nulls, rows!);
  }

  async function boundsOf(name: string): Promise<{ lower: AuditValue; upper: AuditValue; exact: boolean } | undefined> {
    const path = table?.get(name);
    const bounds = path && statistics && manifestBounds(statistics, path);
    if (bounds !== undefined) return bounds;
    if (provenNulls(name) === rows) return undefined;
    const field = await locate(name);
    return field?.leaf && field.repetitionLevel === 0 ? statisticsBounds(await footer(), field.leaf) : undefined;
  }

  async function* valuesOf(name: string): AsyncGenerator<{ firstRow: number; values: (AuditValue | undefined)[] }> {
    const field = provenNulls(name) === rows ? undefined : await locate(name);
    if (field !== undefined) {
      yield* readValues(await footer(), openReader, field);
      return;
    }
    for (let firstRow = 0; firstRow < rows!; firstRow += BATCH) {
      yield { firstRow, values: new Array<undefined>(Math.min(BATCH, rows! - firstRow)).fill(undefined) };
    }
  }

  return {
    url,
    rows,
    fields: async () => (table ? [...table.values()].map(factsOf) : fileFields(await footer())),
    ...(table && { storedFields: async () => storedFacts(table, await footer(), await stored()) }),
    async nulls(names) {
      const all = table ? [...table.keys()] : [...(await stored()).keys()];
      const asked = names === '*' ? all : all.filter((name) => names.includes(name));
      if (names !== '*') for (const name of names) if (!all.includes(name)) await locate(name);
      const counts = await counted(asked);
      return asked.map((name) => counts.get(name)!);
    },
    async nullRows(name, limit) {
      const field = await locate(name);
      if (field !== undefined) return nullRows(await footer(), openReader, field, limit);
      const everywhere = (await nullsOfAbsent(name)) === rows;
      return everywhere ? Array.from({ length: Math.min(limit, rows) }, (_, row) => row) : [];
    },
    bounds: boundsOf,
    async dictionary(name) {
      if (provenNulls(name) === rows) return [];
      const field = await locate(name);
      if (field === undefined) return [];
      return field.leaf && dictionaryValues(await footer(), openReader, field.leaf);
    },
    values: valuesOf,
  };
}

/** The fields that the file has: as the table types them where it knows them, else as the file does. */
function storedFacts(
  table: ReadonlyMap<string, FieldPath>,
  footer: ParquetFooter,
  stored: ReadonlyMap<string, LogicalField>,
): FieldFacts[] {
  const known = new Map([...stored].map(([name, field]) => [field.path, table.get(name)!]));
  return fileFields(footer).map((facts) => {
    const path = known.get(facts.name);
    return path === undefined ? facts : factsOf(path);
  });
}

async function openFooter(url: string, openReader: () => Promise<RangeReader>): Promise<ParquetFooter> {
  const reader = await openReader();
  try {
    return await readFooter(reader, url);
  } finally {
    await reader.close();
  }
}
