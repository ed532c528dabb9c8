import { type Check, type Finding, unchecked } from './verdict.ts';

/**
 * Looks at everything at the same time.
 * @returns a finding for each check, in order; nothing is thrown
 */
export async function runChecks(checks: readonly Check[]): Promise<Finding[]> {
  return Promise.all(
    checks.map(async ({ name, look }) => {
      try {
        return { name, ...(await look()) };
      } catch (error) {
        return { name, ...unchecked(error instanceof Error ? error.message : String(error)) };
      }
    }),
  );
}

/** What is said of checks that were not begun, since they need what another one did not find. */
export function notTried(checks: readonly Check[], because: string): Finding[] {
  return checks.map(({ name }) => ({ name, ...unchecked(because) }));
}
