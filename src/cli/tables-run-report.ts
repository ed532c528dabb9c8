import { printable } from '../notify/printable.ts';
import type { PipelineFailure } from '../pipelines/model.ts';
import { EXIT, type ExitCode, type Output } from './output.ts';
import { count } from './words.ts';

/** How a run of a pipeline stands, on a stage or here. */
export interface RunReport {
  pipeline: string;
  /** ARN of its execution; absent where it ran here. */
  execution?: string;
  status: 'succeeded' | 'failed' | 'aborted' | 'timed_out' | 'running';
  /** Tables that were done, and sources whose snapshot was taken already. */
  tables?: number;
  skipped?: number;
  /** What is to be known though nothing failed. */
  notes?: string[];
  /** What failed, and why. */
  failed: (Omit<PipelineFailure, 'job'> & { job: string })[];
  /** Reports that were asked for. */
  reports: string[];
}

const GATE = 'audit';

/** 3 where nothing but a gate's verdict stood in the way; what could not be checked has no verdict. */
export function exitOfRuns(runs: readonly RunReport[]): ExitCode {
  if (runs.every(({ status }) => status === 'succeeded' || status === 'running')) return EXIT.done;
  const failed = runs.flatMap((run) => run.failed);
  const stopped = runs.every(({ status }) => status === 'succeeded' || status === 'failed');
  return stopped && failed.length > 0 && failed.every(isVerdict) ? EXIT.auditFailed : EXIT.failed;
}

function isVerdict({ job, inconclusive }: RunReport['failed'][number]): boolean {
  return job === GATE && inconclusive !== true;
}

const WORDS: Record<RunReport['status'], string> = {
  succeeded: 'done',
  failed: 'failed',
  aborted: 'was ended by somebody',
  timed_out: 'took longer than it may',
  running: 'is running',
};

/** A line for each pipeline, and one for each thing that failed. */
export function renderRuns(runs: readonly RunReport[], output: Output): string {
  const lines = runs.flatMap(({ pipeline, status, execution, tables, skipped = 0, notes = [], failed, reports }) => {
    const facts = [
      ...(tables === undefined ? [] : [count(tables, 'table')]),
      ...(skipped === 0 ? [] : [`${count(skipped, 'source')} whose snapshot was taken before`]),
      ...(failed.length === 0 ? [] : [`${failed.length} failed`]),
      ...(reports.length === 0 || status === 'running' ? [] : [`reports asked for: ${reports.join(', ')}`]),
    ];
    const painted = output.style(
      status === 'succeeded' ? 'green' : status === 'running' ? 'dim' : 'red',
      WORDS[status],
    );
    return [
      `${printable(pipeline)} ${painted}${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`,
      ...notes.map((note) => `  ${printable(note)}`),
      ...failed.map(({ job, source, table, reason }) => {
        const where = [source, table].filter((part) => part !== undefined).join(' ');
        // Faults of an input come a line each.
        const lines = reason.split('\n').map((line) => printable(line));
        return `  ${printable(where === '' ? job : `${job} of ${where}`)}: ${lines.join('\n  ')}`;
      }),
      ...(execution === undefined || status === 'succeeded' ? [] : [`  ${printable(execution)}`]),
    ];
  });
  return lines.join('\n');
}
