import { type Fault, shown } from './fault.ts';
import { resolveFolder } from './location.ts';

/** What environment variables say about a lake on a laptop. */
export interface Overrides {
  /** SOURCE_BUCKET, a bucket's name or a folder, as an absolute URL ending in `/`. */
  raw?: string;
  /** LAKE_BUCKET, likewise. */
  warehouse?: string;
  /** SLACK_CHANNEL */
  channel?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variable that holds the bot's token where lake.yaml names none. */
export const TOKEN_VARIABLE = 'SLACK_TOKEN';

/**
 * Reads SOURCE_BUCKET, LAKE_BUCKET and SLACK_CHANNEL; empty ones count as unset.
 * @param folder absolute path that relative paths start from: that of lake.yaml
 */
export function readOverrides(env: Environment, folder: string): { overrides: Overrides; faults: Fault[] } {
  const overrides: Overrides = {};
  const faults: Fault[] = [];
  for (const [variable, key] of [
    ['SOURCE_BUCKET', 'raw'],
    ['LAKE_BUCKET', 'warehouse'],
  ] as const) {
    const value = env[variable];
    if (value === undefined || value === '') continue;
    // On AWS these hold bare bucket names; taken for folders, they would quietly start an empty lake.
    const resolved = resolveFolder(value.includes('/') ? value : `s3://${value}`, folder);
    if ('url' in resolved) overrides[key] = resolved.url;
    else faults.push({ path: variable, message: `${resolved.fault}, found ${shown(value)}. Or unset the variable` });
  }
  const channel = env.SLACK_CHANNEL;
  if (channel !== undefined && channel !== '') overrides.channel = channel;
  return { overrides, faults };
}

/**
 * The variable to take the Slack token from: the one lake.yaml names, but SLACK_TOKEN where only that is set.
 * @param named `notify.slack.token_env`
 */
export function tokenVariable(env: Environment, named: string | undefined): string {
  if (named === undefined || named === '') return TOKEN_VARIABLE;
  return !env[named] && env[TOKEN_VARIABLE] ? TOKEN_VARIABLE : named;
}
