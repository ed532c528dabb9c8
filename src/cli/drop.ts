import type { LakeConfig, TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { deliver } from '../gate/deliver.ts';
import { placeDrop } from '../gate/place.ts';
import type { DeliveryOutcome } from '../gate/ports.ts';
import { chooseTable } from './choose-table.ts';
import type { CommandContext } from './context.ts';
import { fileUrl } from './file-url.ts';
import { withLake } from './lake.ts';
import { exitOf, outcomeValue, renderOutcomes } from './outcomes.ts';
import type { ExitCode } from './output.ts';
import { createProgress } from './progress.ts';

interface DropOptions {
  table?: string;
  verbose?: boolean;
}

/** `lakegate drop FILE…`: puts the files where a team would drop them, and takes them through the gate. */
export async function drop(context: CommandContext, files: string[], options: DropOptions): Promise<ExitCode> {
  const urls = files.map((file) => fileUrl(context.terminal.cwd, file));
  const progress = createProgress(context, options.verbose ?? false);
  const outcomes = await withLake(
    context,
    (lake) => dropInto(lake, urls, options.table, progress.total),
    progress.onStep,
  ).finally(progress.end);
  context.output.result(outcomes.map(outcomeValue), () => renderOutcomes(outcomes, context.output));
  return exitOf(outcomes);
}

/**
 * Places files and delivers them, those of one table together.
 * @returns an outcome per file, in order
 */
export async function dropInto(
  lake: { config: LakeConfig; ports: Parameters<typeof deliver>[0] },
  files: readonly string[],
  tableName: string | undefined,
  onPlaced: (count: number) => void = () => undefined,
): Promise<DeliveryOutcome[]> {
  const { config, ports } = lake;
  for (const file of files) {
    if (!(await ports.store.head(file))) {
      throw new LakegateError('usage', `there is no file ${file.replace(/^file:\/\//, '')}`, { context: { file } });
    }
  }
  // All are known to have a table before the first is put anywhere.
  const chosen = files.map((file) => ({ file, table: chooseTable(config, file, tableName) }));
  const byTable = new Map<string, { table: TableConfig; urls: string[] }>();
  const placed: string[] = [];
  for (const { file, table } of chosen) {
    const url = await placeDrop(ports.store, file, `${config.raw}${table.prefix}`);
    const group = byTable.get(table.name) ?? { table, urls: [] };
    group.urls.push(url);
    byTable.set(table.name, group);
    placed.push(url);
  }
  onPlaced(placed.length);
  const outcomes = new Map<string, DeliveryOutcome>();
  for (const { table, urls } of byTable.values()) {
    for (const outcome of await deliver(ports, config, urls, { table })) outcomes.set(outcome.drop, outcome);
  }
  return placed.map((url) => outcomes.get(url)!);
}
