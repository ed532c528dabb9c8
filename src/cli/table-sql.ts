import { LakegateError } from '../errors.ts';
import { type Engine, readingStatements } from '../reading/statements.ts';
import type { CommandContext } from './context.ts';
import { withLake } from './lake.ts';
import { EXIT, type ExitCode } from './output.ts';
import { targetOf } from './table-target.ts';

/** `lakegate table sql TABLE --for ENGINE` */
export async function sql(context: CommandContext, name: string, options: { for: Engine }): Promise<ExitCode> {
  const statements = await withLake(context, async (lake) => {
    const { identifier, catalog } = targetOf(lake, name);
    const config = lake.config.catalogs[catalog.name];
    if (config === undefined) {
      throw new LakegateError('internal', `the catalogue ${catalog.name} was opened, but is not described`);
    }
    const { metadata, metadataLocation } = await catalog.loadTable(identifier);
    const { stage } = lake.config;
    return readingStatements(options.for, {
      ...identifier,
      location: metadata.location,
      metadataLocation,
      catalog: config,
      ...(stage === undefined ? {} : { region: stage.region, account: stage.account }),
    });
  });
  context.output.result({ table: name, for: options.for, statements }, () => statements.join('\n'));
  return EXIT.done;
}
