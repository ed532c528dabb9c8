import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { LakeConfig, StageConfig } from '../src/config/model.ts';

/** A lake on one of its stages. */
export type StageLake = LakeConfig & { stage: StageConfig };

/** What every part of a stage is called. Names are known before anything is deployed, so a role can list them and a person can type them. */
export interface StageNames {
  /** `<name>-<stage>`: starts the name of everything, and is the event bus's own. */
  prefix: string;
  bus: string;
  /** Athena workgroup. */
  workgroup: string;
  /** Log group with every domain event. */
  archive: string;
  /** Physical name of a part: `<name>-<stage>-<part>`. */
  of(part: string): string;
  /** ARN of something in the stage's account and region. */
  arn(service: string, resource: string): string;
  /** ARN of a bucket, or of keys in it. */
  bucketArn(bucket: string, keys?: string): string;
}

export function stageNames({ name, stage }: StageLake): StageNames {
  const prefix = `${name}-${stage.name}`;
  const partition = RegionInfo.get(stage.region).partition ?? 'aws';
  return {
    prefix,
    bus: prefix,
    workgroup: prefix,
    archive: `/aws/events/${prefix}`,
    of: (part) => `${prefix}-${part}`,
    arn: (service, resource) => `arn:${partition}:${service}:${stage.region}:${stage.account}:${resource}`,
    bucketArn: (bucket, keys) => `arn:${partition}:s3:::${bucket}${keys === undefined ? '' : `/${keys}`}`,
  };
}
