import pLimit from 'p-limit';
import { readFooter } from '../parquet/footer.ts';
import type { LogicalField, ParquetFooter } from '../parquet/model.ts';
import { readSelectedFooter } from '../parquet/selected-footer.ts';
import { auditedParquet } from '../rules/audited-parquet.ts';
import type { AuditedFile, FieldFacts, RuleSpec } from '../rules/rule.ts';
import type { ExpectedObject, ObjectStore, RangeReader } from '../storage/store.ts';

/** Footers of a wide file take tens of megabytes while they are read. */
const AT_ONCE = 4;

export interface AuditedFolderOptions {
  rules: readonly RuleSpec[];
  /** What rules call a top-level column of the files. */
  nameOf: (column: string) => string;
}

/**
 * Opens Parquet files for rules. A snapshot has a thousand files of thousands of columns: of each footer only what rules name is kept, and a
 * question about all columns reads it again.
 * @param objects the versions that are meant; another one in its place is `not_found`
 * @throws LakegateError `corrupt` for a file that is no Parquet, `unsupported` for an encrypted one, and what the store throws
 */
export async function openAuditedFiles(
  store: ObjectStore,
  objects: readonly ({ url: string } & ExpectedObject)[],
  { rules, nameOf }: AuditedFolderOptions,
): Promise<AuditedFile[]> {
  const limit = pLimit(AT_ONCE);
  const named = namedColumns(rules);
  const schemas = new Map<string, LogicalField[]>();
  const facts = new Map<LogicalField[], Promise<FieldFacts[]>>();

  /** Schemas that are alike are held once. */
  const shared = (fields: LogicalField[]): LogicalField[] => {
    const schema = JSON.stringify(fields);
    const known = schemas.get(schema) ?? fields;
    schemas.set(schema, known);
    return known;
  };

  /** The whole footer that was read last: where many columns of one file have nulls, each is asked for the rows by itself. */
  let last: { url: string; footer: Promise<ParquetFooter> } | undefined;

  async function open(object: { url: string } & ExpectedObject): Promise<AuditedFile> {
    const { url } = object;
    const openReader = () => store.open(url, object);
    const read = async (from: (reader: RangeReader) => Promise<ParquetFooter>): Promise<ParquetFooter> => {
      const reader = await openReader();
      return from(reader).finally(() => reader.close());
    };
    const inTables = (fields: readonly LogicalField[]) => fields.map((field) => renamed(field, nameOf(field.name)));
    const whole = (): Promise<ParquetFooter> => {
      if (last?.url !== url) {
        const footer = read(async (reader) => {
          const all = await readFooter(reader, url);
          return { ...all, fields: inTables(all.fields) };
        });
        last = { url, footer };
        footer.catch(() => {
          if (last?.footer === footer) last = undefined;
        });
      }
      return last.footer;
    };
    const footer = await read(async (reader) => {
      const some = await readSelectedFooter(reader, url, (column) => named.has(nameOf(column)));
      return { ...some, fields: shared(inTables(some.fields)), leaves: [], keyValueMetadata: {} };
    });
    const kept = auditedParquet({ url, openReader, footer });
    /** The file with the footer that a question needs, read again where columns are asked for that no rule names. */
    const answer = <T>(names: readonly string[] | '*', ask: (file: AuditedFile) => Promise<T>): Promise<T> =>
      limit(async () => {
        const known = names !== '*' && names.every((name) => named.has(topOf(name)));
        return ask(known ? kept : auditedParquet({ url, openReader, footer: await whole() }));
      });
    return {
      ...kept,
      fields() {
        const known = facts.get(footer.fields) ?? kept.fields();
        facts.set(footer.fields, known);
        return known;
      },
      nulls: (names) => answer(names, (file) => file.nulls(names)),
      nullRows: (name, most) => answer([name], (file) => file.nullRows(name, most)),
    };
  }

  return Promise.all(objects.map((object) => limit(() => open(object))));
}

/** A rule with its columns under the names that tables have: `nameOf` of the top-level column, the rest of the path as it is. */
export function withNames(spec: RuleSpec, nameOf: (column: string) => string): RuleSpec {
  const named = (name: string) => nameOf(topOf(name)) + name.slice(topOf(name).length);
  switch (spec.rule) {
    case 'not_null':
      return spec.columns === '*' ? spec : { ...spec, columns: spec.columns.map(named) };
    case 'unique':
      return { ...spec, columns: spec.columns.map(named) };
    case 'max_null_fraction':
    case 'range':
    case 'accepted_values':
    case 'freshness':
      return { ...spec, column: named(spec.column) };
    case 'schema': {
      const columns = Object.entries(spec.columns).map(([name, type]) => [named(name), type]);
      return { ...spec, columns: Object.fromEntries(columns) as Record<string, string> };
    }
    default:
      return spec;
  }
}

/** Top-level columns that rules name. */
function namedColumns(rules: readonly RuleSpec[]): Set<string> {
  const names = rules.flatMap((spec): readonly string[] => {
    switch (spec.rule) {
      case 'not_null':
        return spec.columns === '*' ? [] : spec.columns;
      case 'unique':
        return spec.columns;
      case 'max_null_fraction':
      case 'range':
      case 'accepted_values':
      case 'freshness':
        return [spec.column];
      default:
        return [];
    }
  });
  return new Set(names.map(topOf));
}

function topOf(name: string): string {
  return name.split('.', 1)[0]!;
}

function renamed(field: LogicalField, name: string): LogicalField {
  const move = (each: LogicalField, path: string): LogicalField => ({
    ...each,
    path,
    children: each.children.map((child) => move(child, `${path}.${child.name}`)),
  });
  return name === field.name ? field : { ...move(field, name), name };
}
