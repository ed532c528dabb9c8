import { EntityNotFoundException, GetDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import type { StageProbe } from '../doctor/stage-probe.ts';
import { awsFault } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

/** Looks for databases of Glue. */
export function databaseReader(region: string): StageProbe['hasDatabase'] {
  const client = new GlueClient(clientSettings(region));
  return async (name) => {
    try {
      await client.send(new GetDatabaseCommand({ Name: name }));
      return true;
    } catch (error) {
      if (error instanceof EntityNotFoundException) return false;
      throw awsFault(error, `look at the Glue database ${name}`);
    }
  };
}
