import { DEPLOYED_CONFIG, DEPLOYED_VERSION } from '../config/fingerprint.ts';
import type { AlarmFacts, BucketFacts, FunctionFacts, QueueFacts, RuleFacts, StackFacts } from './stage-probe.ts';
import { failed, ok, type Verdict, warning } from './verdict.ts';

export function judgeCaller(
  { account, arn }: { account: string; arn: string },
  stage: { name: string; account: string },
): Verdict {
  if (account === stage.account) return ok(`account ${account}, ${arn}`);
  return failed(
    `they are of account ${account} (${arn}), stage ${stage.name} is in ${stage.account}`,
    `set AWS_PROFILE to a profile of account ${stage.account}`,
  );
}

/** Statuses by CloudFormation's API reference, "Stack status codes". */
export function judgeStack(facts: StackFacts, deploy: string): Verdict {
  const { status } = facts;
  const said = status.toLowerCase().replaceAll('_', ' ');
  if (/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return ok(said);
  if (/_IN_PROGRESS$/.test(status)) return warning(said, 'wait until the deployment has ended, then look again');
  if (/^(UPDATE|IMPORT)_ROLLBACK_COMPLETE$/.test(status)) {
    return warning(
      `${said}: the last deployment failed, the one before is in place`,
      `look at the stack's events in CloudFormation, then ${deploy}`,
    );
  }
  if (status === 'DELETE_COMPLETE') return failed('deleted', deploy);
  return failed(said, `look at the stack's events in CloudFormation, then ${deploy}`);
}

export function judgeBucketEvents(facts: BucketFacts, deploy: string): Verdict {
  if (facts.eventBridge) return ok('go to EventBridge');
  return failed(
    'do not go to EventBridge: no drop is heard of',
    `${deploy}, or switch them on: bucket, Properties, Amazon EventBridge`,
  );
}

/** @param existing whether the bucket is somebody else's, which lakegate only uses */
export function judgeBucket(facts: BucketFacts, existing: boolean, deploy: string): Verdict {
  if (!facts.private) {
    return warning('public access is not blocked', existing ? 'block it: bucket, Permissions' : deploy);
  }
  const kms = facts.encryption?.startsWith('aws:kms') ?? false;
  if (!kms && !existing) return warning('not encrypted with the key of the stage, as it was deployed', deploy);
  const versions = facts.versioned ? ', versioned' : '';
  return ok(`private, encrypted${kms ? ' (KMS)' : ''}${versions}`);
}

/** @param target last part of the ARN that events have to be handed to */
export function judgeRule(facts: RuleFacts, target: string, deploy: string): Verdict {
  if (!facts.enabled) return failed('disabled: events go nowhere', 'enable it: EventBridge, Rules');
  if (facts.targets.some((arn) => arn.endsWith(`:${target}`))) return ok(`enabled, to ${target}`);
  return failed(`does not lead to ${target}`, deploy);
}

/** @param tooOldSeconds from when on the oldest message should have been taken */
export function judgeQueue(facts: QueueFacts, tooOldSeconds: number): Verdict {
  const { waiting, inHand, oldestSeconds } = facts;
  const oldest = oldestSeconds === undefined || waiting + inHand === 0 ? '' : `, the oldest for ${oldestSeconds} s`;
  const said = waiting + inHand === 0 ? 'empty' : `${waiting} waiting, ${inHand} being worked on${oldest}`;
  if (waiting === 0 || (oldestSeconds ?? 0) < tooOldSeconds) return ok(said);
  return warning(said, 'docs/runbook.md, "Drops wait" and "Messages to people wait"');
}

/** A queue of messages that were given up. @param todo what brings them back */
export function judgeDeadLetters(facts: QueueFacts, todo: string): Verdict {
  const given = facts.waiting + facts.inHand;
  return given === 0 ? ok('empty') : failed(`${given} given up`, todo);
}

/** @param expected what a deployment from here would give it; `sources`: whether it takes events from a queue */
export function judgeFunction(
  facts: FunctionFacts,
  expected: { config: string; version: string; sources: boolean },
  deploy: string,
): Verdict {
  const { state, lastUpdate, environment, sources } = facts;
  if (state === 'Failed' || lastUpdate === 'Failed') return failed('its last deployment failed', deploy);
  if (expected.sources && !sources.some((source) => source === 'Enabled' || source === 'Enabling')) {
    return failed(
      sources.length === 0
        ? 'takes events from no queue'
        : `does not take events from its queue (${sources.join(', ')})`,
      sources.length === 0 ? deploy : 'enable its trigger: Lambda, Configuration, Triggers',
    );
  }
  const { [DEPLOYED_CONFIG]: config, [DEPLOYED_VERSION]: version } = environment;
  if (config !== expected.config) return warning('was deployed from another lake.yaml than this one', deploy);
  if (version !== expected.version) {
    return warning(`is of version ${version ?? 'unknown'}, this command is ${expected.version}`, deploy);
  }
  return ok(`version ${version}, from this lake.yaml`);
}

/** @param others starts of names that are another stage's */
export function judgeAlarms(alarms: readonly AlarmFacts[], others: readonly string[], deploy: string): Verdict {
  const own = alarms.filter(({ name }) => !others.some((start) => name.startsWith(start)));
  if (own.length === 0) return warning('there are none', deploy);
  const off = own.filter(({ state }) => state === 'ALARM');
  if (off.length === 0) return ok(`none of ${own.length} has gone off`);
  return failed(
    `${off.length} of ${own.length} have gone off: ${off.map(({ name }) => name).join(', ')}`,
    off.map(({ description }) => description).join(' '),
  );
}
