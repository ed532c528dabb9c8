import { caughtReason } from './caught.ts';
import type { NoteNotice } from './note-notice.ts';
import type { News, PipelineFailed, PipelineStep } from './notifier.ts';

/** Runs of table pipelines that could not do all of their work, one message for each pipeline. */
export function pipelineNotices(events: readonly News[]): NoteNotice[] {
  const byPipeline = Map.groupBy(
    events.filter((event): event is PipelineFailed => event.event === 'pipeline.failed'),
    ({ pipeline }) => pipeline,
  );
  return [...byPipeline.entries()].map(([pipeline, runs]) => {
    const failures = runs.flatMap((run) => run.failures);
    const count = runs.reduce((sum, run) => sum + run.count, 0);
    return {
      kind: 'note',
      headline: headline(pipeline, failures, count),
      items: failures.flatMap(failureLines),
      text: [
        ...(count > failures.length
          ? [`${(count - failures.length).toLocaleString('en-US')} more are not named here.`]
          : []),
        whatIsDone(failures),
        ...(failures.some(({ job, inconclusive }) => job === 'audit' && !inconclusive) ? [MEND] : []),
        ...(failures.some(({ inconclusive }) => inconclusive) ? [CHECK_AGAIN] : []),
        `Executions: ${[...new Set(runs.map(({ execution }) => execution))].join(', ')}. \`lakegate tables run ${pipeline} --stage NAME\` runs it again.`,
      ],
    };
  });
}

/** Data that did not pass does not pass the next time either. */
const MEND =
  'Where data did not pass its audit, have the snapshot written again, marker last: to run the same data again ends the same way.';

/** What could not be looked at may be faultless. */
const CHECK_AGAIN =
  'Where data could not be checked, nothing is known against it: mend what stood in the way, and run it again.';

/** What readers have after it. */
function whatIsDone(failures: readonly PipelineStep[]): string {
  const has = (job: string) => failures.some((failure) => failure.job === job);
  if (has('validate')) return 'Nothing was begun: readers have what they had.';
  if (has('run')) return 'How far it came is in the execution. What was not registered is as readers had it.';
  return 'What failed is not registered anew: readers have what they had. Everything else is done.';
}

/** Tables by number where all failures are of one, else the run. */
function headline(pipeline: string, failures: readonly PipelineStep[], count: number): string {
  const tables = new Set(failures.map(({ source, table }) => table && `${source ?? ''}/${table}`));
  const [first] = failures;
  if (count === 1 && first?.inconclusive) return `Pipeline ${pipeline}: ${place(first).join(' ')} could not be checked`;
  if (count === 1 && first !== undefined)
    return `Pipeline ${pipeline}: ${[first.job, ...place(first)].join(' ')} failed`;
  if (tables.has(undefined)) return `Pipeline ${pipeline}: ${count.toLocaleString('en-US')} steps failed`;
  return `Pipeline ${pipeline}: ${count.toLocaleString('en-US')} tables failed`;
}

/** A reason may be a list of faults: each is a line of its own, so that a message can say how many more there are. */
function failureLines(failure: PipelineStep): string[] {
  const [first = '', ...more] = caughtReason(failure.reason).split('\n');
  const lines = more.map((line) => line.trim()).filter((line) => line !== '');
  return [`${[failure.job, ...place(failure)].join(' ')}: ${first}`, ...lines];
}

/** `infobase/IBE_01`, or the source alone. */
function place({ source, table }: PipelineStep): string[] {
  const names = [source, table].filter((name) => name !== undefined);
  return names.length === 0 ? [] : [names.join('/')];
}
