import { nearest } from '../iceberg/types.ts';

/** ` Did you mean X?` (with the leading space), or nothing when no candidate is near. Case, `-` and `_` do not count: `onFailure` is near `on_failure`. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const byBareName = new Map([...candidates].map((candidate) => [bare(candidate), candidate]));
  const meant = nearest(bare(word), [...byBareName.keys()]);
  return meant === undefined ? '' : ` Did you mean ${byBareName.get(meant)}?`;
}

function bare(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}
