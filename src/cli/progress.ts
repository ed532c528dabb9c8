import type { Step, StepName } from '../gate/ports.ts';
import type { CommandContext } from './context.ts';
import { beforeSignal } from './ended-by-signal.ts';

/** The nine steps of a delivery, and what is under way once each is done. */
const STEPS: readonly (readonly [done: StepName, next: string])[] = [
  ['claimed', 'looking at the files'],
  ['inspected', 'finding the table'],
  ['table-ready', 'making data files'],
  ['files-ready', 'staging'],
  ['staged', 'auditing'],
  ['audited', 'settling'],
  ['settled', 'telling people'],
  ['notified', 'recording'],
  ['recorded', 'done'],
];

export interface Progress {
  /** How many deliveries there are. */
  total(deliveries: number): void;
  onStep(step: Step): void;
  /** Nothing is done here meanwhile: whom one waits for. */
  waitFor(whom: string): void;
  end(): void;
}

/** A bar on a terminal, a line per step with `--verbose`, nothing otherwise. */
export function createProgress({ output, terminal }: CommandContext, verbose: boolean): Progress {
  const started = performance.now();
  if (verbose && !output.json) {
    const at = () => `${(performance.now() - started).toFixed(0).padStart(6)} ms`;
    return {
      total: () => undefined,
      onStep: ({ step, ids }) => {
        terminal.err.write(
          `${at()}  ${step.padEnd(12)} ${ids.length > 3 ? `${ids.length} deliveries` : ids.join(' ')}\n`,
        );
      },
      waitFor: (whom) => void terminal.err.write(`${at()}  waiting for ${whom}\n`),
      end: () => undefined,
    };
  }
  if (!output.live) {
    return { total: () => undefined, onStep: () => undefined, waitFor: () => undefined, end: () => undefined };
  }
  return liveBar(terminal.err);
}

/** Drawn only once the work has taken a moment: most deliveries are done before a bar would be read. */
const PATIENCE_MS = 400;

function liveBar(stream: NodeJS.WritableStream): Progress {
  let deliveries = 1;
  let at = 0;
  let label = 'putting the files in place';
  let bar: { update(value: number, payload: object): void; setTotal(total: number): void; stop(): void } | undefined;
  let ended = false;
  let unheard: (() => void) | undefined;
  const timer = setTimeout(async () => {
    const { SingleBar } = await import('cli-progress');
    if (ended) return;
    const made = new SingleBar({
      format: '{bar} {percentage}%  {label}',
      stream,
      clearOnComplete: true,
      hideCursor: true,
    });
    unheard = beforeSignal(() => made.stop(), process);
    made.start(deliveries * STEPS.length, at, { label });
    bar = made;
  }, PATIENCE_MS);
  return {
    total(amount) {
      deliveries = amount;
      bar?.setTotal(amount * STEPS.length);
    },
    onStep({ step, ids }) {
      // Steps come per batch or per delivery; the bar stands where the furthest of them does.
      const index = STEPS.findIndex(([done]) => done === step);
      at = Math.max(at, (index + 1) * ids.length);
      label = STEPS[index]?.[1] ?? step;
      bar?.update(at, { label });
    },
    waitFor(whom) {
      label = `waiting for ${whom}`;
      bar?.update(at, { label });
    },
    end() {
      ended = true;
      clearTimeout(timer);
      unheard?.();
      bar?.stop();
    },
  };
}
