import type { Lake } from '../compose.ts';
import type { TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { deliver } from '../gate/deliver.ts';
import { type PlacedDrop, placeDrop } from '../gate/place.ts';
import type { DeliveryOutcome } from '../gate/ports.ts';
import { isHidden } from '../gate/route.ts';
import { awaitGate, identify, type StageOutcome } from './await-gate.ts';
import { chooseTable } from './choose-table.ts';
import type { CommandContext } from './context.ts';
import { fileUrl } from './file-url.ts';
import { withLake } from './lake.ts';
import { exitOf, outcomeValue, renderOutcomes } from './outcomes.ts';
import type { ExitCode } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { fileName } from './words.ts';

interface DropOptions {
  table?: string;
  verbose?: boolean;
  /** commander's name for `--no-wait`: false when it is given. */
  wait: boolean;
  here?: boolean;
}

/** How the drops of a call are delivered. */
export type Delivering = Pick<DropOptions, 'table' | 'wait' | 'here'>;

/** `lakegate drop FILE…`: puts the files where a team would drop them, and has them taken through the gate. */
export async function drop(context: CommandContext, files: string[], options: DropOptions): Promise<ExitCode> {
  checkWait(context, options);
  const urls = files.map((file) => fileUrl(context.terminal.cwd, file));
  const progress = createProgress(context, options.verbose ?? false);
  const outcomes = await withLake(context, (lake) => dropFiles(lake, urls, options, progress), progress.onStep).finally(
    progress.end,
  );
  context.output.result(outcomes.map(outcomeValue), () => renderOutcomes(outcomes, context.output));
  return exitOf(outcomes);
}

/** @throws LakegateError `usage` where nobody else would deliver what this call does not wait for, or would not do it as it says */
export function checkWait({ options }: CommandContext, { wait, here }: Pick<Delivering, 'wait' | 'here'>): void {
  if (options.stage !== undefined && options.catalog !== undefined && !here) {
    throw new LakegateError(
      'usage',
      `the gate of stage ${options.stage} puts tables into the catalogues that lake.yaml says: --catalog needs --here`,
    );
  }
  if (wait) return;
  if (here) throw new LakegateError('usage', '--here delivers in this process: --no-wait has no meaning beside it');
  if (options.stage !== undefined) return;
  throw new LakegateError('usage', '--no-wait leaves the work to a deployed gate: say which by --stage NAME');
}

/** Places files and has them delivered: on a stage by its deployed gate, unless the call says `--here`; otherwise by this process. */
async function dropFiles(
  lake: Pick<Lake, 'config' | 'ports'>,
  files: readonly string[],
  options: Delivering,
  progress: Progress,
): Promise<StageOutcome[]> {
  if (lake.config.stage === undefined || options.here) return dropInto(lake, files, options.table, progress.total);
  const placed = await place(lake, files, options.table);
  progress.total(placed.length);
  return byDeployedGate(
    lake,
    placed.map(({ drop }) => drop),
    options,
    progress,
  );
}

/** Has objects of a stage's raw bucket delivered by its gate, and waits for that unless the call says `--no-wait`. */
export async function byDeployedGate(
  lake: Pick<Lake, 'config' | 'ports'>,
  placed: readonly PlacedDrop[],
  { wait }: Pick<Delivering, 'wait'>,
  progress: Progress,
): Promise<StageOutcome[]> {
  if (!wait) return identify(lake, placed);
  progress.waitFor(`the gate of stage ${lake.config.stage!.name}`);
  return awaitGate(lake, placed, {
    onStep: progress.onStep,
    clock: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

/**
 * Places files and delivers them in this process, those of one table together.
 * @returns an outcome per file, in order
 */
export async function dropInto(
  lake: Pick<Lake, 'config' | 'ports'>,
  files: readonly string[],
  tableName: string | undefined,
  onPlaced: (count: number) => void = () => undefined,
): Promise<DeliveryOutcome[]> {
  const { config, ports } = lake;
  const placed = await place(lake, files, tableName);
  onPlaced(placed.length);
  const outcomes = new Map<string, DeliveryOutcome>();
  for (const group of Map.groupBy(placed, ({ table }) => table.name).values()) {
    const urls = group.map(({ drop }) => drop.url);
    for (const outcome of await deliver(ports, config, urls, { table: group[0]!.table }))
      outcomes.set(outcome.drop, outcome);
  }
  return placed.map(({ drop }) => outcomes.get(drop.url)!);
}

/** @throws LakegateError `usage` before anything is put anywhere: for a file that is not there, or is for no table */
async function place(
  { config, ports }: Pick<Lake, 'config' | 'ports'>,
  files: readonly string[],
  tableName: string | undefined,
): Promise<{ drop: PlacedDrop; table: TableConfig }[]> {
  for (const file of files) {
    if (!(await ports.store.head(file))) {
      throw new LakegateError('usage', `there is no file ${file.replace(/^file:\/\//, '')}`, { context: { file } });
    }
  }
  const chosen = files.map((file) => ({ file, table: chooseTable(config, file, tableName) }));
  if (config.stage !== undefined) for (const { file } of chosen) checkName(file);
  const placed: { drop: PlacedDrop; table: TableConfig }[] = [];
  for (const { file, table } of chosen) {
    placed.push({ drop: await placeDrop(ports.store, file, `${config.raw}${table.prefix}`), table });
  }
  return placed;
}

/** A deployed gate goes by the object's name alone, and would never take it. */
function checkName(file: string): void {
  const name = fileName(file);
  if (!isHidden(name)) return;
  throw new LakegateError(
    'usage',
    `${name}: names that start with . or _ are not data to the gate; give the file another name`,
    {
      context: { file },
    },
  );
}
