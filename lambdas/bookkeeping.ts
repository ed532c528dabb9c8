import type { LakeConfig } from '../src/config/model.ts';

/** The folder beside the delivery records under which functions keep what they remember: a URL ending in `/`. */
export function bookkeeping({ records }: Pick<LakeConfig, 'records'>): string {
  return records.replace(/[^/]+\/$/, '');
}
