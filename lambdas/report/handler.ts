import type { Context } from 'aws-lambda';
import { openStage } from '../compose.ts';
import { once } from '../once.ts';
import { awsReportPorts } from './compose.ts';
import { makeReport, type ReportAnswer } from './make-report.ts';
import { parseRequest } from './request.ts';

const stage = once(openStage);

/** Makes a report on schedule, or when an event asks for it: `{ "report": "cleanrooms" | "monitor" }`. */
export async function handler(event: unknown, context: Context): Promise<ReportAnswer> {
  const report = parseRequest(event);
  const opened = await stage();
  opened.begin(context);
  return makeReport({ ...opened, ...awsReportPorts(opened.config) }, report);
}
