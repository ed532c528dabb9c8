import type { PipelineJob } from '../../src/pipelines/model.ts';
import { call, caught, type PipelineParts, type State, type States } from './pipeline-states.ts';
import { RETRY_ATHENA, RETRY_GLUE } from './step-retries.ts';

/** Athena ends a statement after half an hour; it may have to wait for its turn before. */
const STATEMENT_SECONDS = 2 * 3600;

/** The error as text, of which the function finds what people want to know. */
const ERROR = 'States.JsonToString($.failure)';

/** One source of a run, from the audit of its snapshot to its last table. Its state is `{ item }`. */
export function oneSource(parts: PipelineParts): { StartAt: string; States: States } {
  const { worker, concurrency, er } = parts;
  const item = { 'item.$': '$.item' };
  return {
    StartAt: 'Skip',
    States: {
      Skip: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.item.skip', BooleanEquals: true, Next: 'SourceDone' },
          { Variable: '$.item.shares[0]', IsPresent: true, Next: 'Shares' },
        ],
        Default: 'Engine',
      },
      Shares: {
        ...map('$.item.shares', concurrency, 'share', {
          Audit: call(worker, { mode: 'audit', ...item, 'share.$': '$.share' }, { next: 'ShareDone' }),
          ShareDone: done,
        }),
        Catch: caught('NoteAudit'),
        Next: 'Judge',
      },
      Judge: call(
        worker,
        { mode: 'judge', ...item },
        { keeps: { as: 'passed', path: '$.verdict' }, failed: 'NoteAudit', next: 'Passed' },
      ),
      Passed: {
        Type: 'Choice',
        Choices: [{ Variable: '$.verdict.passed', BooleanEquals: true, Next: 'Engine' }],
        Default: 'SourceDone',
      },
      NoteAudit: note(worker, 'audit', 'SourceDone'),
      ...split(parts),
      NoteSplit: note(worker, 'split', 'SourceDone'),
      Tables: {
        ...map('$.collected.tables', concurrency, 'table', oneTable(parts)),
        Catch: caught('NoteTables'),
        Next: er ? 'Er' : 'SourceDone',
      },
      NoteTables: note(worker, 'register', 'SourceDone'),
      ...(er ? erTable(parts) : {}),
      SourceDone: done,
    },
  };
}

/** What makes the tables' files: pieces by the function, or the Glue job. Tables that are whole go on though others failed. */
function split({ worker, concurrency, glueJob }: PipelineParts): States {
  const item = { 'item.$': '$.item' };
  const collect = (error: State): State =>
    call(
      worker,
      { mode: 'collect', ...item, ...error },
      { keeps: { as: 'tables', path: '$.collected' }, failed: 'NoteSplit', next: 'Tables' },
    );
  return {
    Engine: {
      Type: 'Choice',
      Choices: [{ Variable: '$.item.engine', StringEquals: 'copy', Next: 'Plan' }],
      Default: glueJob === undefined ? 'NoEngine' : 'Split',
    },
    Plan: call(
      worker,
      { mode: 'plan', ...item },
      { keeps: { as: 'pieces', path: '$.plan' }, failed: 'NoteSplit', next: 'Copies' },
    ),
    Copies: {
      ...map('$.plan.pieces', concurrency, 'piece', {
        Copy: call(worker, { mode: 'copy', ...item, 'piece.$': '$.piece' }, { failed: 'NoteCopy', next: 'PieceDone' }),
        // The piece's tables are not whole, and fail when they are collected; those of other pieces are.
        NoteCopy: note(worker, 'split', 'PieceDone'),
        PieceDone: done,
      }),
      Catch: caught('NoteSplit'),
      Next: 'Collect',
    },
    ...(glueJob === undefined
      ? {
          NoEngine: {
            Type: 'Pass',
            Result: { Error: 'NoGlueJob', Cause: 'this stage was deployed without the Glue job: deploy it again' },
            ResultPath: '$.failure',
            Next: 'NoteSplit',
          },
        }
      : {
          Split: {
            Type: 'Task',
            Resource: 'arn:aws:states:::glue:startJobRun.sync',
            Parameters: { JobName: glueJob, 'Arguments.$': '$.item.arguments' },
            ResultPath: null,
            Retry: [RETRY_GLUE],
            Catch: caught('CollectSome'),
            Next: 'Collect',
          },
          // The job fails at its end when one of its tables did.
          CollectSome: collect({ 'error.$': ERROR }),
        }),
    Collect: collect({ error: null }),
  };
}

