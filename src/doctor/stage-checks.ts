import type { BucketConfig, LakeConfig, SecretSource, StageConfig } from '../config/model.ts';
import type { PipelinesConfig } from '../config/pipelines-model.ts';
import { isKind } from '../errors.ts';
import { machinePart, markerRulePart } from '../pipelines/machine.ts';
import type { QueueFacts, StageProbe } from './stage-probe.ts';
import {
  judgeAlarms,
  judgeBucket,
  judgeBucketEvents,
  judgeCaller,
  judgeDeadLetters,
  judgeFunction,
  judgeQueue,
  judgeRule,
  judgeStack,
} from './stage-verdicts.ts';
import { type Check, failed, ok, type Verdict } from './verdict.ts';

/** What this machine would deploy. */
export interface Expected {
  /** The command that deploys the stage. */
  deploy: string;
  /** `configFingerprint` of the stage's configuration, as a deployment reads it. */
  config: string;
  version: string;
}

/** Seconds that messages to people may wait; those of the gate may wait twelve invocations, and an hour at least. */
const NEWS_TOO_OLD = 1800;
const DROPS_TOO_OLD = 3600;

const GIVEN_UP_DROPS = 'mend the cause (docs/runbook.md, "Drops were given up"), then `lakegate delivery redrive`';
const GIVEN_UP_NEWS =
  'mend the cause (docs/runbook.md, "Messages to people were given up"), then `lakegate delivery redrive --queue notify`';

/** Whose credentials the environment's are: without the right ones nothing else can be looked at. */
export function callerCheck(stage: StageConfig, probe: StageProbe): Check {
  return {
    name: 'AWS credentials',
    look: async () => {
      try {
        return judgeCaller(await probe.caller(), stage);
      } catch (error) {
        // Anybody may ask whose credentials theirs are: a refusal says that there are none, or that they are not valid.
        if (!isKind(error, 'config')) throw error;
        return failed(error.message, `log in to account ${stage.account}, or set AWS_PROFILE`);
      }
    },
  };
}

