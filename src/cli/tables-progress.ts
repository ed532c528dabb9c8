import type { SplitProgress } from '../tables/split.ts';
import type { CommandContext } from './context.ts';
import { beforeSignal } from './ended-by-signal.ts';

interface Bar extends SplitProgress {
  stop(): void;
}

/** A bar of bytes on a terminal, nothing otherwise. */
export async function createBar(context: CommandContext): Promise<Bar | undefined> {
  const bar = await drawn(context, '{bar} {percentage}%  copied');
  return (
    bar && {
      total: (amount) => bar.start(Math.max(1, amount), 0),
      copied: (amount) => bar.increment(amount),
      stop: bar.end,
    }
  );
}

/** What the Spark job says before its tables, and of each of them. */
const TABLES = /^(\d+) tables of snapshot_dt=/;
const TABLE = /^\w+: (?:\d+ rows in \d+ files|failed: )/;

/** A bar of tables on a terminal that goes by the lines of the Spark job, nothing otherwise. */
export async function createTableBar(
  context: CommandContext,
): Promise<{ line(text: string): void; stop(): void } | undefined> {
  const bar = await drawn(context, '{bar} {value} of {total} tables  {doing}');
  bar?.start(1, 0, { doing: 'starting Spark' });
  return (
    bar && {
      line(text) {
        const total = TABLES.exec(text)?.[1];
        if (total !== undefined) {
          bar.setTotal(Number(total));
          bar.update(0, { doing: 'splitting' });
        } else if (TABLE.test(text)) bar.increment(1);
      },
      stop: bar.end,
    }
  );
}

async function drawn({ output, terminal }: CommandContext, format: string) {
  if (!output.live) return undefined;
  const { SingleBar } = await import('cli-progress');
  const bar = new SingleBar({ format, stream: terminal.err, clearOnComplete: true, hideCursor: true });
  const unheard = beforeSignal(() => bar.stop(), process);
  return Object.assign(bar, {
    end() {
      unheard();
      bar.stop();
    },
  });
}
