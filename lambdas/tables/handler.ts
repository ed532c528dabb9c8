import type { Context } from 'aws-lambda';
import type { PipelineAnswers } from '../../src/pipelines/model.ts';
import { once } from '../once.ts';
import { openTables } from './compose.ts';
import { parseRequest } from './request.ts';
import { asThrown, takeStep } from './take-step.ts';

const open = once(openTables);

/** One step of a table pipeline, as its state machine asks: `{ "mode": "validate" | "audit" | … }`. */
export async function handler(event: unknown, context: Context): Promise<PipelineAnswers[keyof PipelineAnswers]> {
  try {
    const request = parseRequest(event);
    const stage = await open();
    stage.begin(context);
    return await takeStep(stage, request);
  } catch (error) {
    throw asThrown(error);
  }
}
