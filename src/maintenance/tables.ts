import { formatIdentifier, parseIdentifier } from '../catalogs/identifier.ts';
import type { LakeConfig } from '../config/model.ts';
import type { GatePorts, TableTarget } from '../gate/ports.ts';

/** A table of the lake's that is there. */
export interface LakeTable extends TableTarget {
  /** `namespace.table` */
  name: string;
  catalogName: string;
}

/**
 * The lake's tables that their catalogues have: those that lake.yaml names, and those that drops made by themselves. Only the latter have to be
 * listed, in their own namespace: other people's catalogues hold far more than a lake. Sorted by name.
 * @param wanted of these catalogues only
 * @throws LakegateError `unavailable`
 */
export async function lakeTables(
  ports: Pick<GatePorts, 'catalog'>,
  config: LakeConfig,
  wanted: (catalogName: string) => boolean = () => true,
): Promise<LakeTable[]> {
  const { autoTables, defaultCatalog } = config;
  const named = await Promise.all(
    config.tables.map(async ({ name, catalog: own = defaultCatalog }): Promise<LakeTable[]> => {
      if (!wanted(own)) return [];
      const catalog = ports.catalog(own);
      const identifier = parseIdentifier(name);
      return (await catalog.findTable(identifier)) === undefined
        ? []
        : [{ name, catalogName: own, identifier, catalog }];
    }),
  );
  const tables = named.flat();
  const catalogName = autoTables?.catalog ?? defaultCatalog;
  if (autoTables && wanted(catalogName)) {
    const catalog = ports.catalog(catalogName);
    for (const identifier of await catalog.listTables(autoTables.namespace.split('.'))) {
      const name = formatIdentifier(identifier);
      if (config.tables.every((table) => table.name !== name)) tables.push({ name, catalogName, identifier, catalog });
    }
  }
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1));
}
