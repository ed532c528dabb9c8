import { folderUrl as folderOf } from './folder-url.ts';
import type { FoundPartition, PartitionKey } from './model.ts';

/** A partition as the catalogue has it. */
export interface RegisteredPartition {
  values: string[];
  location: string;
}

/** What has to change so that the catalogue shows what the folders hold. */
export interface PartitionPlan {
  create: FoundPartition[];
  /** Registered under the table's location, with no folder there any more. */
  gone: RegisteredPartition[];
  /** The same values registered at another place than their folder. */
  moved: { registered: RegisteredPartition; found: FoundPartition }[];
  /** Registered outside the table's location by somebody's own decision: left alone. */
  elsewhere: RegisteredPartition[];
  unchanged: number;
}

/**
 * Holds a complete listing of a table against its partitions in the catalogue.
 * @param location of the table, with or without a slash at its end
 */
export function planPartitions(
  keys: readonly PartitionKey[],
  location: string,
  found: readonly FoundPartition[],
  registered: readonly RegisteredPartition[],
): PartitionPlan {
  const root = folderOf(location);
  const byValues = new Map(registered.map((partition) => [identityOf(keys, partition.values), partition]));
  const plan: PartitionPlan = { create: [], gone: [], moved: [], elsewhere: [], unchanged: 0 };
  const seen = new Set<string>();
  for (const partition of found) {
    const identity = identityOf(keys, partition.values);
    // Two folders may stand for one partition (`m=1/` and `m=01/`): one row of the catalogue cannot show both.
    if (seen.has(identity)) continue;
    seen.add(identity);
    const there = byValues.get(identity);
    if (there === undefined) plan.create.push(partition);
    else if (isAt(there.location, `${root}${partition.prefix}`)) plan.unchanged += 1;
    else if (folderOf(there.location).startsWith(root)) plan.moved.push({ registered: there, found: partition });
    else plan.elsewhere.push(there);
  }
  for (const [identity, partition] of byValues) {
    if (seen.has(identity)) continue;
    (folderOf(partition.location).startsWith(root) ? plan.gone : plan.elsewhere).push(partition);
  }
  return plan;
}

/** Most locations are written as folders are; the others are, in another spelling. */
function isAt(location: string, folder: string): boolean {
  return location === folder || folderOf(location) === folder;
}

/** Folders that stand for a partition another folder stands for already, by what they share. */
export function duplicateFolders(keys: readonly PartitionKey[], found: readonly FoundPartition[]): FoundPartition[][] {
  const byIdentity = Map.groupBy(found, ({ values }) => identityOf(keys, values));
  return [...byIdentity.values()].filter((same) => same.length > 1);
}

/**
 * What makes two rows of the catalogue one partition to a query engine: whole numbers count by their value (`01` is `1`), anything else by its
 * text.
 */
export function identityOf(keys: readonly PartitionKey[], values: readonly string[]): string {
  const numbers = numbersOf(keys);
  // One value is told by itself.
  if (numbers.length === 1 && values.length === 1) return numbers[0] ? canonical(values[0]!) : values[0]!;
  return JSON.stringify(
    numbers.includes(true) ? values.map((value, i) => (numbers[i] ? canonical(value) : value)) : values,
  );
}

function canonical(value: string): string {
  return /^[+-]?\d+$/.test(value) ? BigInt(value).toString() : value;
}

const NUMBERS = new WeakMap<readonly PartitionKey[], boolean[]>();

/** Which of the keys are whole numbers. Asked for once a partition, of which there are many. */
function numbersOf(keys: readonly PartitionKey[]): boolean[] {
  const known = NUMBERS.get(keys);
  if (known !== undefined) return known;
  const numbers = keys.map(({ type }) => /^(tinyint|smallint|int|integer|bigint)$/.test(type));
  NUMBERS.set(keys, numbers);
  return numbers;
}
