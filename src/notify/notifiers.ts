import type { NotifyConfig } from '../config/model.ts';
import type { LakegateError } from '../errors.ts';
import type { DomainEvent, Notifier } from './notifier.ts';
import { createSlackNotifier } from './slack.ts';

/** One notifier out of several; each hears every event, whatever becomes of the others. */
export function combineNotifiers(notifiers: readonly Notifier[]): Notifier {
  return {
    async notify(events: readonly DomainEvent[]): Promise<void> {
      if (events.length === 0) return;
      await Promise.allSettled(notifiers.map(async (notifier) => notifier.notify(events)));
    },
  };
}

/**
 * The notifiers that lake.yaml asks for. Slack is left out, quietly, where there is no channel or the environment holds no token: a lake
 * works the same without it.
 * @param env where the token is, under the name in `notify.slack.tokenEnv`; SLACK_API_URL leads to another Slack (a test's, a proxy's)
 */
export function configuredNotifiers(
  notify: NotifyConfig,
  env: Readonly<Record<string, string | undefined>>,
  onFault: (fault: LakegateError) => void,
): Notifier[] {
  const { slack } = notify;
  const token = slack === undefined ? undefined : env[slack.tokenEnv]?.trim();
  if (slack === undefined || slack.channel === '' || !token) return [];
  const apiUrl = env.SLACK_API_URL;
  return [createSlackNotifier({ token, channel: slack.channel, onFault, ...(apiUrl && { apiUrl }) })];
}
