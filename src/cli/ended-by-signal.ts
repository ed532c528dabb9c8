/** Signals that end a command which does not listen to them. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is needed of a process. */
export interface Signalled {
  readonly pid: number;
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  kill(pid: number, signal: NodeJS.Signals): unknown;
}

/**
 * Has something done before a signal ends the process: a bar hides the terminal's cursor and has long lines cut, which would stay so. The process is
 * then ended by the same signal, as who sent it expects.
 * @param restore is called once at most
 * @returns stops listening
 */
export function beforeSignal(restore: () => void, process: Signalled): () => void {
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      stop();
      restore();
      process.kill(process.pid, signal);
    };
    return [signal, listener] as const;
  });
  const stop = () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return stop;
}
