import type { ClaimedDelivery } from '../../src/gate/claim.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { type Ending, eventOf, recordEnding, sentence, summary } from '../../src/gate/settle.ts';
import type { RuleResult } from '../../src/rules/rule.ts';

const passed: RuleResult = {
  rule: 'not_null',
  column: 'id',
  outcome: 'passed',
  count: 0,
  expected: 'no nulls',
  found: '0 nulls',
};
const failed: RuleResult = {
  rule: 'not_null',
  column: 'note',
  outcome: 'failed',
  count: 3,
  rows: [1],
  expected: 'no nulls',
  found: '3 nulls',
};
const unsure: RuleResult = { rule: 'sql', outcome: 'inconclusive', expected: 'no row', found: 'no SQL engine here' };

const RECORD: DeliveryRecord = {
  version: 1,
  id: 'ab'.repeat(10),
  table: 'shop.orders',
  catalog: 'local',
  drop: { url: 'file:///raw/orders/a.parquet', version: 'v1', size: 3 },
  state: 'received',
  history: [{ state: 'received', at: '2026-11-21T00:00:00.000Z' }],
  attempts: 1,
};

/** The change that an ending makes, and the history it notes. */
function ended(ending: Ending) {
  const noted: [string, string | undefined][] = [];
  const delivery = { note: (state: string, detail?: string) => noted.push([state, detail]) };
  return { change: recordEnding(delivery as unknown as ClaimedDelivery, ending), noted };
}

test('a verdict in one line says what was off, or that nothing was', () => {
  expect(summary({ outcome: 'passed', rows: 1, results: [passed, passed] })).toBe('all checks passed');
  expect(summary({ outcome: 'failed', rows: 1, results: [passed, failed, unsure] })).toBe(
    'not_null on note: 3 nulls, expected no nulls; sql: could not be checked: no SQL engine here, expected no row',
  );
  expect(sentence(failed)).toBe('not_null on note: 3 nulls, expected no nulls');
});

test('what is published has no branch and nobody to be told at all costs', () => {
  const verdict = { outcome: 'passed', rows: 7, results: [passed] } as const;
  const { change, noted } = ended({ kind: 'published', snapshotId: 5n, verdict: { ...verdict, results: [passed] } });
  expect(change).toEqual({
    state: 'published',
    rows: 7,
    results: [passed],
    branch: undefined,
    publishedSnapshotId: '5',
  });
  expect(noted.map(([state]) => state)).toEqual(['passed', 'published']);
});

test.each(['rejected', 'errored'] as const)('what is %s is told, with its branch when it was kept', (kind) => {
  const { change, noted } = ended({ kind, reason: 'why', branch: 'wap-x', stagedSnapshotId: 9n });
  expect(change).toEqual({
    state: kind,
    reason: 'why',
    branch: 'wap-x',
    stagedSnapshotId: '9',
    notification: 'pending',
  });
  expect(noted).toEqual([[kind, 'kept on branch wap-x']]);
  expect(ended({ kind, reason: 'why' }).noted).toEqual([[kind, 'not kept']]);
});

describe('the event', () => {
  test('of a stopped delivery has the rules that failed, or else the reason', () => {
    const record: DeliveryRecord = {
      ...RECORD,
      state: 'rejected',
      rows: 8,
      branch: 'wap-x',
      reason: 'why',
      results: [passed, failed],
    };
    expect(eventOf(record, { owner: 'a@b', channel: '#c' })).toEqual({
      event: 'delivery.rejected',
      id: RECORD.id,
      table: 'shop.orders',
      file: RECORD.drop.url,
      at: '2026-11-21T00:00:00.000Z',
      owner: 'a@b',
      channel: '#c',
      rows: 8,
      branch: 'wap-x',
      results: [failed],
    });
    expect(eventOf({ ...RECORD, state: 'errored', reason: 'no Parquet' }, undefined)).toMatchObject({
      event: 'delivery.errored',
      reason: 'no Parquet',
      results: [],
    });
  });

  test('of a published one has its snapshot and what the table gained', () => {
    const record: DeliveryRecord = {
      ...RECORD,
      state: 'published',
      rows: 8,
      publishedSnapshotId: '5',
      addedColumns: ['x: int'],
    };
    expect(eventOf(record, undefined)).toMatchObject({
      event: 'delivery.published',
      rows: 8,
      snapshotId: '5',
      addedColumns: ['x: int'],
    });
  });

  test('there is none of one that has not ended, or that a person ended', () => {
    for (const state of ['received', 'staged', 'discarded', 'rolled_back'] as const)
      expect(eventOf({ ...RECORD, state }, undefined)).toBeUndefined();
  });
});
