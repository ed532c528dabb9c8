import type { SecretSource } from '../config/model.ts';

/**
 * The port through which tokens and passwords come: only ever asked for by name, and at the moment they are needed.
 * @throws LakegateError `config` when there is none of that name, `unavailable` when its store does not answer; the value is never in it
 */
export type ReadSecret = (source: SecretSource) => Promise<string>;

/** Where a secret is, as error messages name it. */
export function secretPlace(source: SecretSource): string {
  if ('env' in source) return `the environment variable ${source.env}`;
  const field = source.key === undefined ? '' : `, field ${source.key}`;
  return `the Secrets Manager entry ${source.secret}${field}`;
}
