/** What is known of the terminal that a result goes to. */
import { PassThrough } from 'node:stream';
import { createOutput } from '../../src/cli/output.ts';

function widthOf(facts: { isTTY?: boolean; columns?: number }, json = false): number | undefined {
  const out = Object.assign(new PassThrough(), facts);
  return createOutput({ out, err: new PassThrough(), cwd: '/', env: {} }, { json }).width;
}

test('lines are cut to a terminal that says its width, and to nothing else', () => {
  expect(widthOf({ isTTY: true, columns: 120 })).toBe(120);
  expect(widthOf({ isTTY: true, columns: 120 }, true)).toBeUndefined();
  expect(widthOf({ columns: 120 })).toBeUndefined();
  // What a terminal says that was not told its size.
  expect(widthOf({ isTTY: true, columns: 0 })).toBeUndefined();
});
