import { formatIdentifier, parseIdentifier } from '../catalogs/identifier.ts';
import type { LakeConfig } from '../config/model.ts';
import type { GatePorts, TableTarget } from '../gate/ports.ts';
import { tableOf } from '../gate/route.ts';

/** A table of the lake's that is there. */
export interface LakeTable extends TableTarget {
  /** `namespace.table` */
  name: string;
  catalogName: string;
}

/**
 * The lake's tables that their catalogues have: those that lake.yaml names, and those that drops made by themselves. Sorted by name.
 * @param wanted of these catalogues only
 * @throws LakegateError `unavailable`
 */
export async function lakeTables(
  ports: Pick<GatePorts, 'catalog'>,
  config: LakeConfig,
  wanted: (catalogName: string) => boolean = () => true,
): Promise<LakeTable[]> {
  const catalogOf = (name: string) => tableOf(config, name)?.catalog ?? config.defaultCatalog;
  const catalogNames = new Set([...config.tables.map(({ name }) => catalogOf(name))]);
  if (config.autoTables) catalogNames.add(config.autoTables.catalog ?? config.defaultCatalog);
  const tables: LakeTable[] = [];
  for (const catalogName of [...catalogNames].filter(wanted)) {
    const catalog = ports.catalog(catalogName);
    for (const identifier of await catalog.listTables()) {
      const name = formatIdentifier(identifier);
      // Other people's tables may lie beside them.
      if (tableOf(config, name) === undefined || catalogOf(name) !== catalogName) continue;
      tables.push({ name, catalogName, identifier: parseIdentifier(name), catalog });
    }
  }
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1));
}
