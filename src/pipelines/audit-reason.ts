import { type AuditFinding, type GateVerdict, outcomeOfFindings } from './audit-model.ts';

/** Findings that a reason names one by one. */
const SHOWN = 5;

/**
 * The verdict over findings, with the reason in sentences.
 * @param what what was audited: `snapshot_dt=2026-01-31 of customers`
 */
export function verdictOf(what: string, rows: number, findings: AuditFinding[]): GateVerdict {
  const outcome = outcomeOfFindings(findings);
  if (outcome === 'passed') return { outcome, rows, findings };
  const [failed, open] = [of(findings, 'failed'), of(findings, 'inconclusive')];
  const sentences = [
    ...(failed.length === 0 ? [] : [`${what} failed its audit: ${listed(failed)}.`]),
    ...(open.length === 0
      ? []
      : [`${failed.length === 0 ? what : 'Besides, it'} could not be checked: ${listed(open)}.`]),
  ];
  return { outcome, rows, findings, reason: sentences.join(' ') };
}

/** What is remembered of a verdict that was not `passed`, beside its reason. */
export function markOf({ outcome }: Pick<GateVerdict, 'outcome'>): { inconclusive?: true } {
  return outcome === 'inconclusive' ? { inconclusive: true } : {};
}

/** For an audit that broke down. @param what as for `verdictOf` @param fault what stood in its way */
export function notChecked(what: string, fault: string): { reason: string; mark: { inconclusive: true } } {
  return { reason: `${what} could not be checked: ${fault}`, mark: { inconclusive: true } };
}

function of(findings: readonly AuditFinding[], outcome: AuditFinding['outcome']): AuditFinding[] {
  return findings.filter((finding) => finding.outcome === outcome);
}

function listed(findings: readonly AuditFinding[]): string {
  const shown = findings.slice(0, SHOWN).map(described);
  const more = findings.length - SHOWN;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** A message ends with its full stop, which is the whole sentence's here: `not_null of customer_id: expected no nulls, found 3 nulls (rows 5, 7 of s3://…)`. */
function described({ rule, column, expected, found, rows, file }: AuditFinding): string {
  const subject = column === undefined ? rule : `${rule} of ${column}`;
  const numbers =
    rows === undefined || rows.length === 0 ? '' : `${rows.length === 1 ? 'row' : 'rows'} ${rows.join(', ')}`;
  const place = [numbers, file ?? ''].filter((part) => part !== '').join(' of ');
  return `${subject}: expected ${expected}, found ${found.replace(/\.$/, '')}${place === '' ? '' : ` (${place})`}`;
}
