import { resolveFolder } from '../config/location.ts';
import { LakegateError } from '../errors.ts';
import { createStores } from '../storage/stores.ts';
import type { Finding, SplitPlan } from '../tables/model.ts';
import { prepareSplit } from '../tables/prepare-split.ts';
import { runSplit, type SplitProgress, type TableOutcome, writeSnapshotDate } from '../tables/split.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { fileUrl } from './file-url.ts';
import { EXIT, type ExitCode, type Output } from './output.ts';
import { bytes, count, number } from './words.ts';

export interface SplitOptions {
  source: string;
  target: string;
  map: string;
  snapshot?: string;
  marker?: string;
  key: string;
  alias: Record<string, string>;
  tables: string[];
  targetMb: number;
  strict?: boolean;
  dryRun?: boolean;
}

const MEGABYTE = 1024 * 1024;

/** `lakegate tables split`: columns of the latest snapshot copied into the tables of a split map. */
export async function split(context: CommandContext, options: SplitOptions): Promise<ExitCode> {
  const { terminal, output } = context;
  const store = createStores();
  const mapUrl = options.map.startsWith('s3:') ? options.map : fileUrl(terminal.cwd, options.map);
  const text = new TextDecoder().decode((await store.read(mapUrl)).bytes);
  const { snapshot, findings, plan } = await prepareSplit(store, {
    source: folder(options.source, '--source', terminal.cwd),
    target: folder(options.target, '--target', terminal.cwd),
    map: { text, name: options.map },
    ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
    ...(options.marker === undefined ? {} : { marker: options.marker }),
    key: options.key,
    aliases: options.alias,
    only: options.tables,
    strict: options.strict ?? false,
    targetBytes: options.targetMb * MEGABYTE,
  });
  for (const date of snapshot.incomplete) output.say(`snapshot_dt=${date} is not complete and was passed over`);
  const progress = options.dryRun ? undefined : await createBar(context);
  const outcomes = options.dryRun ? planned(plan) : await runSplit(store, plan, progress).finally(progress?.stop);
  const whole = outcomes.every(({ outcome }) => outcome === 'written' || outcome === 'already');
  if (whole && !options.dryRun && options.tables.length === 0)
    await writeSnapshotDate(store, plan.target, plan.snapshot);
  output.result(
    { snapshot: plan.snapshot, source: snapshot.folder, target: plan.target, findings, tables: outcomes },
    () => render(plan.snapshot, outcomes, findings, output),
  );
  return whole || (options.dryRun && plan.left.length === 0) ? EXIT.done : EXIT.failed;
}

function folder(text: string, option: string, cwd: string): string {
  const resolved = resolveFolder(text, cwd);
  if ('url' in resolved) return resolved.url;
  throw new LakegateError('usage', `${option}: ${resolved.fault}, found ${JSON.stringify(text)}`);
}

/** What a dry run has to say of each table. */
interface Planned extends Omit<TableOutcome, 'outcome'> {
  outcome: TableOutcome['outcome'] | 'planned';
}

function planned({ tables, left }: SplitPlan): Planned[] {
  return [
    ...tables.map(
      ({ table, folder: place, outputs }): Planned => ({
        table: table.name,
        outcome: 'planned',
        folder: place,
        files: outputs.length,
        rows: outputs.reduce((sum, { rows }) => sum + rows, 0),
        bytes: outputs.reduce((sum, each) => sum + each.bytes, 0),
      }),
    ),
    ...left.map(({ table, reason }): Planned => ({ table, outcome: 'left', reason })),
  ];
}

function render(snapshot: string, outcomes: readonly Planned[], findings: readonly Finding[], output: Output): string {
  const rows = outcomes.map(({ table, outcome, files, rows: amount, bytes: size, reason }) => [
    table,
    outcome,
    files === undefined ? '' : number(files),
    amount === undefined ? '' : number(amount),
    size === undefined ? '' : bytes(size),
    reason ?? '',
  ]);
  const heading = ['table', 'outcome', 'files', 'rows', 'size', 'why'];
  const parts = [`snapshot_dt=${snapshot}, ${count(outcomes.length, 'table')}`, columns(heading, rows, output.width)];
  if (findings.length > 0) {
    parts.push(`the split map and the source differ:\n${findings.map(({ message }) => `  ${message}`).join('\n')}`);
  }
  return parts.join('\n\n');
}

interface Bar extends SplitProgress {
  stop(): void;
}

/** A bar on a terminal, nothing otherwise. */
async function createBar({ output, terminal }: CommandContext): Promise<Bar | undefined> {
  if (!output.live) return undefined;
  const { SingleBar } = await import('cli-progress');
  const bar = new SingleBar({
    format: '{bar} {percentage}%  copied',
    stream: terminal.err,
    clearOnComplete: true,
    hideCursor: true,
  });
  return {
    total: (amount) => bar.start(Math.max(1, amount), 0),
    copied: (amount) => bar.increment(amount),
    stop: () => bar.stop(),
  };
}
