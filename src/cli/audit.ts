import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { Lake } from '../compose.ts';
import type { TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import { fitSchema } from '../gate/fit.ts';
import { type Inspected, inspect } from '../gate/inspect.ts';
import { fitTarget } from '../gate/schema-change.ts';
import type { Schema } from '../iceberg/model.ts';
import { assignIds, schemaFromColumns } from '../iceberg/schema.ts';
import { audit } from '../rules/audit.ts';
import { openAuditedParquet } from '../rules/audited-parquet.ts';
import type { AuditedFile, RuleResult } from '../rules/rule.ts';
import { type AuditReport, auditValue, findings, renderAudit } from './audit-report.ts';
import { chooseTable } from './choose-table.ts';
import type { CommandContext } from './context.ts';
import { fileUrl } from './file-url.ts';
import { withLake } from './lake.ts';
import { describeError, EXIT, type ExitCode } from './output.ts';

/** `lakegate audit FILE`: the gate's verdict on a file, without a delivery and without a commit. */
export async function auditFile(context: CommandContext, file: string, options: { table?: string }): Promise<ExitCode> {
  const url = fileUrl(context.terminal.cwd, file);
  let report: AuditReport;
  try {
    report = await withLake(context, async (lake) => {
      if (!(await lake.ports.store.head(url))) throw new LakegateError('usage', `there is no file ${file}`);
      return examine(lake, url, chooseTable(lake.config, url, options.table));
    });
  } catch (error) {
    // A file that cannot be read has no verdict: that is said where a program looks for it, and it is not a failed audit.
    if (!context.output.json || !isKind(error, 'corrupt', 'unsupported', 'unavailable')) throw error;
    const empty = { file: url, rows: 0, outcome: 'errored', columns: [], rules: [] };
    context.output.result({ ...empty, error: describeError(error) }, () => '');
    return EXIT.failed;
  }
  context.output.result(auditValue(report), () => renderAudit(report, context.output));
  if (context.output.json) for (const line of findings(report, context.output)) context.terminal.err.write(`${line}\n`);
  if (report.outcome === 'passed') return EXIT.done;
  return report.outcome === 'failed' ? EXIT.auditFailed : EXIT.failed;
}

async function examine(lake: Lake, url: string, config: TableConfig): Promise<AuditReport> {
  const { ports } = lake;
  const catalog = ports.catalog(config.catalog ?? lake.config.defaultCatalog);
  const found = await catalog.findTable(parseIdentifier(config.name));
  const target = found && fitTarget(found.metadata);
  let inspected: Inspected;
  try {
    inspected = await inspect(ports.store, url, config, !target || config.schemaPolicy === 'add_columns');
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error;
    return { file: url, rows: 0, outcome: 'failed', columns: [], rules: [misfit(error.message)] };
  }
  const judge = async (audited: AuditedFile, from?: 'values'): Promise<AuditReport> => {
    const verdict = await audit([...config.rules], {
      files: [audited],
      nowMs: ports.now(),
      ...(ports.sql ? { sql: ports.sql } : {}),
    });
    const nulls = await audited.nulls('*');
    const fitted = target && fitSchema(target, inspected, config.schemaPolicy);
    const misfits = fitted?.kind === 'refused' ? fitted.problems.map(misfit) : [];
    return {
      file: url,
      rows: verdict.rows,
      outcome: misfits.length > 0 ? 'failed' : verdict.outcome,
      columns: from === undefined ? nulls : nulls.map((column) => ({ ...column, from })),
      rules: [...misfits, ...verdict.results],
    };
  };
  if (inspected.kind === 'parquet') return judge(await openAuditedParquet(url, () => ports.store.open(url)));
  const schema = target?.schema ?? (config.columns ? schemaFromColumns(config.columns) : inferredSchema(inspected));
  return withConverted(lake, url, config, inspected, schema, (audited) => judge(audited, 'values'));
}

function misfit(problem: string): RuleResult {
  return { rule: 'schema', outcome: 'failed', count: 1, expected: 'columns that fit the table', found: problem };
}

function inferredSchema(inspected: Extract<Inspected, { kind: 'text' }>): Schema {
  return { type: 'struct', schemaId: 0, fields: assignIds(inspected.columns ?? [], 1).fields };
}

/** Text is judged as what the gate would make of it: converted to the table's types, in a folder that goes afterwards. */
async function withConverted(
  lake: Lake,
  url: string,
  config: TableConfig,
  inspected: Extract<Inspected, { kind: 'text' }>,
  schema: Schema,
  judge: (audited: AuditedFile) => Promise<AuditReport>,
): Promise<AuditReport> {
  const { store } = lake.ports;
  const [{ rewrite }, { textRows }] = await Promise.all([
    import('../formats/rewrite.ts'),
    import('../formats/text-rows.ts'),
  ]);
  const folder = await mkdtemp(join(tmpdir(), 'lakegate-audit-'));
  const reader = await store.open(url);
  try {
    const { files } = await rewrite({
      rows: textRows(reader, inspected.detected, config.csv, schema),
      schema,
      spec: { specId: 0, fields: [] },
      store,
      targetUrl: (_path, n) => `file://${folder}/${n}.parquet`,
    });
    const [first, ...more] = files;
    if (!first) return { file: url, rows: 0, outcome: 'passed', columns: [], rules: [] };
    if (more.length > 0)
      throw new LakegateError('unsupported', `${url} is too large to audit without delivering it: drop it instead`);
    return await judge(await openAuditedParquet(first.url, () => store.open(first.url)));
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error;
    return { file: url, rows: 0, outcome: 'failed', columns: [], rules: [misfit(error.message)] };
  } finally {
    await reader.close();
    await rm(folder, { recursive: true, force: true });
  }
}
