import { GetFunctionConfigurationCommand, LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import type { FunctionFacts } from '../doctor/stage-probe.ts';
import { awsFault, isMissing } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

/** Reads how functions of Lambda are set up. */
export function functionReader(region: string): (name: string) => Promise<FunctionFacts | undefined> {
  const client = new LambdaClient(clientSettings(region));
  return async (name) => {
    try {
      const [configuration, { EventSourceMappings = [] }] = await Promise.all([
        client.send(new GetFunctionConfigurationCommand({ FunctionName: name })),
        client.send(new ListEventSourceMappingsCommand({ FunctionName: name })),
      ]);
      return {
        state: configuration.State ?? 'Active',
        lastUpdate: configuration.LastUpdateStatus ?? 'Successful',
        environment: configuration.Environment?.Variables ?? {},
        sources: EventSourceMappings.map(({ State = '' }) => State),
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw awsFault(error, `look at the function ${name}`);
    }
  };
}
