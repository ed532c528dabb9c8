/** Why something could not be found out. */
export interface Unanswered {
  /** `denied`: a right is missing; `throttled`: beyond retries; `unavailable`: no answer; `other`: an answer that nobody foresaw. */
  reason: 'denied' | 'throttled' | 'unavailable' | 'other';
  /** What was asked, `cleanrooms:GetMembership`. */
  action: string;
  /** The service's own words. */
  message: string;
}

/** What was asked for, or why it is not known. That something is not there is an answer too: `value` says so. */
export type Answer<T> = { known: true; value: T } | { known: false; why: Unanswered };

export function known<T>(value: T): Answer<T> {
  return { known: true, value };
}

export function unknown(why: Unanswered): { known: false; why: Unanswered } {
  return { known: false, why };
}

/** What follows from an answer; what is not known stays so. */
export function following<T, U>(answer: Answer<T>, make: (value: T) => U): Answer<U> {
  return answer.known ? known(make(answer.value)) : answer;
}

const WORDS: Readonly<Record<Unanswered['reason'], string>> = {
  denied: 'access denied',
  throttled: 'throttled',
  unavailable: 'no answer',
  other: 'error',
};

/** For a cell: `Unknown (access denied: cleanrooms:GetMembership)`. */
export function unknownText({ reason, action }: Unanswered): string {
  return `Unknown (${WORDS[reason]}: ${action})`;
}

/** A truth for a cell: `Yes`, `No`, or why it is not known. */
export function yesNo(answer: Answer<boolean>): string {
  if (!answer.known) return unknownText(answer.why);
  return answer.value ? 'Yes' : 'No';
}

/** Why all of several truths hold or not: one that is false decides, whatever is not known of the others. */
export function allOf(answers: readonly Answer<boolean>[]): Answer<boolean> {
  if (answers.some((answer) => answer.known && !answer.value)) return known(false);
  return answers.find((answer) => !answer.known) ?? known(true);
}
