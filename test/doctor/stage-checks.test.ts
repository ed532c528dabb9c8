import { DEPLOYED_CONFIG, DEPLOYED_VERSION } from '../../src/config/fingerprint.ts';
import { loadStages } from '../../src/config/load.ts';
import { notTried, runChecks } from '../../src/doctor/run-checks.ts';
import { callerCheck, stageChecks } from '../../src/doctor/stage-checks.ts';
import type { FunctionFacts, StageProbe } from '../../src/doctor/stage-probe.ts';
import type { Finding } from '../../src/doctor/verdict.ts';
import { LakegateError } from '../../src/errors.ts';

const LAKE_YAML = `
name: acme
tables:
  sales.orders: { from: orders/ }
notify:
  slack: { channel: "#lake", token_secret: "acme/slack#token" }
stages:
  dev: { account: "111111111111", region: eu-west-1 }
  dev-two: { account: "111111111111", region: eu-west-1, nessie: lightsail }
  own:
    account: "111111111111"
    region: eu-west-1
    buckets: { raw: { name: somebody-elses-bucket, existing: true } }
`;

const [DEV, NESSIE, OWN] = loadStages(LAKE_YAML, '/lake/lake.yaml') as [Lake, Lake, Lake];
type Lake = ReturnType<typeof loadStages>[number];

const EXPECTED = { deploy: 'npx cdk deploy', config: 'c0ffee', version: '1.2.3' };

const FUNCTION: FunctionFacts = {
  state: 'Active',
  lastUpdate: 'Successful',
  environment: { [DEPLOYED_CONFIG]: 'c0ffee', [DEPLOYED_VERSION]: '1.2.3' },
  sources: ['Enabled'],
};
const BUCKET = { eventBridge: true, encryption: 'aws:kms', private: true, versioned: true };
const ALARM = { name: 'acme-dev-gate-age', state: 'OK', description: 'Old. Runbook: docs/runbook.md#drops-wait' };

/** A stage in which all is well, but for what is given. */
function stageWith(different: Partial<StageProbe> = {}): StageProbe {
  return {
    caller: async () => ({ account: '111111111111', arn: 'arn:aws:iam::111111111111:user/ann' }),
    stack: async () => ({ status: 'UPDATE_COMPLETE', outputs: {} }),
    bucket: async () => BUCKET,
    rule: async (name) => ({
      enabled: true,
      targets: [`arn:aws:sqs:eu-west-1:111111111111:acme-dev-${name.endsWith('drops') ? 'gate' : 'notify'}`],
    }),
    hasBus: async () => true,
    hasDatabase: async () => true,
    queue: async () => ({ waiting: 0, inHand: 0 }),
    function: async () => FUNCTION,
    secretFault: async () => undefined,
    alarms: async () => [ALARM],
    ...different,
  };
}

async function findingsOf(different: Partial<StageProbe> = {}, lake = DEV): Promise<Finding[]> {
  return runChecks(stageChecks(lake, stageWith(different), EXPECTED));
}

/** What is not well. */
async function troubles(different: Partial<StageProbe>, lake = DEV): Promise<Record<string, string>> {
  const findings = (await findingsOf(different, lake)).filter(({ status }) => status !== 'ok');
  return Object.fromEntries(findings.map(({ name, status, found }) => [name, `${status}: ${found}`]));
}

test('of a stage in which all is well, everything is ok, and everything is looked at', async () => {
  const findings = await findingsOf();
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(findings.map(({ name }) => name)).toEqual([
    'stack lake',
    'stack alerts',
    'stack gate',
    'bucket raw',
    'bucket lake',
    'bucket results',
    'events of drops',
    'rule drops',
    'queue gate',
    'queue gate-dead',
    'function wap-audit',
    'event bus',
    'rule notify-events',
    'rule notify-alarms',
    'queue notify',
    'queue notify-dead',
    'function notify',
    'secret acme/slack',
    'function maintenance',
    'queue maintenance-dead',
    'alarms',
  ]);
});

test('of a stage that was never deployed, everything is missing by its name, and the deployment is what to do', async () => {
  const nothing = async () => undefined;
  const findings = await findingsOf({
    stack: nothing,
    bucket: nothing,
    rule: nothing,
    hasBus: async () => false,
    queue: nothing,
    function: nothing,
    alarms: async () => [],
  });
  const missing = findings.filter(({ status }) => status === 'failed');
  expect(missing).toHaveLength(19);
  expect(missing.every((finding) => 'todo' in finding && finding.todo === 'npx cdk deploy')).toBe(true);
  expect(missing.map(({ found }) => found)).toEqual(
    expect.arrayContaining([
      'there is no stack acme-dev-gate',
      'there is no bucket acme-dev-raw-111111111111-eu-west-1 in this account',
      'there is no queue acme-dev-gate-dead',
      'there is no function acme-dev-wap-audit',
      'there is no bus acme-dev',
    ]),
  );
});

