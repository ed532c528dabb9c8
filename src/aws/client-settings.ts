/**
 * Settings of the clients that look at a stage for a person, who waits: few attempts, and silence counts as no answer after seconds.
 * @param region the stage's, whatever the environment says
 */
export function clientSettings(region: string) {
  return {
    region,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
  };
}
