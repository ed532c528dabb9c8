import { sealedSnapshot, uncopyableSnapshot } from '../tables/prepare-split.ts';
import { writeSnapshotDate } from '../tables/split.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { mapDifferences } from './map-differences.ts';
import { EXIT, type ExitCode, type Output, quoted } from './output.ts';
import { RUNS, type SplitRun, type SplitTableResult } from './tables-split-engines.ts';
import { type SplitOptions, splitJob, type WritingJob, writingJob } from './tables-split-job.ts';
import { bytes, count, number } from './words.ts';

/** `lakegate tables split`: columns of a snapshot made the tables of a split map, by the engine that was asked for. */
export async function split(context: CommandContext, options: SplitOptions): Promise<ExitCode> {
  const { engine, dryRun = false } = options;
  const asked = await splitJob(context, options);
  // Glue's client takes a tenth of a second to load: the other engines do without.
  if (engine === 'virtual') return (await import('./tables-virtual.ts')).virtual(asked);
  const job = writingJob(asked);
  const { output } = context;
  const { source, target } = job.request;
  const first = await begun(job, engine);
  for (const date of first.incomplete) output.say(`snapshot_dt=${date} is not complete and was passed over`);
  const run = await otherwise(job, first);
  const { date, findings, tables } = run;
  const whole = tables.every(({ outcome }) => outcome === 'written' || outcome === 'already');
  if (whole && !dryRun && options.tables.length === 0) await writeSnapshotDate(job.store, target, date);
  output.result({ snapshot: date, source: `${source}snapshot_dt=${date}/`, target, engine, findings, tables }, () =>
    render(job, run),
  );
  const allPlanned = tables.every(({ outcome }) => outcome === 'planned');
  return whole || (dryRun && allPlanned) ? EXIT.done : EXIT.failed;
}

/** The run of the engine that was asked for; of Spark, where that was asked for otherwise and none of the files can be copied from, nor is encrypted. */
async function begun(job: WritingJob, engine: keyof typeof RUNS): Promise<SplitRun> {
  try {
    return await RUNS[engine](job);
  } catch (error) {
    const snapshot = uncopyableSnapshot(error);
    if (snapshot === undefined || sealedSnapshot(error) || job.options.otherwise !== 'spark') throw error;
    const run = await RUNS.spark({ ...job, request: { ...job.request, snapshot } });
    return { ...run, tables: run.tables.map((one) => ({ ...one, engine: 'spark' })) };
  }
}

/** Has another engine make what the copy engine left, where that was asked for. */
async function otherwise(job: WritingJob, run: SplitRun): Promise<SplitRun> {
  const { otherwise: engine } = job.options;
  const left = run.tables.filter(({ outcome }) => outcome === 'left');
  if (engine === undefined || left.length === 0 || run.sealed !== undefined) return run;
  const request = {
    ...job.request,
    // The snapshot that the others are of, even when a newer one has come meanwhile.
    snapshot: run.date,
    only: job.request.map === undefined ? [] : left.map(({ table }) => table),
    strict: false,
  };
  const { tables } = await RUNS[engine]({ ...job, request });
  const made = new Map(tables.map((one) => [one.table, one]));
  return {
    ...run,
    tables: run.tables.map((one) => {
      const other = one.outcome === 'left' ? made.get(one.table) : undefined;
      return other === undefined ? one : { ...other, engine };
    }),
  };
}

function render(job: WritingJob, { date, tables, findings, sealed }: SplitRun): string {
  const { output } = job.context;
  const rows = tables.map(({ table, outcome, files, rows: amount, bytes: size, reason, engine }) => [
    table,
    outcome,
    files === undefined ? '' : number(files),
    amount === undefined ? '' : number(amount),
    size === undefined ? '' : bytes(size),
    reason ?? (engine === undefined ? '' : `by ${engine}`),
  ]);
  const heading = ['table', 'outcome', 'files', 'rows', 'size', 'why'];
  const parts = [
    `snapshot_dt=${date}, ${count(tables.length, 'table')}`,
    columns(heading, rows, output.width).trimEnd(),
  ];
  if (findings.length > 0) {
    parts.push(mapDifferences(findings));
  }
  const left = tables.filter(({ outcome }) => outcome === 'left');
  if (left.length > 0) parts.push(sealed ?? whoElse(job, left, date, output));
  return parts.join('\n\n');
}

/** The command that makes what was left; on S3 the Glue job. */
function whoElse({ request, options }: WritingJob, left: readonly SplitTableResult[], date: string, output: Output) {
  const names = left.map(({ table }) => table).join(',');
  const what = `${count(left.length, 'table')} cannot be copied`;
  if (!(request.source.startsWith('file:') && request.target.startsWith('file:'))) {
    const filter = request.map === undefined ? '' : ` TABLES_FILTER=${names}`;
    return `${what}. The Glue job glue/split.py makes them: SNAPSHOT_DT=${date}${filter}`;
  }
  const aliases = Object.entries(options.alias).map(([from, to]) => `${from}=${to}`);
  const words = [
    ['source', options.source],
    ['target', options.target],
    ['map', options.map],
    ['tables', options.map === undefined ? undefined : names],
    ['table', options.table],
    ['layout', options.layout === 'partitioned' ? undefined : options.layout],
    ['snapshot', date],
    ['key', options.key === 'customer_user_id' ? undefined : options.key],
    ['alias', aliases.length === 0 ? undefined : aliases.join(',')],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]));
  const command = output.command(`tables split ${words.join(' ')} --engine duckdb`);
  return `${what}. Rows that are decoded and written anew make them (or --engine spark):\n  ${command}`;
}