test('what cannot be looked at is neither ok nor failed, and holds nothing else up', async () => {
  const denied = async () => {
    throw new LakegateError('config', 'cannot look at the alarms: these credentials may not (AccessDenied)');
  };
  expect(await troubles({ alarms: denied, secretFault: denied })).toEqual({
    alarms: 'unchecked: cannot look at the alarms: these credentials may not (AccessDenied)',
    'secret acme/slack': 'unchecked: cannot look at the alarms: these credentials may not (AccessDenied)',
  });
});

test.each<[string, Partial<StageProbe>, Record<string, string>]>([
  [
    'the bucket tells nobody of drops',
    { bucket: async () => ({ ...BUCKET, eventBridge: false }) },
    { 'events of drops': 'failed: do not go to EventBridge: no drop is heard of' },
  ],
  [
    'a bucket is open',
    { bucket: async (name) => ({ ...BUCKET, private: !name.includes('-lake-') }) },
    { 'bucket lake': 'warning: public access is not blocked' },
  ],
  [
    'a bucket has another key',
    { bucket: async (name) => ({ ...BUCKET, encryption: name.includes('-raw-') ? 'AES256' : 'aws:kms' }) },
    { 'bucket raw': 'warning: not encrypted with the key of the stage, as it was deployed' },
  ],
  [
    'a rule is switched off',
    { rule: async (name) => ({ enabled: !name.endsWith('drops'), targets: ['x:acme-dev-notify'] }) },
    { 'rule drops': 'failed: disabled: events go nowhere' },
  ],
  [
    'a rule leads elsewhere',
    { rule: async () => ({ enabled: true, targets: ['x:acme-dev-notify'] }) },
    { 'rule drops': 'failed: does not lead to acme-dev-gate' },
  ],
  [
    'drops wait too long',
    { queue: async (name) => (name.endsWith('-gate') ? { waiting: 7, inHand: 2, oldestSeconds: 4000 } : EMPTY) },
    { 'queue gate': 'warning: 7 waiting, 2 being worked on, the oldest for 4000 s' },
  ],
  [
    'drops were given up',
    { queue: async (name) => (name.endsWith('-gate-dead') ? { waiting: 3, inHand: 0 } : EMPTY) },
    { 'queue gate-dead': 'failed: 3 given up' },
  ],
  [
    'a deployment of functions failed',
    { function: async (name) => ({ ...FUNCTION, lastUpdate: name.endsWith('notify') ? 'Failed' : 'Successful' }) },
    { 'function notify': 'failed: its last deployment failed' },
  ],
  [
    'a queue is not taken from',
    { function: async (name) => ({ ...FUNCTION, sources: name.endsWith('wap-audit') ? ['Disabled'] : ['Enabled'] }) },
    { 'function wap-audit': 'failed: does not take events from its queue (Disabled)' },
  ],
  [
    'functions were deployed from another lake.yaml',
    { function: async () => ({ ...FUNCTION, environment: { [DEPLOYED_CONFIG]: 'other' } }) },
    Object.fromEntries(
      ['wap-audit', 'notify', 'maintenance'].map((name) => [
        `function ${name}`,
        'warning: was deployed from another lake.yaml than this one',
      ]),
    ),
  ],
  [
    'a secret is missing',
    { secretFault: async () => 'there is no such entry' },
    { 'secret acme/slack': 'failed: there is no such entry' },
  ],
  [
    'an alarm has gone off',
    { alarms: async () => [ALARM, { ...ALARM, name: 'acme-dev-gate-dead-letters', state: 'ALARM' }] },
    { alarms: 'failed: 1 of 2 have gone off: acme-dev-gate-dead-letters' },
  ],
])('%s: that is said, and nothing else', async (_case, different, expected) => {
  expect(await troubles(different)).toEqual(expected);
});

const EMPTY = { waiting: 0, inHand: 0 };

test.each([
  ['ROLLBACK_COMPLETE', 'failed'],
  ['UPDATE_ROLLBACK_FAILED', 'failed'],
  ['DELETE_FAILED', 'failed'],
  ['UPDATE_ROLLBACK_COMPLETE', 'warning'],
  ['UPDATE_IN_PROGRESS', 'warning'],
  ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'warning'],
  ['CREATE_COMPLETE', 'ok'],
  ['IMPORT_COMPLETE', 'ok'],
])('a stack that is %s is %s', async (status, expected) => {
  const findings = await findingsOf({ stack: async () => ({ status, outputs: {} }) });
  expect(findings.slice(0, 3).map((finding) => finding.status)).toEqual([expected, expected, expected]);
});

test('messages that have just come are no trouble', async () => {
  const queue = async (name: string) =>
    name.endsWith('-dead') ? EMPTY : { waiting: 500, inHand: 10, oldestSeconds: 9 };
  expect(await troubles({ queue })).toEqual({});
});

