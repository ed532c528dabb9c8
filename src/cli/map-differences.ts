import { printable } from '../notify/printable.ts';
import type { Finding } from '../tables/model.ts';

/** What a split map and its source disagree about, a line each. Names are the files' own: nothing in them is obeyed by the terminal. */
export function mapDifferences(findings: readonly Pick<Finding, 'message'>[]): string {
  return `the split map and the source differ:\n${findings.map(({ message }) => `  ${printable(message)}`).join('\n')}`;
}
