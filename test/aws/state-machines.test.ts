/** What events of an execution's history mean, as Step Functions writes them. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { stepOf } from '../../src/aws/state-machines.ts';

const CHILD = 'arn:aws:states:eu-west-1:111111111111:execution:acme-dev-tables-bucketed:7f';
const TASK = { resourceType: 'states', resource: 'startExecution.sync:2' };
const told = JSON.stringify({ ExecutionArn: CHILD, Status: 'FAILED', Cause: '2 failed' });
const event = (details: Partial<HistoryEvent>): HistoryEvent => ({
  timestamp: undefined,
  type: undefined,
  id: 1,
  ...details,
});

test.each<[string, Partial<HistoryEvent>]>([
  ['when it was submitted', { taskSubmittedEventDetails: { ...TASK, output: told } }],
  ['when it has succeeded', { taskSucceededEventDetails: { ...TASK, output: told } }],
  ['when it has failed', { taskFailedEventDetails: { ...TASK, error: 'States.TaskFailed', cause: told } }],
])('an execution that was started is named %s', (_when, details) => {
  expect(stepOf(event(details))).toEqual([{ kind: 'started', execution: CHILD }]);
});

test('one that could not be started, or is not named, says why', () => {
  const why = { error: 'StepFunctions.AccessDeniedException', cause: 'it may not' };
  for (const details of [
    { taskFailedEventDetails: { ...TASK, ...why } },
    { taskStartFailedEventDetails: { ...TASK, ...why } },
    { taskSubmitFailedEventDetails: { ...TASK, ...why } },
  ]) {
    expect(stepOf(event(details))).toEqual([{ kind: 'unstarted', ...why }]);
  }
  const cut = { taskSubmittedEventDetails: { ...TASK, output: told.slice(0, 20) } };
  expect(stepOf(event(cut))).toEqual([]);
});

test('other tasks are no executions', () => {
  const glue = { resourceType: 'glue', resource: 'startJobRun.sync' };
  expect(stepOf(event({ taskSubmittedEventDetails: { ...glue, output: '{}' } }))).toEqual([]);
  expect(stepOf(event({ taskFailedEventDetails: { ...glue, cause: told } }))).toEqual([]);
});
