import { randomUUID } from 'node:crypto';
import type { BasicType, ColumnSource } from 'hyparquet-writer';
import type { StageOutcome } from './await-gate.ts';
import { chooseTable } from './choose-table.ts';
import type { CommandContext } from './context.ts';
import { byDeployedGate, checkWait, dropInto } from './drop.ts';
import { friendlyWords, seededRandom } from './friendly-words.ts';
import { withLake } from './lake.ts';
import { exitOf, outcomeValue, renderOutcomes } from './outcomes.ts';
import type { ExitCode } from './output.ts';
import { createProgress } from './progress.ts';
import { count } from './words.ts';

interface LoadOptions {
  rows: number;
  /** commander's name for `--no-null`: false when it is given. */
  null: boolean;
  verbose?: boolean;
  table: string;
  /** commander's name for `--no-wait`: false when it is given. */
  wait: boolean;
  here?: boolean;
}

/** Always the same data for the same number of rows, as people are used to from the loader. */
const SEED = 10;

/** Rows shown by `--verbose`. */
const SHOWN = 5;

/** `lakegate load`: generates a file, drops it into the raw area, and takes it through the gate. */
export async function load(context: CommandContext, options: LoadOptions): Promise<ExitCode> {
  checkWait(context, options);
  const rows = generateRows(options.rows, options.null);
  if (options.verbose) {
    const { columns } = await import('./columns.ts');
    const shown = Array.from({ length: Math.min(SHOWN, options.rows) }, (_, row) =>
      rows.map(({ data }) => String(data[row] ?? 'null')),
    );
    context.output.say(
      columns(
        rows.map(({ name }) => name),
        shown,
      ),
    );
    context.output.say(
      `${count(options.rows, 'row')}${options.null ? ', the last one null in every column' : ', no nulls'}\n`,
    );
  }
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const file = new Uint8Array(parquetWriteBuffer({ columnData: rows }));
  const progress = createProgress(context, options.verbose ?? false);
  const outcomes = await withLake(
    context,
    async (lake): Promise<StageOutcome[]> => {
      const table = chooseTable(lake.config, '', options.table);
      const url = `${lake.config.raw}${table.prefix}${randomUUID()}.parquet`;
      await lake.ports.store.create(url, file);
      if (lake.config.stage === undefined || options.here) return dropInto(lake, [url], options.table);
      return byDeployedGate(lake, [{ url, isNew: true }], options, progress);
    },
    progress.onStep,
  ).finally(progress.end);
  context.output.result(outcomes.map(outcomeValue), () => renderOutcomes(outcomes, context.output));
  return exitOf(outcomes);
}

/**
 * The loader's columns: `my_col_0` int32, `my_col_1` three friendly words, `my_col_2` float64.
 * @param lastRowNull whether the last row is null in every column
 */
export function generateRows(
  rows: number,
  lastRowNull: boolean,
): (ColumnSource & { type: BasicType; data: unknown[] })[] {
  const random = seededRandom(SEED);
  const ints: (number | null)[] = [];
  const words: (string | null)[] = [];
  const doubles: (number | null)[] = [];
  for (let row = 0; row < rows; row += 1) {
    ints.push(Math.floor(random() * 1_000_000));
    words.push(friendlyWords(random));
    doubles.push(random());
  }
  if (lastRowNull) {
    ints[rows - 1] = null;
    words[rows - 1] = null;
    doubles[rows - 1] = null;
  }
  return [
    { name: 'my_col_0', data: ints, type: 'INT32', nullable: true },
    { name: 'my_col_1', data: words, type: 'STRING', nullable: true },
    { name: 'my_col_2', data: doubles, type: 'DOUBLE', nullable: true },
  ];
}
