import type { AuditVerdict, RuleName, RuleResult } from '../rules/rule.ts';

/** What was held against a snapshot or a table: a rule of lake.yaml, or what the pipeline asks of its own accord. */
export interface AuditFinding extends Omit<RuleResult, 'rule'> {
  rule: RuleName | 'readable' | 'max_row_change' | 'same_rows' | 'key_first';
}

export type AuditOutcome = AuditVerdict['outcome'];

/** What one share of a snapshot's audit found. */
export interface ShareAudit {
  /** From 0, of `shares`. */
  share: number;
  shares: number;
  /** Of the whole snapshot, which each share sees. */
  files: number;
  rows: number;
  findings: AuditFinding[];
}

/** The verdict of a gate. */
export interface GateVerdict {
  /** `failed` when any finding did, else `inconclusive` when any could not be checked. */
  outcome: AuditOutcome;
  rows: number;
  findings: AuditFinding[];
  /** Sentences for people; absent where it passed. */
  reason?: string;
}

/** `failed` before `inconclusive` before `passed`. */
export function outcomeOfFindings(findings: readonly AuditFinding[]): AuditOutcome {
  if (findings.some(({ outcome }) => outcome === 'failed')) return 'failed';
  return findings.some(({ outcome }) => outcome === 'inconclusive') ? 'inconclusive' : 'passed';
}
