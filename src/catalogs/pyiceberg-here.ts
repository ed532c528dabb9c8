import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { CatalogConfig } from '../config/model.ts';
import { isKind } from '../errors.ts';
import { pyicebergCatalog } from './pyiceberg-catalog.ts';
import { findPyicebergCatalogs, type PyicebergCatalog } from './pyiceberg-config.ts';

interface Surroundings {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** The catalogues PyIceberg knows of here, as it would find them. */
export function knownToPyiceberg({ cwd, env }: Surroundings): Record<string, PyicebergCatalog> {
  return findPyicebergCatalogs({ env, home: homedir(), cwd, readFile: readIfThere });
}

/** Those of them that lakegate can open, for lake.yaml to name. */
export function pyicebergCatalogs(around: Surroundings): Record<string, CatalogConfig> {
  const openable: Record<string, CatalogConfig> = {};
  for (const [name, found] of Object.entries(knownToPyiceberg(around))) {
    try {
      openable[name] = pyicebergCatalog(name, found, '');
    } catch (error) {
      // Of another kind: no fault as long as nobody asks for it by name.
      if (!isKind(error, 'unsupported', 'config')) throw error;
    }
  }
  return openable;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
