import { LakegateError } from '../errors.ts';
import { judgeShares } from './audit-judge.ts';
import type { ShareAudit } from './audit-model.ts';
import { markOf } from './audit-reason.ts';
import { auditShare } from './audit-share.ts';
import { parseDocument, putDocument, SHARE } from './documents.ts';
import type { SourceWork } from './work.ts';

const ADVICE = 'Start the pipeline again.';

/**
 * Audits one share of a source's snapshot, and leaves what it found in the run's folder.
 * @throws LakegateError of the store, which says nothing about the data; `usage` for a share that there is not
 */
export async function auditStep(work: SourceWork, share: number): Promise<{ share: number }> {
  const { ports, source, run, found } = work;
  if (!Number.isInteger(share) || share < 0 || share >= found.shares) {
    throw new LakegateError('usage', `share: expected one of ${found.shares} from 0, found ${share}`);
  }
  const result = await auditShare(ports, source, found.files, share, found.shares);
  await putDocument(ports.store, run.shareUrl(source.name, share), result);
  return { share };
}

/** The verdict of all shares. A source that did not pass is done with, and the run's end names why. */
export async function judgeStep(work: SourceWork): Promise<{ passed: boolean }> {
  const { ports, source, run, found } = work;
  if (found.shares === 0) return { passed: true };
  const results: ShareAudit[] = [];
  for (let share = 0; share < found.shares; share += 1) {
    const url = run.shareUrl(source.name, share);
    // A share that is missing or broken was not checked, which the verdict says.
    if ((await ports.store.head(url)) === undefined) continue;
    results.push(parseDocument(SHARE, (await ports.store.read(url)).bytes, url, ADVICE) as ShareAudit);
  }
  const verdict = judgeShares(source, results, {
    snapshot: found.snapshot,
    shares: found.shares,
    ...(found.lastRows !== null && { lastRows: found.lastRows }),
  });
  if (verdict.outcome === 'passed') return { passed: true };
  await run.failSource(source.name, 'audit', verdict.reason ?? verdict.outcome, markOf(verdict));
  return { passed: false };
}
