import { type ErrorKind, LakegateError } from '../errors.ts';

/** Why a message did not reach Slack, without anything the token could hide in: no foreign messages, no headers, no bodies. */
export type SlackFailure =
  | { kind: 'answer'; error: string }
  | { kind: 'http'; status: number }
  | { kind: 'rate_limited'; retryAfterMs: number }
  | { kind: 'timeout'; timeoutMs: number }
  | { kind: 'network'; code?: string }
  | { kind: 'token' }
  | { kind: 'client' };

const NEW_TOKEN =
  'Put a valid bot token (xoxb-…) where `notify.slack` says that it is (token_env; on AWS an entry of Secrets Manager)';

/** What to do about Slack's own errors of chat.postMessage. */
const ADVICE: Readonly<Record<string, [ErrorKind, string]>> = {
  not_in_channel: ['config', 'Invite the bot: type `/invite @NAME-OF-THE-BOT` in the channel'],
  channel_not_found: ['config', 'Check the channel in lake.yaml; into a private one the bot must be invited first'],
  is_archived: ['config', 'The channel is archived: name another one in lake.yaml'],
  restricted_action: ['config', 'The workspace does not let the bot post there: ask its administrators'],
  missing_scope: ['config', 'Give the Slack app the scope chat:write and install it again'],
  invalid_auth: ['config', NEW_TOKEN],
  not_authed: ['config', NEW_TOKEN],
  token_revoked: ['config', NEW_TOKEN],
  token_expired: ['config', NEW_TOKEN],
  account_inactive: ['config', NEW_TOKEN],
  not_allowed_token_type: ['config', NEW_TOKEN],
  invalid_blocks: ['internal', 'This is a fault of lakegate: please report it'],
  msg_blocks_too_long: ['internal', 'This is a fault of lakegate: please report it'],
  msg_too_long: ['internal', 'This is a fault of lakegate: please report it'],
};

const LATER = 'The delivery itself is not affected; `lakegate delivery list` shows it';

/**
 * The failure as the one error type, with what to do.
 * @param about what the message was about, already fit to be shown
 */
export function slackFault(failure: SlackFailure, about: string, channel: string): LakegateError {
  const [kind, why, advice] = explain(failure);
  return new LakegateError(kind, `Slack was not told about "${about}" in ${channel}: ${why}. ${advice}`, {
    context: { channel, about, failure: failure.kind },
  });
}

function explain(failure: SlackFailure): [ErrorKind, string, string] {
  switch (failure.kind) {
    case 'answer': {
      // Something between here and Slack may answer with any text; only what looks like one of Slack's errors is repeated.
      if (!/^[a-z_]{1,60}$/.test(failure.error)) {
        return ['unavailable', "the answer is not Slack's", 'Is there a proxy or a sign-in page in between?'];
      }
      const [kind, advice] = ADVICE[failure.error] ?? ['unavailable', LATER];
      return [kind, `Slack answered ${failure.error}`, advice];
    }
    case 'http':
      return ['unavailable', `Slack answered HTTP ${failure.status}`, LATER];
    case 'rate_limited':
      return [
        'unavailable',
        `Slack asks to wait ${Math.ceil(failure.retryAfterMs / 1000)} s, too long to wait here`,
        LATER,
      ];
    case 'timeout':
      return ['unavailable', `no answer within ${failure.timeoutMs / 1000} s`, LATER];
    case 'network':
      return ['unavailable', `Slack cannot be reached${failure.code === undefined ? '' : ` (${failure.code})`}`, LATER];
    case 'client':
      return ['internal', 'the Slack client failed unexpectedly', 'This is a fault of lakegate: please report it'];
    case 'token':
      return ['config', 'the token holds characters that no token has', NEW_TOKEN];
  }
}
