import type { PipelineSource } from '../config/pipelines-model.ts';
import { MAX_POSITIONS } from '../rules/rule.ts';
import type { AuditFinding, GateVerdict, ShareAudit } from './audit-model.ts';
import { verdictOf } from './audit-reason.ts';

export interface JudgedSnapshot {
  /** `YYYY-MM-DD`. */
  snapshot: string;
  /** How many shares there have to be. */
  shares: number;
  /** Rows of the last snapshot that was taken; absent: none was. */
  lastRows?: number;
}

/**
 * The verdict of all shares of a snapshot's audit, in any order. A share that is missing, or that saw other files than the first, leaves the
 * snapshot unchecked; it has not failed by it.
 */
export function judgeShares(
  source: PipelineSource,
  results: readonly ShareAudit[],
  { snapshot, shares, lastRows }: JudgedSnapshot,
): GateVerdict {
  const byShare = new Map(results.map((result) => [result.share, result]));
  const whole = Array.from({ length: shares }, (_, share) => byShare.get(share));
  const first = whole[0];
  const findings = [
    ...mergeFindings(whole.flatMap((result) => result?.findings ?? [])),
    ...incomplete(whole),
    ...(first === undefined ? [] : rowChange(source, first.rows, lastRows)),
  ];
  return verdictOf(`snapshot_dt=${snapshot} of ${source.name}`, first?.rows ?? 0, findings);
}

function incomplete(whole: readonly (ShareAudit | undefined)[]): AuditFinding[] {
  const missing = whole.flatMap((result, share) => (result === undefined ? [share + 1] : []));
  const open = (expected: string, found: string): AuditFinding => ({
    rule: 'readable',
    outcome: 'inconclusive',
    expected,
    found,
  });
  if (missing.length > 0) {
    return [open(`all ${whole.length} shares of the audit`, `no result of share ${missing.join(', ')}`)];
  }
  const [first, ...others] = whole as readonly ShareAudit[];
  const other = others.find(({ files, rows }) => files !== first!.files || rows !== first!.rows);
  if (other === undefined) return [];
  const seen = ({ files, rows }: ShareAudit) => `${rows} rows in ${files} files`;
  return [open(`the same files in every share: ${seen(first!)}`, `${seen(other)} in share ${other.share + 1}`)];
}

/** Shares of one rule together: repeats of a key lie in one share, so that counts add up. */
function mergeFindings(findings: readonly AuditFinding[]): AuditFinding[] {
  const groups = Map.groupBy(
    findings,
    (finding) => `${finding.rule} ${finding.rule === 'unique' ? finding.column : ''}`,
  );
  return [...groups.values()].flatMap((group) => (group[0]!.rule === 'unique' ? [mergeUnique(group)] : group));
}

function mergeUnique(group: readonly AuditFinding[]): AuditFinding {
  const failed = group.filter(({ outcome }) => outcome === 'failed').sort(byPlace);
  const [first] = failed;
  if (first === undefined) return group.find(({ outcome }) => outcome === 'inconclusive') ?? group[0]!;
  // A column that is not there fails every share alike.
  if (first.rows === undefined || failed.length === 1) return first;
  const count = failed.reduce((sum, finding) => sum + (finding.count ?? 0), 0);
  const sameFile = failed.filter(({ file }) => file === first.file);
  const rows = sameFile.flatMap((finding) => finding.rows ?? []).sort((a, b) => a - b);
  const sample = /, first .*$/s.exec(first.found)?.[0] ?? '';
  return { ...first, count, rows: rows.slice(0, MAX_POSITIONS), found: `${count} rows repeat an earlier one${sample}` };
}

function byPlace(a: AuditFinding, b: AuditFinding): number {
  const [one, other] = [a.file ?? '', b.file ?? ''];
  return one === other ? (a.rows?.[0] ?? 0) - (b.rows?.[0] ?? 0) : one < other ? -1 : 1;
}

function rowChange({ audit }: PipelineSource, rows: number, lastRows: number | undefined): AuditFinding[] {
  const most = audit?.maxRowChange;
  if (most === undefined || lastRows === undefined) return [];
  const [low, high] = [Math.ceil(lastRows * (1 - most)), Math.floor(lastRows * (1 + most))];
  const outcome = rows < low || rows > high ? 'failed' : 'passed';
  const change = lastRows === 0 ? '' : `, ${(((rows - lastRows) / lastRows) * 100).toFixed(1)} %`;
  return [
    {
      rule: 'max_row_change',
      outcome,
      count: Math.max(low - rows, rows - high, 0),
      expected: `between ${Math.max(0, low)} and ${high} rows, ${lastRows} in the last snapshot`,
      found: `${rows} rows${change}`,
    },
  ];
}