/** Everything to look at in a deployed stage, but for what its tables are. */
export function stageChecks(lake: LakeConfig & { stage: StageConfig }, probe: StageProbe, expected: Expected): Check[] {
  const { stage } = lake;
  const prefix = `${lake.name}-${stage.name}`;
  const named = (part: string) => `${prefix}-${part}`;
  const { deploy } = expected;

  /** A part that has to be there, and what is said of it when it is. */
  const part = <T>(
    name: string,
    look: () => Promise<T | undefined>,
    judge: (facts: T) => Verdict,
    missing: { is: string; todo?: string },
  ): Check => ({
    name,
    look: async () => {
      const facts = await look();
      return facts === undefined ? failed(`there is no ${missing.is}`, missing.todo ?? deploy) : judge(facts);
    },
  });
  const stack = (end: string): Check => {
    const name = named(end);
    return part(
      `stack ${end}`,
      () => probe.stack(name),
      (facts) => judgeStack(facts, deploy),
      { is: `stack ${name}` },
    );
  };
  const rule = (end: string, target: string, on?: string): Check => {
    const name = named(end);
    return part(
      `rule ${end}`,
      () => probe.rule(name, on),
      (facts) => judgeRule(facts, named(target), deploy),
      {
        is: `rule ${name}`,
      },
    );
  };
  const queue = (end: string, judge: (facts: QueueFacts) => Verdict): Check => {
    const name = named(end);
    return part(`queue ${end}`, () => probe.queue(name), judge, { is: `queue ${name}` });
  };
  const lambda = (end: string, sources: boolean): Check => {
    const name = named(end);
    return part(
      `function ${end}`,
      () => probe.function(name),
      (facts) => judgeFunction(facts, { ...expected, sources }, deploy),
      { is: `function ${name}` },
    );
  };
  const bucket = (purpose: string, { name, existing }: BucketConfig): Check =>
    part(
      `bucket ${purpose}`,
      () => probe.bucket(name),
      (facts) => judgeBucket(facts, existing, deploy),
      {
        is: `bucket ${name} in this account`,
        ...(existing && { todo: 'check its name under `buckets` of the stage in lake.yaml' }),
      },
    );
  /** @param switchOn what a person has to do, for a bucket that no deployment of ours touches */
  const events = (name: string, of: string, switchOn: string): Check =>
    part(
      name,
      () => probe.bucket(of),
      (facts) => judgeBucketEvents(facts, switchOn),
      { is: `bucket ${of} in this account` },
    );
  const { raw } = stage.buckets;
  const partitions = (buckets: readonly string[]): Check[] => [
    ...buckets.map((name) => events(`events of ${name}`, name, 'docs/partitions.md says how')),
    rule('partition-events', 'partition-events'),
    queue('partition-events', (facts) => judgeQueue(facts, NEWS_TOO_OLD)),
    queue('partition-events-dead', (facts) =>
      judgeDeadLetters(facts, 'docs/runbook.md, "Partition events were given up"'),
    ),
    lambda('partition-events', true),
    lambda('partition-mgmt', false),
    queue('partition-runs-dead', (facts) => judgeDeadLetters(facts, 'docs/runbook.md, "Partition runs did not begin"')),
  ];
  const pipelines = ({ sources, start, bucketed, partitioned }: PipelinesConfig): Check[] => {
    const used = new Set([bucketed, partitioned].flatMap((pipeline) => pipeline?.sources ?? []));
    const marked = start.onMarker ? sources.filter(({ name, marker }) => marker !== undefined && used.has(name)) : [];
    const buckets = new Set(marked.map(({ path }) => path.split('/')[2]!));
    buckets.delete(raw.name);
    const databases = new Set([bucketed, partitioned].flatMap((pipeline) => pipeline?.database ?? []));
    const starts = start.schedule !== undefined || marked.length > 0;
    return [
      lambda('tables', false),
      ...[...databases].map((name) =>
        part(
          `database ${name}`,
          async () => (await probe.hasDatabase(name)) || undefined,
          () => ok('is there'),
          {
            is: `Glue database ${name} in ${stage.region}: no pipeline begins`,
            todo: `aws glue create-database --region ${stage.region} --database-input Name=${name}`,
          },
        ),
      ),
      ...[...buckets].map((name) => events(`events of ${name}`, name, 'docs/pipelines.md says how')),
      ...marked.map(({ name }) => rule(markerRulePart(name), machinePart('run-all'))),
      ...(starts
        ? [queue('tables-dead', (facts) => judgeDeadLetters(facts, 'docs/runbook.md, "Pipelines did not begin"'))]
        : []),
    ];
  };

  return [
    ...['lake', 'alerts', ...(stage.nessie === undefined ? [] : ['nessie']), 'gate'].map(stack),
    ...(lake.partitions === undefined ? [] : [stack('partitions')]),
    ...(lake.pipelines === undefined ? [] : [stack('tables')]),
    ...Object.entries(stage.buckets).map(([purpose, own]) => bucket(purpose, own)),
    events('events of drops', raw.name, deploy),
    rule('drops', 'gate'),
    queue('gate', (facts) => judgeQueue(facts, Math.max(DROPS_TOO_OLD, 12 * stage.gate.timeout))),
    queue('gate-dead', (facts) => judgeDeadLetters(facts, GIVEN_UP_DROPS)),
    lambda('wap-audit', true),
    part(
      'event bus',
      async () => (await probe.hasBus(prefix)) || undefined,
      () => ok(prefix),
      { is: `bus ${prefix}` },
    ),
    rule('notify-events', 'notify', prefix),
    rule('notify-alarms', 'notify'),
    queue('notify', (facts) => judgeQueue(facts, NEWS_TOO_OLD)),
    queue('notify-dead', (facts) => judgeDeadLetters(facts, GIVEN_UP_NEWS)),
    lambda('notify', true),
    ...secretsOf(lake).map(
      (source): Check => ({
        name: `secret ${source.secret}`,
        look: async () => {
          const fault = await probe.secretFault(source);
          if (fault === undefined) return ok('can be read');
          return failed(fault, `create or correct the entry in Secrets Manager, in ${stage.region}`);
        },
      }),
    ),
    lambda('maintenance', false),
    queue('maintenance-dead', (facts) => judgeDeadLetters(facts, 'docs/runbook.md, "Maintenance did not run"')),
    ...(lake.partitions === undefined ? [] : partitions(lake.partitions.buckets)),
    ...(lake.pipelines === undefined ? [] : pipelines(lake.pipelines)),
    {
      name: 'alarms',
      look: async () => {
        const others = lake.stages.filter((other) => other.startsWith(`${stage.name}-`));
        const starts = others.map((other) => `${lake.name}-${other}-`);
        return judgeAlarms(await probe.alarms(`${prefix}-`), starts, deploy);
      },
    },
  ];
}

/** The entries of Secrets Manager that a stage needs, each once. */
function secretsOf({ notify, catalogs }: LakeConfig): { secret: string; key?: string }[] {
  const sources: (SecretSource | undefined)[] = [notify.slack?.tokenSecret, notify.teams?.webhook];
  for (const catalog of Object.values(catalogs)) {
    if (!('auth' in catalog)) continue;
    if (catalog.auth.kind === 'bearer') sources.push(catalog.auth.token);
    if (catalog.auth.kind === 'oauth2') sources.push(catalog.auth.credential);
  }
  const found = sources.filter((source) => source !== undefined && 'secret' in source);
  return [...new Map(found.map((source) => [`${source.secret}#${source.key ?? ''}`, source])).values()];
}
