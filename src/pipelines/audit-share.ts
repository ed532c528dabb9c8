import type { PipelineSource } from '../config/pipelines-model.ts';
import { isKind } from '../errors.ts';
import { audit } from '../rules/audit.ts';
import type { AuditContext, AuditedFile, RuleSpec, SqlEngine } from '../rules/rule.ts';
import { KEYS_PER_PASS } from '../rules/unique.ts';
import type { ExpectedObject, ObjectStore } from '../storage/store.ts';
import { openAuditedFiles, withNames } from './audit-files.ts';
import type { AuditFinding, ShareAudit } from './audit-model.ts';

/** What audits reach the outside by. */
export interface AuditPorts {
  store: ObjectStore;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs rules of kind `sql`; without it they cannot be checked. */
  sql?: SqlEngine;
}

/** A file under audit: the version that is meant. */
export type AuditedObject = { url: string } & ExpectedObject;

/**
 * In how many shares a snapshot is audited, each by a call of its own that holds its share of the keys: 0 where nothing is to be audited.
 * @param rows of the snapshot
 */
export function auditShares({ audit: wanted }: PipelineSource, rows: number): number {
  if (wanted === undefined) return 0;
  if (!wanted.rules.some(({ rule }) => rule === 'unique')) return 1;
  return Math.max(1, Math.ceil(rows / KEYS_PER_PASS));
}

/**
 * Holds a snapshot's files against a source's rules, or one share of it: the first share checks every rule, the others their share of the keys
 * of `unique`. A file that cannot be read as Parquet has failed.
 * @param files of the snapshot, the same ones for every share
 * @param share from 0
 * @throws LakegateError of the store, which says nothing about the data
 */
export async function auditShare(
  ports: AuditPorts,
  source: PipelineSource,
  files: readonly AuditedObject[],
  share: number,
  shares: number,
): Promise<ShareAudit> {
  const all = source.audit?.rules ?? [];
  const rules = share === 0 ? all : all.filter(({ rule }) => rule === 'unique');
  const { rows, findings } = await auditFiles(ports, files, rules, outputNames(source), { number: share, of: shares });
  return { share, shares, files: files.length, rows, findings };
}

/** What lies in files, by rules; also how many rows. @param nameOf what the tables call a column, of the files' and of the rules' spelling */
export async function auditFiles(
  { store, now, sql }: AuditPorts,
  objects: readonly AuditedObject[],
  rules: readonly RuleSpec[],
  nameOf: (column: string) => string,
  share?: AuditContext['share'],
): Promise<{ rows: number; findings: AuditFinding[]; files: AuditedFile[] }> {
  let files: AuditedFile[] = [];
  try {
    const named = rules.map((spec) => withNames(spec, nameOf));
    files = await openAuditedFiles(store, objects, { rules: named, nameOf });
    const context = { files, nowMs: now(), ...(sql && { sql }), ...(share && { share }) };
    const { rows, results } = await audit(named, context);
    return { rows, findings: results, files };
  } catch (error) {
    // Bytes that are no Parquet will not become any: the writer has to write them again.
    if (!isKind(error, 'corrupt', 'unsupported')) throw error;
    const outcome = isKind(error, 'corrupt') ? 'failed' : 'inconclusive';
    const finding: AuditFinding = { rule: 'readable', outcome, expected: 'Parquet files', found: error.message };
    return { rows: files.reduce((sum, file) => sum + file.rows, 0), findings: [finding], files };
  }
}

/** What the tables call a column of the source: its alias, else its name in lower case. */
function outputNames({ aliases }: PipelineSource): (column: string) => string {
  const byLower = new Map(Object.entries(aliases).map(([from, to]) => [from.toLowerCase(), to.toLowerCase()]));
  return (column) => byLower.get(column.toLowerCase()) ?? column.toLowerCase();
}
