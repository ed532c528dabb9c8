import type { SecretSource } from '../config/model.ts';

export interface StackFacts {
  /** CloudFormation's, such as `UPDATE_COMPLETE`. */
  status: string;
  outputs: Readonly<Record<string, string>>;
}

export interface BucketFacts {
  /** Whether events go to EventBridge. */
  eventBridge: boolean;
  /** `aws:kms`, `aws:kms:dsse`, `AES256`; undefined: none is set. */
  encryption?: string;
  /** Whether all four blocks of public access are on. */
  private: boolean;
  versioned: boolean;
}

export interface RuleFacts {
  enabled: boolean;
  /** ARNs of what events are handed to. */
  targets: readonly string[];
}

export interface QueueFacts {
  /** About how many messages wait. */
  waiting: number;
  /** About how many are being worked on. */
  inHand: number;
  /** Age of the oldest message, where CloudWatch has a figure of the last minutes. */
  oldestSeconds?: number;
}

export interface FunctionFacts {
  /** `Active`, `Pending`, `Inactive`, `Failed`. */
  state: string;
  /** Of its last deployment: `Successful`, `InProgress`, `Failed`. */
  lastUpdate: string;
  environment: Readonly<Record<string, string>>;
  /** States of the queues it takes events from: `Enabled`, `Disabled` and what is between. */
  sources: readonly string[];
}

export interface AlarmFacts {
  name: string;
  state: string;
  description: string;
}

/**
 * Looks at the parts of a deployed stage and changes nothing. `undefined`: there is no such thing. Every operation @throws LakegateError when it
 * cannot be told, which says nothing about the thing.
 */
export interface StageProbe {
  caller(): Promise<{ account: string; arn: string }>;
  stack(name: string): Promise<StackFacts | undefined>;
  bucket(name: string): Promise<BucketFacts | undefined>;
  /** @param bus default: the account's own */
  rule(name: string, bus?: string): Promise<RuleFacts | undefined>;
  hasBus(name: string): Promise<boolean>;
  /** Of Glue. */
  hasDatabase(name: string): Promise<boolean>;
  queue(name: string): Promise<QueueFacts | undefined>;
  function(name: string): Promise<FunctionFacts | undefined>;
  /** @returns what is wrong with it, or undefined where it can be read; its value never leaves the adapter */
  secretFault(source: SecretSource): Promise<string | undefined>;
  /** Alarms whose names start so. */
  alarms(prefix: string): Promise<AlarmFacts[]>;
}
