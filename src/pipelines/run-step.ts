import type { PipelinesConfig } from '../config/pipelines-model.ts';
import { collect } from './collect.ts';
import { copyPiece } from './copy-piece.ts';
import { erStep, settleEr } from './er.ts';
import { noteFailure } from './failed.ts';
import { finish } from './finish.ts';
import { auditStep, judgeStep } from './gate-before.ts';
import type { PipelineAnswers, PipelineRequest } from './model.ts';
import { planCopy } from './plan-copy.ts';
import type { PipelinePorts } from './ports.ts';
import { registerStep } from './register-table.ts';
import { settleStep } from './settle-table.ts';
import { validate } from './validate.ts';
import { openWork } from './work.ts';

type Mode = PipelineRequest['mode'];
type Answer = PipelineAnswers[Mode];

/**
 * One step of a pipeline: what a state machine asks of its function, or a laptop does itself in the same order. A step that is done again does nothing
 * twice, and one that was broken off is finished by doing it again.
 * @param request whose item is the one that `validate` answered with
 * @throws LakegateError as the steps say: what is `retryable` may be asked again
 */
export async function runStep<M extends Mode>(
  ports: PipelinePorts,
  config: PipelinesConfig,
  request: Extract<PipelineRequest, { mode: M }>,
): Promise<PipelineAnswers[M]> {
  // Each branch answers for its own mode, which the compiler does not follow through a type's parameter.
  return (await answer(ports, config, request)) as PipelineAnswers[M];
}

async function answer(ports: PipelinePorts, config: PipelinesConfig, request: PipelineRequest): Promise<Answer> {
  if (request.mode === 'validate') return validate(ports, config, request);
  if (request.mode === 'finish') return finish(ports, config, request);
  const work = await openWork(ports, config, request.item);
  switch (request.mode) {
    case 'audit':
      return auditStep(work, request.share);
    case 'judge':
      return judgeStep(work);
    case 'plan':
      return planCopy(work);
    case 'copy':
      return copyPiece(work, request.piece);
    case 'collect':
      return collect(work, request.error);
    case 'register':
      return registerStep(work, request.table);
    case 'settle':
      return settleStep(work, request.table, request.error);
    case 'er':
      return erStep(work);
    case 'settle-er':
      return settleEr(work, request.error);
    case 'failed':
      return noteFailure(work, request);
  }
}
