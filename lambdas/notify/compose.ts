import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import { LakegateError } from '../../src/errors.ts';
import { createNotes, type Notes } from '../../src/notify/notes.ts';
import { createSlackNotifier, type SlackPace } from '../../src/notify/slack.ts';
import { createTeams, type TeamsPace } from '../../src/notify/teams.ts';
import type { Place } from '../../src/notify/tell.ts';
import { createSecretReader } from '../../src/secrets/reader.ts';
import type { ReadSecret } from '../../src/secrets/secret.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import { bookkeeping } from '../bookkeeping.ts';
import { createObserver, type Observer } from '../observer.ts';
import { lakeName, readStageConfig, type StageLakeConfig } from '../stage-config.ts';

export interface Notify {
  config: StageLakeConfig;
  observer: Observer;
  notes: Notes;
  /** The places that lake.yaml names; secrets are read as they are now. One whose secret cannot be read refuses what it is to tell. */
  places(): Promise<Place[]>;
  now(): number;
  begin(context: Context): void;
}

/** Stand-ins for what the function meets on AWS. */
export interface NotifyOptions {
  env?: Readonly<Record<string, string | undefined>>;
  store?: ObjectStore;
  secret?: ReadSecret;
  now?: () => number;
  slackPace?: Partial<SlackPace>;
  teamsPace?: Partial<TeamsPace>;
}

/**
 * Builds what telling people needs. SLACK_API_URL leads to another Slack: a stand-in's, a proxy's.
 * @throws LakegateError `config`
 */
export async function openNotify({ env = process.env, ...given }: NotifyOptions = {}): Promise<Notify> {
  const config = readStageConfig(env, import.meta.dirname);
  const now = given.now ?? Date.now;
  const secret = given.secret ?? createSecretReader({ env, clock: now });
  const { observer, begin } = createObserver(lakeName(config));
  // Kept from one invocation to the next: their pace is a channel's, not an invocation's.
  const slack = keptBySecret((token: string) => slackPlace(config, token, env.SLACK_API_URL, given.slackPace));
  const teams = keptBySecret((webhook: string) => ({
    name: 'teams',
    send: createTeams({ webhook, sleep: (ms) => sleep(ms), ...(given.teamsPace && { pace: given.teamsPace }) }).send,
  }));
  return {
    config,
    observer,
    begin,
    now,
    notes: createNotes(given.store ?? createStores(), `${bookkeeping(config)}notify/`),
    async places() {
      const { slack: slackConfig, teams: teamsConfig } = config.notify;
      const token = slackConfig && (slackConfig.tokenSecret ?? { env: slackConfig.tokenEnv });
      const places: Promise<Place>[] = [];
      if (token && slackConfig.channel !== '') places.push(secret(token).then(slack, (fault) => mute('slack', fault)));
      if (teamsConfig) places.push(secret(teamsConfig.webhook).then(teams, (fault) => mute('teams', fault)));
      return Promise.all(places);
    },
  };
}

function mute(name: string, fault: unknown): Place {
  const error =
    fault instanceof LakegateError
      ? fault
      : new LakegateError('unavailable', `no secret for ${name}`, { cause: fault });
  return { name, send: async () => error };
}

function slackPlace(
  config: StageLakeConfig,
  token: string,
  apiUrl: string | undefined,
  pace: Partial<SlackPace> | undefined,
): Place {
  let faults: LakegateError[] = [];
  const notifier = createSlackNotifier({
    token: token.trim(),
    channel: config.notify.slack?.channel ?? '',
    onFault: (fault) => faults.push(fault),
    ...(apiUrl && { apiUrl }),
    ...(pace && { pace }),
  });
  return {
    name: 'slack',
    async send(news, footer) {
      faults = [];
      await notifier.notify(news, footer);
      return faults[0];
    },
  };
}

/** Makes a place anew only when its secret has changed. */
function keptBySecret(make: (secret: string) => Place): (secret: string) => Place {
  let kept: { secret: string; place: Place } | undefined;
  return (secret) => {
    if (kept?.secret !== secret) kept = { secret, place: make(secret) };
    return kept.place;
  };
}
