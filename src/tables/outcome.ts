import type { TablePlan } from './model.ts';

/** What became of a table. */
export interface TableOutcome {
  table: string;
  /** `already`: it was there, from an earlier run. `left`: not to be copied, a decoding engine's. */
  outcome: 'written' | 'already' | 'left' | 'failed';
  folder?: string;
  files?: number;
  rows?: number;
  bytes?: number;
  /** Why it was left, or failed. */
  reason?: string;
}

/** The outcome of a planned table. @param what became of it; a fault: it failed */
export function outcomeOf({ table, folder, outputs }: TablePlan, what: 'written' | 'already' | Error): TableOutcome {
  if (what instanceof Error) return { table: table.name, outcome: 'failed', folder, reason: what.message };
  return {
    table: table.name,
    outcome: what,
    folder,
    files: outputs.length,
    rows: outputs.reduce((sum, { rows }) => sum + rows, 0),
    bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
