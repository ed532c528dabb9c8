import type { PipelineSource } from '../config/pipelines-model.ts';
import type { ObjectStore } from '../storage/store.ts';
import { matchSource, type SourceRequest, sealedSnapshot, uncopyableSnapshot } from '../tables/prepare-split.ts';
import { findSnapshot, type Snapshot } from '../tables/snapshot.ts';
import { parseSplitMap } from '../tables/split-map.ts';
import { layoutOf, type NamedPipeline, targetOf } from './work.ts';

/** A split map as it was read. */
export interface ReadMap {
  text: string;
  /** How messages call it. */
  name: string;
}

/** A source and the tables that it has in lake.yaml's or the map's words. */
export interface MappedSource {
  source: PipelineSource;
  map?: ReadMap;
  tables: string[];
}

/** A source whose snapshot is there and fits its map. */
export interface CheckedSource extends MappedSource {
  snapshot: Snapshot;
  /** Of the snapshot; undefined where lakegate cannot read all of its files itself. */
  rows?: number;
  notes: string[];
}

/** Reads a source's split map. @throws LakegateError `not_found`, `invalid` with every faulty line */
export async function readMap(store: ObjectStore, source: PipelineSource): Promise<MappedSource> {
  if (source.map === undefined) return { source, tables: [source.table] };
  const text = new TextDecoder().decode((await store.read(source.map)).bytes);
  const name = source.map.slice(source.map.lastIndexOf('/') + 1);
  const tables = [...new Set(parseSplitMap(text, name).map(({ table }) => table))];
  return { source, map: { text, name }, tables };
}

/** Of the tables of all sources those that are asked for, letter case aside. @returns the sources that have any, and names that none has */
export function chosenTables(
  sources: readonly MappedSource[],
  wanted: readonly string[],
): { sources: MappedSource[]; unknown: string[] } {
  if (wanted.length === 0) return { sources: [...sources], unknown: [] };
  const asked = new Set(wanted.map((name) => name.toLowerCase()));
  const known = new Set(sources.flatMap(({ tables }) => tables.map((name) => name.toLowerCase())));
  return {
    sources: sources
      .map((source) => ({ ...source, tables: source.tables.filter((name) => asked.has(name.toLowerCase())) }))
      .filter(({ tables }) => tables.length > 0),
    unknown: wanted.filter((name) => !known.has(name.toLowerCase())),
  };
}

/**
 * Finds a source's snapshot and holds it against the map, by footers alone.
 * @param snapshot `YYYY-MM-DD`; absent: the latest
 * @param only whether `mapped.tables` are not all that there are
 * @throws LakegateError with all that is wrong of it, and what stores throw
 */
export async function checkSource(
  store: ObjectStore,
  pipeline: NamedPipeline,
  mapped: MappedSource,
  { snapshot, only }: { snapshot?: string; only: boolean },
): Promise<CheckedSource> {
  const { source, map, tables } = mapped;
  const request: SourceRequest = {
    source: source.path,
    target: targetOf(pipeline, source.name),
    ...(map !== undefined && { map }),
    table: source.table,
    layout: layoutOf(pipeline),
    ...(snapshot !== undefined && { snapshot }),
    ...(source.marker !== undefined && { marker: source.marker }),
    key: source.key,
    aliases: source.aliases,
    only: only ? tables : [],
    strict: source.strict,
  };
  const matched = await matchSource(store, request).catch((error: unknown) => {
    // Spark may read what lakegate does not, and holds the map against it itself. It has no keys either.
    const date = pipeline.engine === 'spark' && !sealedSnapshot(error) ? uncopyableSnapshot(error) : undefined;
    if (date === undefined) throw error;
    return { date, note: (error as Error).message };
  });
  if ('note' in matched) {
    const found = await findSnapshot(store, source.path, { ...request, snapshot: matched.date });
    return { ...mapped, snapshot: found, notes: [matched.note] };
  }
  const { files, refused, findings } = matched;
  const rows = files.reduce((sum, { rowGroups }) => sum + rowGroups.reduce((own, group) => own + group.rows, 0), 0);
  return {
    ...mapped,
    snapshot: matched.snapshot,
    ...(refused.length === 0 && { rows }),
    notes: [...findings.map(({ message }) => message), ...refused.map(({ url, reason }) => `${url}: ${reason}`)],
  };
}
