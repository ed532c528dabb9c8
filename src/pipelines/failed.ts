import { caughtReason } from '../notify/caught.ts';
import type { PipelineJob } from './model.ts';
import { checkTable, type SourceWork } from './work.ts';

/** Writes down what a step threw, after all attempts: the run's end names it. */
export async function noteFailure(
  work: SourceWork,
  { job, table, error }: { job: PipelineJob; table: string | null; error: string },
): Promise<{ noted: true }> {
  const { run, source } = work;
  const reason = caughtReason(error);
  if (table === null) await run.failSource(source.name, job, reason);
  else {
    checkTable(work, table);
    await run.failTable(source.name, table, job, reason);
  }
  return { noted: true };
}
