import type { CatalogConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import type { ReadSecret } from '../secrets/secret.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Catalog } from './catalog.ts';
import type { MetadataSizeReport } from './metadata-size.ts';

/** What every catalogue is built from. */
export interface CatalogPorts {
  store: ObjectStore;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
  /** A new random UUID at each call. */
  uuid: () => string;
  sleep: (ms: number) => Promise<void>;
  /** Tokens and passwords, by name. */
  secret: ReadSecret;
  /** Hears of every request to a server of catalogues before it is sent. */
  onRequest?: (method: string, url: string) => void;
  /** Hears of tables whose metadata nears what their catalogue takes. */
  onMetadataSize?: (report: MetadataSizeReport) => void;
}

type Open = (name: string, config: CatalogConfig) => Catalog;

/**
 * Loads the parts that catalogues of these kinds need, and no others: clients of services are most of a small command's start.
 * @returns opens a catalogue of one of the kinds by the name people call it by
 */
export async function catalogOpener(kinds: ReadonlySet<CatalogConfig['type']>, ports: CatalogPorts): Promise<Open> {
  const sqlite = kinds.has('sql') ? await import('./sqlite.ts') : undefined;
  const glue = kinds.has('glue') ? await import('./glue.ts') : undefined;
  const rest = kinds.has('rest') ? await import('./rest.ts') : undefined;
  const nessie = kinds.has('nessie') ? await import('./nessie.ts') : undefined;
  return (name, config) => {
    if (config.type === 'nessie' && nessie) return nessie.openNessieCatalog({ ...ports, config, name });
    if (config.type === 'rest' && rest) return rest.openRestCatalog({ ...ports, config, name });
    if (config.type === 'glue' && glue) return glue.createGlueCatalog({ ...ports, ...config, name });
    if (config.type === 'sql' && sqlite) return sqlite.openSqliteCatalog({ ...ports, ...config, name, onDemand: true });
    throw new LakegateError(
      'unsupported',
      `the catalogue "${name}" is of type ${config.type}, which cannot be opened yet`,
    );
  };
}
