import { didYouMean } from '../src/config/did-you-mean.ts';
import { LakegateError } from '../src/errors.ts';
import type { StageLake } from './stage-names.ts';

/**
 * The stages to make stacks of: all, or the one that the context names.
 * @param stage what `-c stage=…` says
 * @throws LakegateError `usage` for a stage that there is not
 */
export function chosenStages(lakes: readonly StageLake[], stage: unknown): readonly StageLake[] {
  if (stage === undefined) return lakes;
  const chosen = lakes.filter((lake) => lake.stage.name === stage);
  if (chosen.length > 0) return chosen;
  const known = lakes.map((lake) => lake.stage.name);
  throw new LakegateError(
    'usage',
    `-c stage=${String(stage)}: lake.yaml has no such stage, it has ${known.join(', ')}.${didYouMean(String(stage), known)}`,
  );
}
