/** What a JSON object's text holds, or undefined for any other text. */
function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Where services say what went wrong: Lambda, Glue's job run, Athena's query. */
const PLACES = [
  ['errorMessage'],
  ['ErrorMessage'],
  ['QueryExecution', 'Status', 'AthenaError', 'ErrorMessage'],
  ['QueryExecution', 'Status', 'StateChangeReason'],
] as const;

/**
 * The reason for people in what a state machine caught. It hands on its error output as text (`{"Error": …, "Cause": …}`), where the cause is again
 * what the service said, as JSON: what a function threw, a job run, a query. Text that is none of it is its own reason. Pure.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation
 */
export function caughtReason(text: string): string {
  const output = objectIn(text);
  if (output === undefined) return text;
  if (typeof output.Error === 'string') {
    const cause = typeof output.Cause === 'string' && output.Cause !== '' ? caughtReason(output.Cause) : undefined;
    if (cause === undefined) return output.Error === 'States.Timeout' ? 'it took longer than it may' : output.Error;
    return cause;
  }
  for (const place of PLACES) {
    let found: unknown = output;
    for (const key of place) found = (found as Record<string, unknown> | null | undefined)?.[key];
    if (typeof found === 'string' && found !== '') return found;
  }
  // A job run that was stopped, or took too long, says no more than that.
  const { JobRunState: state, Id: id } = output;
  return typeof state === 'string' && typeof id === 'string' ? `Glue's job run ${id} ended as ${state}` : text;
}
