import { createHash } from 'node:crypto';
import type { LakeConfig } from './model.ts';
import type { PipelineSource } from './pipelines-model.ts';

/** Environment variables of a deployed function that say what it was deployed from. */
export const DEPLOYED_CONFIG = 'LAKEGATE_CONFIG_HASH';
export const DEPLOYED_VERSION = 'LAKEGATE_VERSION';

/**
 * What tells the configuration of a stage from any other of it: equal where a deployment would pack the same into its functions. Where the file
 * lay, and which other stages it describes, makes no difference.
 * @param config as `loadStages` gives it, untouched by environment variables
 * @returns 16 hex digits
 */
export function configFingerprint(config: LakeConfig): string {
  const { source: _source, stages: _stages, ...rest } = config;
  const { pipelines } = rest;
  const placeless = pipelines && { ...rest, pipelines: { ...pipelines, sources: pipelines.sources.map(withoutPlace) } };
  return createHash('sha256')
    .update(JSON.stringify(placeless ?? rest))
    .digest('hex')
    .slice(0, 16);
}

/** A split map beside lake.yaml is packed with the function, by whatever path it lay. */
function withoutPlace(source: PipelineSource): PipelineSource {
  const { map } = source;
  return map?.startsWith('file:') ? { ...source, map: map.slice(map.lastIndexOf('/') + 1) } : source;
}
