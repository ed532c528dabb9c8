import { LakegateError } from '../errors.ts';
import { headOf, MAIN, snapshotById } from '../iceberg/ancestry.ts';
import type { TableMetadata, TableUpdate } from '../iceberg/model.ts';
import type { LoadedTable } from './catalog.ts';
import { formatIdentifier } from './identifier.ts';

/**
 * Checks that a commit that the server calls done is in the table it answered with. Some servers leave out what they do not know instead of
 * refusing it (branches, above all), and then a gate would be none: unaudited files could be on main, or audited ones nowhere.
 * @throws LakegateError `internal`, so that nothing is tried again and no file that the table may now name is deleted
 */
export function checkTaken(table: LoadedTable, updates: readonly TableUpdate[], server: string): void {
  const { metadata } = table;
  const setsMain = updates.some((update) => update.action === 'set-snapshot-ref' && update.ref === MAIN);
  for (const [index, update] of updates.entries()) {
    const fault = faultOf(metadata, update, setsMain, updates.slice(index + 1));
    if (fault === undefined) continue;
    const name = formatIdentifier(table.identifier);
    throw new LakegateError(
      'internal',
      `The catalogue server ${server} called a commit to ${name} done, but ${fault}. It does not follow the Iceberg REST protocol for branches, so lakegate cannot keep unaudited files off main there. Look at the table's main, and take its deliveries to another catalogue.`,
      { context: { table: name, server, update: update.action } },
    );
  }
}

function faultOf(
  metadata: TableMetadata,
  update: TableUpdate,
  setsMain: boolean,
  later: readonly TableUpdate[],
): string | undefined {
  switch (update.action) {
    case 'add-snapshot': {
      const id = update.snapshot.snapshotId;
      if (later.some((next) => next.action === 'remove-snapshots' && next.snapshotIds.includes(id))) return undefined;
      if (snapshotById(metadata, id) === undefined) return `snapshot ${id} is not in the table`;
      if (!setsMain && headOf(metadata, MAIN) === id) return `it moved main to snapshot ${id}, which was for a branch`;
      return undefined;
    }
    case 'set-snapshot-ref': {
      const { ref } = update;
      if (later.some((next) => next.action === 'remove-snapshot-ref' && next.ref === ref)) return undefined;
      return headOf(metadata, ref) === undefined ? `the table has no ${update.value.type} ${ref}` : undefined;
    }
    case 'remove-snapshot-ref': {
      const { ref } = update;
      if (later.some((next) => next.action === 'set-snapshot-ref' && next.ref === ref)) return undefined;
      return headOf(metadata, ref) === undefined ? undefined : `the table still has the ref ${ref}`;
    }
    case 'remove-snapshots': {
      const left = update.snapshotIds.find((id) => snapshotById(metadata, id) !== undefined);
      return left === undefined ? undefined : `snapshot ${left} is still in the table`;
    }
    default:
      return undefined;
  }
}
