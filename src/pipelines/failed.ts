import { caughtReason } from '../notify/caught.ts';
import { notChecked } from './audit-reason.ts';
import type { PipelineJob } from './model.ts';
import { checkTable, type SourceWork } from './work.ts';

/** Writes down what a step threw, after all attempts: the run's end names it. */
export async function noteFailure(
  work: SourceWork,
  { job, table, error }: { job: PipelineJob; table: string | null; error: string },
): Promise<{ noted: true }> {
  const { run, source, found } = work;
  const reason = caughtReason(error);
  if (table === null) {
    // What stores and services threw says nothing about the data.
    const audit = job === 'audit' && notChecked(`snapshot_dt=${found.snapshot} of ${source.name}`, reason);
    if (audit) await run.failSource(source.name, job, audit.reason, audit.mark);
    else await run.failSource(source.name, job, reason);
  } else {
    checkTable(work, table);
    await run.failTable(source.name, table, job, reason);
  }
  return { noted: true };
}
