/** A command that is ended while a bar is drawn gives the terminal back as it was. */
import { EventEmitter } from 'node:events';
import { beforeSignal, type Signalled } from '../../src/cli/ended-by-signal.ts';

function setUp() {
  const done: string[] = [];
  const emitter = new EventEmitter();
  const process: Signalled = Object.assign(emitter, {
    pid: 7,
    kill: (pid: number, signal: NodeJS.Signals) => void done.push(`${signal} to ${pid}`),
  });
  const stop = beforeSignal(() => void done.push('restored'), process);
  return { done, emitter, stop };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
  '%s: first the terminal, then the same signal, which nobody catches any more',
  (signal) => {
    const { done, emitter } = setUp();
    emitter.emit(signal);
    expect(done).toEqual(['restored', `${signal} to 7`]);
    expect(emitter.eventNames()).toEqual([]);
  },
);

test('once the bar is gone nothing listens', () => {
  const { done, emitter, stop } = setUp();
  stop();
  expect(emitter.eventNames()).toEqual([]);
  expect(done).toEqual([]);
});
