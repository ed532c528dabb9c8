import type { MessageQueue, QueueMessage } from '../../src/aws/queue.ts';
import { moveBack } from '../../src/cli/redrive.ts';
import { LakegateError } from '../../src/errors.ts';

const AT = Date.UTC(2026, 0, 2);

/** A queue in memory; `inHand` are those that were received. */
function queueOf(name: string, bodies: readonly string[]) {
  const visible: QueueMessage[] = bodies.map((body, index) => message(body, `${index}`));
  const inHand = new Map<string, QueueMessage>();
  let sent = 0;
  const queue: MessageQueue = {
    name,
    waiting: async () => visible.length,
    async receive() {
      const taken = visible.splice(0, 10);
      for (const each of taken) inHand.set(each.receipt, each);
      return taken;
    },
    async send(body) {
      visible.push(message(body, `sent ${sent++}`));
    },
    async delete({ receipt }) {
      inHand.delete(receipt);
    },
    async release(each) {
      inHand.delete(each.receipt);
      visible.push(each);
    },
  };
  return { queue, visible: () => visible.map(({ body }) => body).sort(), inHand };
}

function message(body: string, id: string): QueueMessage {
  return { id, body, sentMs: AT, receipt: id };
}

const read = (body: string) => {
  if (body.startsWith('bad')) throw new LakegateError('invalid', 'no event');
  return { drops: [], about: body };
};

const MANY = Array.from({ length: 25 }, (_, index) => `event ${String(index).padStart(2, '0')}`);

test('every event goes back once, and what is no event stays', async () => {
  const dead = queueOf('dead', [...MANY, 'bad one']);
  const live = queueOf('live', []);
  const done = await moveBack(dead.queue, live.queue, read);
  expect(live.visible()).toEqual(MANY);
  expect(dead.visible()).toEqual(['bad one']);
  expect(dead.inHand.size).toBe(0);
  expect(done).toMatchObject({ moved: 25, remaining: 1 });
  expect(done.messages[0]).toEqual({
    id: '0',
    at: '2026-01-02T00:00:00.000Z',
    drops: [],
    about: 'event 00',
    left: false,
  });
  expect(done.messages.at(-1)).toMatchObject({ about: 'no event: bad one', left: true });
});

test('only looking leaves all where it is', async () => {
  const dead = queueOf('dead', [...MANY, 'bad one']);
  expect(await moveBack(dead.queue, undefined, read)).toMatchObject({ moved: 0, remaining: 26 });
  expect(dead.visible()).toEqual(['bad one', ...MANY]);
});

test('one that fails again at once does not go round for ever', async () => {
  const dead = queueOf('dead', ['event']);
  const failing: MessageQueue = { ...queueOf('live', []).queue, send: dead.queue.send };
  expect(await moveBack(dead.queue, failing, read)).toMatchObject({ moved: 1 });
  expect(dead.visible()).toEqual(['event']);
});

test('an event is only deleted where the other queue has it; how far it came is said', async () => {
  const dead = queueOf('dead', MANY);
  const live = queueOf('live', []);
  let sends = 0;
  const refusing: MessageQueue = {
    ...live.queue,
    async send(body) {
      if (++sends > 12) throw new LakegateError('unavailable', 'SQS did not answer');
      await live.queue.send(body);
    },
  };
  await expect(moveBack(dead.queue, refusing, read)).rejects.toThrow(
    '12 messages of dead went back, then: SQS did not answer. The others are still there; call it again',
  );
  const kept = [...dead.visible(), ...[...dead.inHand.values()].map(({ body }) => body)];
  expect([...live.visible(), ...kept].sort()).toEqual(MANY);
});

test('nothing given up is nothing to do', async () => {
  const dead = queueOf('dead', []);
  expect(await moveBack(dead.queue, dead.queue, read)).toEqual({ messages: [], moved: 0, remaining: 0 });
});