/** One table: audited and registered, and what is left to Athena. Its state is `{ item, table }`. */
function oneTable({ worker, workgroup, pipeline }: PipelineParts): States {
  const table = { 'item.$': '$.item', 'table.$': '$.table' };
  const settling: PipelineJob = pipeline === 'bucketed' ? 'bucket' : 'prepare';
  const settle = (error: State): State =>
    call(worker, { mode: 'settle', ...table, ...error }, { failed: 'NoteSettle', next: 'TableDone' });
  return {
    Register: call(
      worker,
      { mode: 'register', ...table },
      {
        keeps: { as: 'next', path: '$.registered' },
        failed: 'NoteTable',
        next: workgroup ? 'AnyStatement' : 'TableDone',
      },
    ),
    NoteTable: note(worker, 'register', 'TableDone', '$.table'),
    ...(workgroup !== undefined && {
      AnyStatement: hasStatement('$.registered.next', 'Statement', 'TableDone'),
      Statement: statement(workgroup, '$.registered.next', 'SettleFailed', 'Settle'),
      Settle: settle({ error: null }),
      SettleFailed: settle({ 'error.$': ERROR }),
      NoteSettle: note(worker, settling, 'TableDone', '$.table'),
    }),
    TableDone: done,
  };
}

/** Entity Resolution's table, when all of the source's tables had their turn. */
function erTable({ worker, workgroup }: PipelineParts): States {
  const item = { 'item.$': '$.item' };
  const settle = (error: State): State =>
    call(worker, { mode: 'settle-er', ...item, ...error }, { failed: 'NoteEr', next: 'SourceDone' });
  return {
    Er: call(
      worker,
      { mode: 'er', ...item },
      { keeps: { as: 'next', path: '$.er' }, failed: 'NoteEr', next: 'AnyErStatement' },
    ),
    AnyErStatement: hasStatement('$.er.next', 'ErStatement', 'SourceDone'),
    ErStatement: statement(workgroup!, '$.er.next', 'SettleErFailed', 'SettleEr'),
    SettleEr: settle({ error: null }),
    SettleErFailed: settle({ 'error.$': ERROR }),
    NoteEr: note(worker, 'er', 'SourceDone'),
  };
}

function hasStatement(at: string, yes: string, no: string): State {
  return { Type: 'Choice', Choices: [{ Variable: `${at}.kind`, StringEquals: 'athena', Next: yes }], Default: no };
}

function statement(workgroup: string, at: string, failed: string, next: string): State {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::athena:startQueryExecution.sync',
    Parameters: {
      'QueryString.$': `${at}.statement`,
      QueryExecutionContext: { 'Database.$': `${at}.database` },
      WorkGroup: workgroup,
    },
    TimeoutSeconds: STATEMENT_SECONDS,
    ResultPath: null,
    Retry: [RETRY_ATHENA],
    Catch: caught(failed),
    Next: next,
  };
}

/** Has the function write down what failed. Where even that fails the run is told to be broken: it must not end as if all were well. */
function note(worker: string, job: PipelineJob, next: string, table?: string): State {
  return call(
    worker,
    {
      mode: 'failed',
      'item.$': '$.item',
      job,
      ...(table === undefined ? { table: null } : { 'table.$': table }),
      'error.$': ERROR,
    },
    { next },
  );
}

/** A Map whose items are the source's `item` and one value of a list. */
function map(list: string, concurrency: number, as: string, States: States): State {
  return {
    Type: 'Map',
    ItemsPath: list,
    MaxConcurrency: concurrency,
    ItemSelector: { 'item.$': '$.item', [`${as}.$`]: '$$.Map.Item.Value' },
    ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: Object.keys(States)[0], States },
    ResultPath: null,
  };
}

/** What many items end with is small, so that their list fits into a state. */
const done: State = { Type: 'Pass', Result: {}, End: true };
