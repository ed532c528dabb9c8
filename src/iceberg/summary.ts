import type { DataFile, Snapshot, SnapshotOperation } from './model.ts';
import { partitionKey } from './partition-type.ts';

/** Snapshot summaries (spec: Appendix F, "Optional Snapshot Summary Fields"), counted as PyIceberg and Java count them. */

/** A file that a snapshot adds or removes, and the spec of its partition tuple. */
export interface ChangedFile {
  file: DataFile;
  specId: number;
}

export interface SummaryInput {
  operation: SnapshotOperation;
  added: readonly ChangedFile[];
  removed: readonly ChangedFile[];
  /** The parent's summary; undefined for a first snapshot. */
  previous: Snapshot['summary'] | undefined;
  /** Further keys. A counter of the same name wins over them. */
  marks: Readonly<Record<string, string>>;
}

/** Total key, and the keys of what adds to it and takes from it. */
const TOTALS = [
  ['total-data-files', 'added-data-files', 'deleted-data-files'],
  ['total-delete-files', 'added-delete-files', 'removed-delete-files'],
  ['total-records', 'added-records', 'deleted-records'],
  ['total-files-size', 'added-files-size', 'removed-files-size'],
  ['total-position-deletes', 'added-position-deletes', 'removed-position-deletes'],
  ['total-equality-deletes', 'added-equality-deletes', 'removed-equality-deletes'],
] as const;

/**
 * The summary of a snapshot. Counters that are zero are left out; a total is left out where the parent does not know it,
 * because a total that is wrong is worse than none.
 */
export function summarize({ operation, added, removed, previous, marks }: SummaryInput): Snapshot['summary'] {
  const counters: Record<string, number> = {};
  const count = (key: string, value: number) => {
    if (value > 0) counters[key] = (counters[key] ?? 0) + value;
  };
  for (const { file } of added) {
    count('added-files-size', file.fileSizeInBytes);
    if (file.content === 'data') {
      count('added-data-files', 1);
      count('added-records', file.recordCount);
    } else {
      count('added-delete-files', 1);
      count(`added-${kindOf(file)}-delete-files`, 1);
      count(`added-${kindOf(file)}-deletes`, file.recordCount);
    }
  }
  for (const { file } of removed) {
    count('removed-files-size', file.fileSizeInBytes);
    if (file.content === 'data') {
      count('deleted-data-files', 1);
      count('deleted-records', file.recordCount);
    } else {
      count('removed-delete-files', 1);
      count(`removed-${kindOf(file)}-delete-files`, 1);
      count(`removed-${kindOf(file)}-deletes`, file.recordCount);
    }
  }
  const partitions = new Set<string>();
  for (const { file, specId } of [...added, ...removed]) {
    if (file.partition.length > 0) partitions.add(`${specId} ${partitionKey(file.partition)}`);
  }
  count('changed-partition-count', partitions.size);
  const summary: Snapshot['summary'] = { ...marks, operation };
  for (const [key, value] of Object.entries(counters)) summary[key] = String(value);
  for (const [total, plus, minus] of TOTALS) {
    delete summary[total];
    const before = previous === undefined ? 0 : Number(previous[total] ?? Number.NaN);
    const after = before + (counters[plus] ?? 0) - (counters[minus] ?? 0);
    if (after >= 0) summary[total] = String(after);
  }
  return summary;
}

function kindOf(file: DataFile): 'position' | 'equality' {
  return file.content === 'equality-deletes' ? 'equality' : 'position';
}
