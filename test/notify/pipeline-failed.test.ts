/** Runs of table pipelines that failed, from the bus to what people read. */
import { busEntry } from '../../src/notify/bus-entry.ts';
import { newsOf } from '../../src/notify/bus-news.ts';
import { renderConsole } from '../../src/notify/console.ts';
import { notices } from '../../src/notify/notice.ts';
import type { PipelineFailed } from '../../src/notify/notifier.ts';
import { slackMessages } from '../../src/notify/slack-blocks.ts';
import { teamsMessages } from '../../src/notify/teams-card.ts';
import { messageOf, troubleOf } from '../../src/notify/trouble.ts';

const failed: PipelineFailed = {
  event: 'pipeline.failed',
  pipeline: 'partitioned',
  execution: 'arn:aws:states:eu-west-1:111111111111:execution:acme-dev-tables-partitioned:7f',
  count: 1,
  failures: [{ job: 'register', source: 'infobase', table: 'IBE_01', reason: 'it has 104 columns, 100 are allowed' }],
  at: '2026-11-21T06:00:00.000Z',
};

const many = (count: number): PipelineFailed => ({
  ...failed,
  count,
  failures: Array.from({ length: count }, (_, n) => ({
    job: 'split',
    source: 'infobase',
    table: `T_${n}`,
    reason: `<!channel> ${'x'.repeat(3_000)}`,
  })),
});

const onTheBus = (event: object) => {
  const { Source, Detail } = busEntry(event as PipelineFailed, 'lake-dev');
  return JSON.stringify({ source: Source, detail: JSON.parse(Detail) });
};

test('the message names job, table and reason, the execution, and what to type next', () => {
  expect(notices([newsOf(onTheBus(failed))!.news])).toEqual([
    {
      kind: 'note',
      headline: 'Pipeline partitioned: register infobase/IBE_01 failed',
      items: ['register infobase/IBE_01: it has 104 columns, 100 are allowed'],
      text: [
        'What failed is not registered anew: readers have what they had. Everything else is done.',
        `Executions: ${failed.execution}. \`lakegate tables run partitioned --stage NAME\` runs it again.`,
      ],
    },
  ]);
});

test.each([
  ['a function', { errorType: 'LakegateError', errorMessage: 'no snapshot', trace: [] }, 'no snapshot'],
  ['a job run', { JobRunState: 'FAILED', ErrorMessage: 'SplitError: 1 of 27 tables' }, 'SplitError: 1 of 27 tables'],
  [
    'a query',
    { QueryExecution: { Status: { State: 'FAILED', StateChangeReason: 'TABLE_NOT_FOUND' } } },
    'TABLE_NOT_FOUND',
  ],
  ['a job run that took too long', { Id: 'jr_7', JobRunState: 'TIMEOUT' }, "Glue's job run jr_7 ended as TIMEOUT"],
  ['nothing known', { Anything: 1 }, '{"Anything":1}'],
])('what Step Functions caught of %s is told in its own words', (_what, cause, reason) => {
  const caught = JSON.stringify({ Error: 'States.TaskFailed', Cause: JSON.stringify(cause) });
  const whole = { ...failed, failures: [{ job: 'validate', reason: caught }] };
  expect(notices([newsOf(onTheBus(whole))!.news])).toMatchObject([
    {
      headline: 'Pipeline partitioned: validate failed',
      items: [`validate: ${reason}`],
      text: ['Nothing was begun: readers have what they had.', expect.anything()],
    },
  ]);
});

test('bad data is not run again, but written again', () => {
  const audit = {
    ...failed,
    failures: [{ job: 'audit', source: 'infobase', reason: 'unique of id: found 3 repeats' }],
  };
  expect(notices([audit])).toMatchObject([
    { text: [expect.any(String), expect.stringContaining('have the snapshot written again'), expect.any(String)] },
  ]);
});

