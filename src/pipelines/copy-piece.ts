import { LakegateError } from '../errors.ts';
import { copyPart } from '../tables/copy-part.ts';
import type { SplitPlan } from '../tables/model.ts';
import { readPlan } from '../tables/plan-document.ts';
import { copyPlannedPart } from '../tables/planned.ts';
import { piecesOf } from './plan-copy.ts';
import type { SourceWork } from './work.ts';

/**
 * Copies one piece of a plan; what is there already stays. A table that cannot be made is noted as failed, and the others of the piece are made.
 * @throws LakegateError `usage` for a piece that there is not, and what is worth another try
 */
export async function copyPiece(work: SourceWork, piece: number): Promise<{ piece: number }> {
  const { ports, run, source } = work;
  const plan = await readPlan(ports.store, run.planUrl(source.name));
  const pieces = piecesOf(plan);
  const parts = pieces[piece];
  if (parts === undefined) {
    throw new LakegateError('usage', `piece: expected one of ${pieces.length} from 0, found ${piece}`);
  }
  for (const part of parts) await copyOrSingly(work, plan, part);
  return { piece };
}

async function copyOrSingly(work: SourceWork, plan: SplitPlan, number: number): Promise<void> {
  const { ports, run, source } = work;
  try {
    await copyPlannedPart(ports.store, plan, number);
  } catch (error) {
    if (!isLasting(error)) throw error;
    const part = plan.parts[number]!;
    for (const output of part.outputs) {
      try {
        await copyPart(ports.store, { ...part, outputs: [output] });
      } catch (own) {
        if (!isLasting(own)) throw own;
        await run.failTable(source.name, output.table.table.name, 'split', own.message);
      }
    }
  }
}

/** Whether a fault stays one when the same is done again. */
function isLasting(error: unknown): error is LakegateError {
  return error instanceof LakegateError && !error.retryable;
}
