/** What looking at one thing came to. `todo` is what a person does about it; commands in it stand in backticks. */
export type Verdict =
  | { status: 'ok'; found: string }
  /** Works, but not as it should, or not for long. */
  | { status: 'warning'; found: string; todo: string }
  | { status: 'failed'; found: string; todo: string }
  /** It could not be looked at, which says nothing about it. */
  | { status: 'unchecked'; found: string; todo?: string };

/** One thing to look at. */
export interface Check {
  name: string;
  /** What it throws says that it could not look, never that something is wrong. */
  look(): Promise<Verdict>;
}

export type Finding = { name: string } & Verdict;

export const ok = (found: string): Verdict => ({ status: 'ok', found });
export const warning = (found: string, todo: string): Verdict => ({ status: 'warning', found, todo });
export const failed = (found: string, todo: string): Verdict => ({ status: 'failed', found, todo });
export const unchecked = (found: string, todo?: string): Verdict => ({
  status: 'unchecked',
  found,
  ...(todo !== undefined && { todo }),
});
