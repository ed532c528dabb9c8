/** A key that a table is partitioned by, as Glue has it. */
export interface PartitionKey {
  name: string;
  /** Hive's name of the type, lower case: `string`, `int`, `date`, `decimal(10,2)`. */
  type: string;
}

/** A partition as the folders of a table show it. */
export interface FoundPartition {
  /** In the order of the table's keys; text, as Glue keeps them. `__HIVE_DEFAULT_PARTITION__` stands for null. */
  values: string[];
  /** Folder relative to the table's location, ending in `/`, exactly as the store has it. */
  prefix: string;
}

/** A folder that lies where partitions lie and is none. */
export interface RejectedPrefix {
  /** Relative to the table's location, ending in `/`. */
  prefix: string;
  /** What was expected and what was found. */
  reason: string;
}

/** What a table's folders hold. */
export interface FoundPrefixes {
  partitions: FoundPartition[];
  rejected: RejectedPrefix[];
}