test('what could not be checked has not failed, and is run again', () => {
  const failures = [
    { job: 'audit', source: 'infobase', reason: 'it could not be checked: S3 does not answer', inconclusive: true },
  ];
  expect(notices([newsOf(onTheBus({ ...failed, failures }))!.news])).toMatchObject([
    {
      headline: 'Pipeline partitioned: infobase could not be checked',
      text: [expect.any(String), expect.stringContaining('nothing is known against it'), expect.any(String)],
    },
  ]);
});

test.each([
  ['{"Error":"States.Timeout"}', 'it took longer than it may'],
  ['{"Error":"States.Timeout","Cause":""}', 'it took longer than it may'],
  ['{"Error":"Lambda.Unknown"}', 'Lambda.Unknown'],
  ['[1]', '[1]'],
])('what was caught without a cause says what it is: %s', (reason, told) => {
  expect(notices([{ ...failed, failures: [{ job: 'split', source: 'infobase', reason }] }])).toMatchObject([
    { items: [`split infobase: ${told}`] },
  ]);
});

test('of many faults of an input each is a line, and what does not fit is counted', () => {
  const faults = Array.from({ length: 150 }, (_, n) => `\n  infobase: line ${n}: the source has no column c${n}`).join(
    '',
  );
  const reason = JSON.stringify({
    Error: 'LakegateError',
    Cause: JSON.stringify({ errorMessage: `the pipeline partitioned was not begun:${faults}`, trace: [] }),
  });
  const event = { ...failed, failures: [{ job: 'validate', reason }] };
  const [notice] = notices([newsOf(onTheBus(event))!.news]);
  expect(notice).toMatchObject({
    items: expect.arrayContaining([
      'validate: the pipeline partitioned was not begun:',
      'infobase: line 149: the source has no column c149',
    ]),
  });
  expect(JSON.stringify(slackMessages([event]))).toMatch(/infobase: line 3: .*and \d+ more/);
});

test('a long list is cut where a bus, Slack or Teams takes no more, and the rest is counted', () => {
  const body = onTheBus(many(200));
  expect(Buffer.byteLength(body)).toBeLessThan(240_000);
  const { news } = newsOf(body)!;
  const [notice] = notices([news]);
  expect(notice).toMatchObject({ headline: 'Pipeline partitioned: 200 tables failed' });
  expect(JSON.stringify(notice)).toMatch(/\d+ more are not named here/);
  const [slack] = slackMessages([many(200)]);
  expect(JSON.stringify(slack)).toContain('more');
  expect(JSON.stringify(slack).length).toBeLessThan(13_000);
  expect(JSON.stringify(slack)).not.toContain('<!channel>');
  expect(Buffer.byteLength(JSON.stringify(teamsMessages([many(200)])[0]))).toBeLessThan(28_000);
  expect(renderConsole([failed], { color: false })).toContain('register infobase/IBE_01: it has 104 columns');
});

test('the same trouble of the next month is the same trouble, another table is another', () => {
  const reason = (text: string) => ({ ...failed, failures: [{ ...failed.failures[0]!, reason: text }] });
  const next = { ...reason('expected 1000 rows, found 12'), execution: 'another' };
  expect(troubleOf(next)).toBe(troubleOf(reason('expected 2000 rows, found 13')));
  expect(troubleOf(failed)).not.toBe(troubleOf({ ...failed, failures: [{ ...failed.failures[0]!, table: 'IBE_02' }] }));
  expect(messageOf(failed)).toBe(messageOf(next));
  expect(messageOf(failed)).not.toBe(messageOf({ ...failed, pipeline: 'bucketed' }));
});

test.each([
  ['no pipeline', { ...failed, pipeline: undefined }],
  ['no execution', { ...failed, execution: undefined }],
  ['a count that is none', { ...failed, count: '2' }],
  ['failures without a reason', { ...failed, failures: [{ job: 'split' }] }],
  ['a mark that is none', { ...failed, failures: [{ job: 'audit', reason: 'x', inconclusive: 'yes' }] }],
  ['a table that is none', { ...failed, failures: [{ job: 'split', reason: 'x', table: 3 }] }],
])('an event with %s is refused', (_what, event) => {
  expect(() => newsOf(JSON.stringify({ source: 'lakegate', detail: event }))).toThrow(/expected/);
});
