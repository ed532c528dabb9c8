import { createSecretReader } from '../../src/secrets/reader.ts';
import { secretPlace } from '../../src/secrets/secret.ts';

/** Secrets by name: from where they are, as seldom as need be, and never in an error. */

function reader(entries: Record<string, string | Error>, env: Record<string, string> = {}) {
  const clock = { now: 0 };
  const asked: string[] = [];
  const read = createSecretReader({
    env,
    clock: () => clock.now,
    readEntry: async (name) => {
      asked.push(name);
      const entry = entries[name] ?? named('ResourceNotFoundException');
      if (entry instanceof Error) throw entry;
      return entry;
    },
  });
  return { read, clock, asked, entries };
}

function named(name: string): Error {
  return Object.assign(new Error('word'), { name });
}

test('variables, whole entries, and fields of entries', async () => {
  const { read } = reader({ plain: 'one', json: '{"a":"two","n":3}' }, { TOKEN: 'four' });
  expect(await read({ env: 'TOKEN' })).toBe('four');
  expect(await read({ secret: 'plain' })).toBe('one');
  expect(await read({ secret: 'json', key: 'a' })).toBe('two');
  expect(await read({ secret: 'json', key: 'n' })).toBe('3');
});

test('an entry is asked for once by many, again when it may have been rotated, and at once when it failed', async () => {
  const { read, clock, asked, entries } = reader({ a: 'one', b: named('InternalServiceError') });
  const source = { secret: 'a' };
  expect(await Promise.all([read(source), read(source), read({ secret: 'a' })])).toEqual(['one', 'one', 'one']);
  expect(asked).toEqual(['a']);
  entries.a = 'two';
  clock.now += 299_999;
  expect(await read(source)).toBe('one');
  clock.now += 1;
  expect(await read(source)).toBe('two');
  await expect(read({ secret: 'b' })).rejects.toMatchObject({ kind: 'unavailable', retryable: true });
  entries.b = 'there';
  expect(await read({ secret: 'b' })).toBe('there');
});

test.each([
  [{ env: 'NOTHING' }, 'config', 'the environment variable NOTHING'],
  [{ env: 'EMPTY' }, 'config', 'the environment variable EMPTY'],
  [{ secret: 'none' }, 'config', 'the Secrets Manager entry none'],
  [{ secret: 'denied' }, 'config', 'the Secrets Manager entry denied'],
  [{ secret: 'word', key: 'a' }, 'config', 'the Secrets Manager entry word, field a'],
  [{ secret: 'json', key: 'toString' }, 'config', 'the Secrets Manager entry json, field toString'],
  [{ secret: 'json', key: 'null' }, 'config', 'the Secrets Manager entry json, field null'],
  [{ secret: 'list', key: 'x' }, 'config', 'the Secrets Manager entry list, field x'],
  [{ secret: 'down' }, 'unavailable', 'the Secrets Manager entry down'],
])('%j that is not to be had is named, and nothing that was found is shown', async (source, kind, place) => {
  const { read } = reader(
    {
      word: 'password',
      json: '{"null":null,"word":"password"}',
      list: '"password"',
      denied: named('AccessDeniedException'),
      down: named('TimeoutError'),
    },
    { EMPTY: '' },
  );
  const error = await read(source).catch((thrown: Error) => thrown);
  expect(secretPlace(source)).toBe(place);
  expect(error).toMatchObject({ kind });
  expect(String(error).toLowerCase()).toContain(place.toLowerCase());
  expect(String(error)).not.toContain('password');
});
