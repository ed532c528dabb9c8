import type { SecretSource } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { type ReadSecret, secretPlace } from './secret.ts';

export interface SecretReaderOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
  /** Where entries are. Default: the region of the process. */
  region?: string;
  /** Gives an entry's text, by name or ARN. Default: AWS Secrets Manager, with the credentials of the process. */
  readEntry?: (name: string) => Promise<string>;
}

/** A rotated secret is found after so long at most. Milliseconds. */
const KEEP_MS = 5 * 60 * 1000;

/**
 * Reads secrets from environment variables and from Secrets Manager. Entries are kept for five minutes, and asked for once however many wait;
 * the client of Secrets Manager is loaded by the first entry that is needed.
 */
export function createSecretReader(options: SecretReaderOptions): ReadSecret {
  const { env, clock, readEntry = entriesOfSecretsManager(options.region) } = options;
  const entries = new Map<string, { text: Promise<string>; until: number }>();

  function entry(name: string): Promise<string> {
    const known = entries.get(name);
    if (known !== undefined && clock() < known.until) return known.text;
    const read = { text: readEntry(name), until: clock() + KEEP_MS };
    entries.set(name, read);
    read.text.catch(() => {
      if (entries.get(name) === read) entries.delete(name);
    });
    return read.text;
  }

  return async (source) => {
    const value = 'env' in source ? env[source.env] : fieldOf(await found(entry(source.secret), source), source);
    if (value !== undefined && value !== '') return value;
    throw missing(source, 'is empty or not there');
  };
}

async function found(text: Promise<string>, source: SecretSource): Promise<string> {
  try {
    return await text;
  } catch (cause) {
    if (cause instanceof LakegateError) throw cause;
    const name = cause instanceof Error ? cause.name : '';
    if (name === 'ResourceNotFoundException') throw missing(source, 'does not exist');
    if (/AccessDenied|UnrecognizedClient|InvalidSignature|DecryptionFailure|CredentialsProviderError/.test(name)) {
      throw missing(source, `may not be read (${name})`);
    }
    throw new LakegateError(
      'unavailable',
      `Cannot read ${secretPlace(source)}: Secrets Manager did not answer (${name}). Try again.`,
      { context: { secret: secretPlace(source) }, cause },
    );
  }
}

/** The field of an entry that is JSON, else all of its text. What does not parse is not repeated: it is the secret. */
function fieldOf(text: string, source: SecretSource): string | undefined {
  if ('env' in source || source.key === undefined) return text;
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw missing(source, 'cannot be looked up, because the entry is not JSON');
  }
  const value =
    typeof fields === 'object' && fields !== null && Object.hasOwn(fields, source.key)
      ? (fields as Record<string, unknown>)[source.key]
      : undefined;
  return value === undefined || value === null ? undefined : String(value);
}

function missing(source: SecretSource, what: string): LakegateError {
  const place = secretPlace(source);
  const remedy = 'env' in source ? 'Set it' : 'Create or correct the entry, or allow it to be read';
  return new LakegateError(
    'config',
    `${place[0]!.toUpperCase()}${place.slice(1)} ${what}. ${remedy}, or name another one in lake.yaml.`,
    { context: { secret: place } },
  );
}

function entriesOfSecretsManager(region: string | undefined): (name: string) => Promise<string> {
  let client: Promise<(name: string) => Promise<string>> | undefined;
  return async (name) => {
    client ??= import('./secrets-manager.ts').then(({ openSecretsManager }) => openSecretsManager(region));
    return (await client)(name);
  };
}
