import { matchSource } from '../tables/prepare-split.ts';
import { registerVirtual } from '../tables/virtual.ts';
import { columns } from './columns.ts';
import { mapDifferences } from './map-differences.ts';
import { EXIT, type ExitCode } from './output.ts';
import { withTables } from './tables-lake.ts';
import { remarks } from './tables-register.ts';
import type { SplitJob } from './tables-split-job.ts';
import { count, number } from './words.ts';

/** `lakegate tables split --engine virtual`: the tables registered over the source's own files. */
export async function virtual({ context, options, store, request }: SplitJob): Promise<ExitCode> {
  const { output } = context;
  const { database = '', prefix, dryRun = false } = options;
  const matched = await matchSource(store, request);
  const { snapshot, findings } = matched;
  for (const date of snapshot.incomplete) output.say(`snapshot_dt=${date} is not complete and was passed over`);
  const tables = await withTables(context, {}, (ports) =>
    registerVirtual(ports, matched, { database, prefix, source: request.source, dryRun }),
  );
  const of = { snapshot: snapshot.date, source: snapshot.folder, database, engine: 'virtual', dryRun };
  output.result({ ...of, findings, tables }, () => {
    const rows = tables.map((table) => [
      table.table,
      table.outcome,
      table.columns === undefined ? '' : number(table.columns),
      table.partition ?? '',
      remarks(table),
    ]);
    const heading = ['table', dryRun ? 'would be' : 'outcome', 'columns', 'partition', 'remarks'];
    const parts = [
      `${database}, over snapshot_dt=${snapshot.date}: ${count(tables.length, 'table')}`,
      columns(heading, rows, output.width).trimEnd(),
      ...(findings.length === 0 ? [] : [mapDifferences(findings)]),
    ];
    return parts.join('\n\n');
  });
  return tables.some(({ outcome }) => outcome === 'failed' || outcome === 'left') ? EXIT.failed : EXIT.done;
}
