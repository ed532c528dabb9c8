/**
 * A process that runs a split's plan and kills itself in the middle of its nth write: `split-worker.ts PLAN N`. It ends by itself, with the outcomes on
 * its standard output, when there are fewer.
 */
import { createStores } from '../../src/storage/stores.ts';
import { readPlan } from '../../src/tables/plan-document.ts';
import { runSplit } from '../../src/tables/split.ts';

const [plan = '', last = ''] = process.argv.slice(2);
const store = createStores();
let writes = 0;

/** Begins a write; the last one is not waited for. */
function counted<T>(begin: () => Promise<T>): Promise<T> {
  const begun = begin();
  writes += 1;
  if (writes === Number(last)) process.kill(process.pid, 'SIGKILL');
  return begun;
}

const outcomes = await runSplit(
  {
    ...store,
    create: (url, bytes) => counted(() => store.create(url, bytes)),
    copy: (from, to, expected) => counted(() => store.copy(from, to, expected)),
    move: (from, to) => counted(() => store.move!(from, to)),
    delete: (urls) => counted(() => store.delete(urls)),
    writer: async (url) => {
      const writer = await counted(() => store.writer(url));
      return {
        ...writer,
        write: (bytes) => counted(() => writer.write(bytes)),
        finish: () => counted(() => writer.finish()),
      };
    },
  },
  await readPlan(store, plan),
);
process.stdout.write(JSON.stringify(outcomes.map(({ outcome }) => outcome)));