test('a bucket that was there already is judged by less, and missed by its name in lake.yaml', async () => {
  const targets = ['x:acme-own-gate', 'x:acme-own-notify'];
  const rule = async () => ({ enabled: true, targets });
  expect(await troubles({ rule, bucket: async () => ({ ...BUCKET, encryption: 'AES256' }) }, OWN)).not.toHaveProperty(
    'bucket raw',
  );
  const findings = await findingsOf({ rule, bucket: async () => undefined }, OWN);
  expect(findings.find(({ name }) => name === 'bucket raw')).toMatchObject({
    status: 'failed',
    todo: 'check its name under `buckets` of the stage in lake.yaml',
  });
});

test('alarms of a stage whose name begins as this one are not its own', async () => {
  const alarms = async () => [ALARM, { ...ALARM, name: 'acme-dev-two-gate-age', state: 'ALARM' }];
  expect(await troubles({ alarms })).toEqual({});
});

test("a stage's own Nessie is a stack of its own", async () => {
  expect((await findingsOf({}, NESSIE)).map(({ name }) => name)).toContain('stack nessie');
});

describe('credentials', () => {
  const look = async (caller: StageProbe['caller']) =>
    (await runChecks([callerCheck(DEV.stage, stageWith({ caller }))]))[0];

  test('of the account are ok, of another are not', async () => {
    expect(await look(stageWith().caller)).toMatchObject({ status: 'ok' });
    const other = await look(async () => ({ account: '222222222222', arn: 'arn:aws:iam::222222222222:user/bob' }));
    expect(other).toMatchObject({ status: 'failed', todo: 'set AWS_PROFILE to a profile of account 111111111111' });
  });

  test('that are missing are a fault; an AWS that does not answer says nothing of them', async () => {
    const refuse = (kind: 'config' | 'unavailable') => async () => {
      throw new LakegateError(kind, 'so');
    };
    expect(await look(refuse('config'))).toMatchObject({ status: 'failed', found: 'so' });
    expect(await look(refuse('unavailable'))).toMatchObject({ status: 'unchecked', found: 'so' });
  });

  test('without them, nothing is looked at', () => {
    const looked = jest.fn();
    expect(notTried([{ name: 'a', look: looked }], 'because')).toEqual([
      { name: 'a', status: 'unchecked', found: 'because' },
    ]);
    expect(looked).not.toHaveBeenCalled();
  });
});

describe('the pipelines', () => {
  const [lake] = loadStages(
    `
name: acme
pipelines:
  sources:
    wide_one: { path: "s3://acme-landing/wide/", marker: _SUCCESS }
    other: { path: other/, marker: _SUCCESS }
  partitioned: { database: consumer }
  start: { on_marker: true }
stages: { dev: { account: "111111111111", region: eu-west-1 } }
`,
    '/lake/lake.yaml',
  ) as [Lake];
  const rule = async (name: string) => ({
    enabled: true,
    targets: [
      name.includes('-tables-')
        ? 'arn:aws:states:eu-west-1:111111111111:stateMachine:acme-dev-tables-run-all'
        : `arn:aws:sqs:eu-west-1:111111111111:acme-dev-${name.endsWith('drops') ? 'gate' : 'notify'}`,
    ],
  });

  test('are looked at where lake.yaml has them', async () => {
    const findings = await findingsOf({ rule }, lake);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'stack tables',
        'function tables',
        'database consumer',
        'events of acme-landing',
        'rule tables-on-wide-one',
        'rule tables-on-other',
        'queue tables-dead',
      ]),
    );
  });

  test('need the database that no stack makes', async () => {
    expect(await troubles({ rule, hasDatabase: async () => false }, lake)).toEqual({
      'database consumer': 'failed: there is no Glue database consumer in eu-west-1: no pipeline begins',
    });
  });

  test('need the events of the buckets whose markers start them', async () => {
    const bucket = async (name: string) => ({ ...BUCKET, eventBridge: name !== 'acme-landing' });
    expect(await troubles({ rule, bucket }, lake)).toEqual({
      'events of acme-landing': expect.stringContaining('failed: do not go to EventBridge'),
    });
  });
});

describe('partition management', () => {
  const [lake] = loadStages(
    `
name: acme
partitions: { buckets: [acme-landing] }
stages: { dev: { account: "111111111111", region: eu-west-1 } }
`,
    '/lake/lake.yaml',
  ) as [Lake];
  const rule = async (name: string) => ({
    enabled: true,
    targets: [
      `arn:aws:sqs:eu-west-1:111111111111:acme-dev-${name.endsWith('drops') ? 'gate' : name.endsWith('partition-events') ? 'partition-events' : 'notify'}`,
    ],
  });

  test('is looked at where lake.yaml has it', async () => {
    const findings = await findingsOf({ rule }, lake);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'stack partitions',
        'events of acme-landing',
        'rule partition-events',
        'queue partition-events',
        'queue partition-events-dead',
        'function partition-events',
        'function partition-mgmt',
        'queue partition-runs-dead',
      ]),
    );
  });

  test('needs the events of the buckets that it names', async () => {
    const bucket = async (name: string) => ({ ...BUCKET, eventBridge: name !== 'acme-landing' });
    expect(await troubles({ rule, bucket }, lake)).toEqual({
      'events of acme-landing': expect.stringContaining('failed: do not go to EventBridge'),
    });
  });
});
