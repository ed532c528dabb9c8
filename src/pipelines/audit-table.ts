import type { PipelineBase } from '../config/pipelines-model.ts';
import type { RuleSpec } from '../rules/rule.ts';
import { KEYS_PER_PASS } from '../rules/unique.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { AuditFinding, GateVerdict } from './audit-model.ts';
import { verdictOf } from './audit-reason.ts';
import { type AuditedObject, type AuditPorts, auditFiles } from './audit-share.ts';

export interface AuditedTable {
  /** As messages call it. */
  name: string;
  /** Folder of this snapshot's files, URL ending in `/`; what lies deeper in it is not of the table. */
  folder: string;
  /** These files of the folder alone; all of them where it is absent. */
  files?: readonly AuditedObject[];
  /** Name of the column that has to come first, lower case. */
  key: string;
  /** Rows of the snapshot that it was made of. */
  rows: number;
}

/** Passes over the key that fit a call of a quarter of an hour. */
const MOST_PASSES = 4;

/**
 * Holds a table's files of one snapshot against the pipeline's rules: as many rows as the source, the key first in every file, and the rules that
 * lake.yaml has for tables. Nothing is registered over a table that did not pass.
 * @throws LakegateError of the store, which says nothing about the table
 */
export async function auditTable(
  ports: AuditPorts,
  { audit }: Pick<PipelineBase, 'audit'>,
  table: AuditedTable,
): Promise<GateVerdict> {
  const objects = table.files ?? (await filesOf(ports.store, table.folder));
  const what = `the table ${table.name}`;
  if (objects.length === 0) {
    const finding: AuditFinding = {
      rule: 'readable',
      outcome: 'failed',
      expected: 'files',
      found: `none in ${table.folder}`,
    };
    return verdictOf(what, 0, [finding]);
  }
  const [rules, left] = withinOneCall(audit?.rules ?? [], table.rows);
  const { rows, findings, files } = await auditFiles(ports, objects, rules, (column) => column.toLowerCase());
  if (findings.some(({ rule }) => rule === 'readable')) return verdictOf(what, rows, findings);
  const strangers: string[] = [];
  for (const file of files) {
    const [first] = await file.fields();
    if (first?.name !== table.key) strangers.push(`${first?.name ?? 'no column'} in ${file.url}`);
  }
  return verdictOf(what, rows, [
    {
      rule: 'same_rows',
      outcome: rows === table.rows ? 'passed' : 'failed',
      count: Math.abs(rows - table.rows),
      expected: `${table.rows} rows as in the snapshot`,
      found: `${rows} rows`,
    },
    {
      rule: 'key_first',
      column: table.key,
      outcome: strangers.length === 0 ? 'passed' : 'failed',
      count: strangers.length,
      expected: 'the key as the first column of every file',
      found: strangers[0] ?? 'it is',
    },
    ...findings,
    ...left,
  ]);
}

/** The files that readers of a folder see. */
async function filesOf(store: ObjectStore, folder: string): Promise<AuditedObject[]> {
  const found: AuditedObject[] = [];
  for await (const object of store.list(folder)) {
    const name = object.url.slice(folder.length);
    if (!name.includes('/') && !/^[._]/.test(name) && object.size > 0) found.push(object);
  }
  return found;
}

/** `unique` over more rows than one call gets through could not be checked, and says so before the time is spent. */
function withinOneCall(rules: readonly RuleSpec[], rows: number): [RuleSpec[], AuditFinding[]] {
  const most = KEYS_PER_PASS * MOST_PASSES;
  if (rows <= most) return [[...rules], []];
  const left = rules.filter((spec) => spec.rule === 'unique');
  return [
    rules.filter((spec) => spec.rule !== 'unique'),
    left.map(({ columns }) => ({
      rule: 'unique',
      column: columns.join(', '),
      outcome: 'inconclusive',
      expected: 'no value twice',
      found: `${rows} rows, and one call compares ${most}: put this rule into the source's audit, which is done in shares`,
    })),
  ];
}
