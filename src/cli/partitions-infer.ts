import { LakegateError } from '../errors.ts';
import { printable } from '../notify/printable.ts';
import { inferLayout, type LayoutProposal } from '../partitions/infer.ts';
import { lookAtFolders } from '../partitions/look.ts';
import type { CatalogTable } from '../partitions/ports.ts';
import { skipReason } from '../partitions/skip.ts';
import { newTally } from '../partitions/tally.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode } from './output.ts';
import { partsOf, withPartitions } from './partitions-lake.ts';
import { count } from './words.ts';

/** A table has few keys; a time may be spread over more levels of folders than keys. */
const LEVELS_OF_A_TIME = 4;

/** `lakegate partitions infer TABLE`. Several layouts that fit are all shown: which is meant only a person knows. */
export async function infer(context: CommandContext, name: string): Promise<ExitCode> {
  const { database, table } = partsOf(name);
  if (table === undefined) throw new LakegateError('usage', `expected database.table, found ${JSON.stringify(name)}`);
  const proposal = await withPartitions(context, async ({ ports }) => {
    const tally = newTally();
    let found: CatalogTable | undefined;
    for await (const page of ports.catalog.tables(database, tally)) found ??= page.find((one) => one.name === table);
    if (found === undefined) throw new LakegateError('usage', `${database} has no table ${table}`);
    const skip = skipReason(found);
    if (skip !== undefined && skip.reason !== 'projection') {
      throw new LakegateError('usage', `${name} has no partitions to manage: ${skip.text}`);
    }
    const lister = ports.folders(found.location ?? '', tally);
    const depth = found.keys.length === 1 ? LEVELS_OF_A_TIME : found.keys.length;
    return inferLayout(found.keys, await lookAtFolders(lister, depth));
  });
  context.output.result({ table: name, ...proposal }, () => render(name, proposal));
  return proposal.fitting.length > 0 ? EXIT.done : EXIT.failed;
}

function render(name: string, { fitting, looked, closest }: LayoutProposal): string {
  if (looked === 0) return `${name} has no folders yet`;
  if (fitting.length === 0) {
    const lines = [`nothing fits all of ${count(looked, 'folder')} of ${name}`];
    if (closest !== undefined) {
      lines.push(`closest: ${closest.layout}, which fits ${closest.fits} of them, but not:`);
      lines.push(...closest.unfit.map((prefix) => `    ${printable(prefix)}`));
    }
    return lines.join('\n');
  }
  const lines = fitting.map(
    ({ layout, example }) =>
      `${layout}    ${printable(example.prefix)} is ${printable(JSON.stringify(example.values))}`,
  );
  if (fitting.length > 1) {
    lines.unshift(
      `${count(looked, 'folder')} of ${name} can be read in ${fitting.length} ways; choose the one that is meant:`,
    );
  }
  const [first] = fitting;
  const layout = fitting.length > 1 ? '…' : first!.layout;
  const entry = `${name}: { layout: ${JSON.stringify(layout)} }`;
  lines.push(
    '',
    first!.layout === 'hive'
      ? 'which is the default: nothing to set'
      : `in lake.yaml, under partitions.tables:  ${entry}`,
  );
  return lines.join('\n');
}
