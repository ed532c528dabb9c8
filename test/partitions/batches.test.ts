import { runBatches } from '../../src/partitions/batches.ts';
import type { ItemFault } from '../../src/partitions/ports.ts';

const items = Array.from({ length: 5 }, (_, i) => String(i));

const send = (faults: readonly ItemFault[]) =>
  runBatches(items, {
    size: 3,
    valuesOf: (item) => [item],
    call: async (batch) => (batch.includes('0') ? [...faults] : []),
    isDone: ({ code }) => code === 'AlreadyExistsException',
    isRetryable: () => false,
    pause: async () => undefined,
    outOfTime: () => false,
  });

test('each item is what the answer says of it', async () => {
  const no = { values: ['1'], code: 'InvalidInputException', message: 'no' };
  const there = { values: ['2'], code: 'AlreadyExistsException', message: 'there' };
  expect(await send([no, there])).toEqual({
    done: ['0', '3', '4'],
    already: ['2'],
    faults: [no],
    left: [],
    untold: [],
  });
});

test('a fault that names no item of its request counts none of them as done', async () => {
  const nameless = { values: [], code: 'InternalServiceException', message: 'oh' };
  const there = { values: ['2'], code: 'AlreadyExistsException', message: 'there' };
  expect(await send([nameless, there])).toEqual({
    done: ['3', '4'],
    already: ['2'],
    faults: [nameless],
    left: [],
    untold: ['0', '1'],
  });
});
