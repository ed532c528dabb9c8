import type { PipelinesConfig } from '../config/pipelines-model.ts';
import { LakegateError } from '../errors.ts';
import { chosenTables, readMap } from '../pipelines/check-source.ts';
import type { RunInput } from '../pipelines/model.ts';
import { runWish } from '../pipelines/run-input.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Which } from './tables-run.ts';

/**
 * Holds what a person asks for against lake.yaml, before anything is begun or started.
 * @returns sources that are asked for, or all of those pipelines
 * @throws LakegateError `usage` for a snapshot that is no date, and for sources that the pipelines do not have
 */
export function checkWish(config: PipelinesConfig, which: Which, input: RunInput): PipelinesConfig['sources'] {
  const faults: string[] = [];
  const wish = runWish(input, config.sources, (fault) => faults.push(`--${fault}`));
  const used = new Set(
    (which === 'all' ? (['bucketed', 'partitioned'] as const) : [which]).flatMap((name) => config[name]?.sources ?? []),
  );
  // A pipeline that lake.yaml does not have is told in its own words.
  if (used.size > 0) {
    for (const name of wish.sources ?? []) {
      if (used.has(name)) continue;
      const pipeline = which === 'all' ? 'the pipelines have' : `the pipeline ${which} has`;
      faults.push(`--sources: ${pipeline} no source ${JSON.stringify(name)}. There are ${[...used].join(', ')}`);
    }
  }
  if (faults.length > 0) throw new LakegateError('usage', faults.join('\n'));
  return config.sources.filter(({ name }) => used.has(name) && (wish.sources?.includes(name) ?? true));
}

/**
 * Holds the tables that a person asks for against the split maps. A map that cannot be read or used is told by the run, with all else that is wrong.
 * @param sources that are asked for
 * @throws LakegateError `usage` for tables that no map has
 */
export async function checkWishedTables(
  store: ObjectStore,
  sources: PipelinesConfig['sources'],
  { tables = [] }: RunInput,
): Promise<void> {
  if (tables.length === 0 || sources.length === 0) return;
  const mapped = await Promise.all(sources.map((source) => readMap(store, source))).catch((error: unknown) => {
    if (error instanceof LakegateError) return undefined;
    throw error;
  });
  if (mapped === undefined) return;
  const { unknown } = chosenTables(mapped, tables);
  if (unknown.length === 0) return;
  const known = mapped.flatMap((source) => source.tables).join(', ');
  const wrong = unknown.map((name) => JSON.stringify(name)).join(', ');
  throw new LakegateError('usage', `--tables: no split map has ${wrong}. There are ${known}`);
}
