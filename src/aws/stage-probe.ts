import { CloudWatchClient, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import type { SecretSource } from '../config/model.ts';
import type { AlarmFacts, StageProbe } from '../doctor/stage-probe.ts';
import { isKind } from '../errors.ts';
import { createSecretReader } from '../secrets/reader.ts';
import { openSecretsManager } from '../secrets/secrets-manager.ts';
import { awsFault, isMissing } from './aws-fault.ts';
import { bucketReader } from './bucket-facts.ts';
import { awsCaller } from './caller.ts';
import { clientSettings } from './client-settings.ts';
import { databaseReader } from './database-facts.ts';
import { eventReader } from './event-facts.ts';
import { functionReader } from './function-facts.ts';
import { queueReader } from './queue-facts.ts';
import { stackReader } from './stack-facts.ts';

/** Looks at a stage by the AWS services themselves, with the credentials of the process. */
export function createStageProbe(region: string, env: Readonly<Record<string, string | undefined>>): StageProbe {
  return {
    caller: () => awsCaller(region, env),
    stack: stackReader(region),
    bucket: bucketReader(region),
    ...eventReader(region),
    hasDatabase: databaseReader(region),
    queue: queueReader(region, Date.now),
    function: functionReader(region),
    secretFault: secretReader(region),
    alarms: alarmReader(region),
  };
}

/** What cannot be read for want of rights says nothing about the secret, unlike one that is not there. */
function secretReader(region: string): StageProbe['secretFault'] {
  const entry = openSecretsManager(region);
  return async (source: SecretSource) => {
    if ('env' in source) return undefined;
    let text: string;
    try {
      text = await entry(source.secret);
    } catch (error) {
      if (isMissing(error)) return 'there is no such entry';
      throw awsFault(error, `read the Secrets Manager entry ${source.secret}`);
    }
    try {
      await createSecretReader({ env: {}, clock: Date.now, readEntry: async () => text })(source);
      return undefined;
    } catch (error) {
      if (isKind(error, 'config')) return error.message;
      throw error;
    }
  };
}

function alarmReader(region: string): StageProbe['alarms'] {
  const client = new CloudWatchClient(clientSettings(region));
  return async (prefix) => {
    const found: AlarmFacts[] = [];
    try {
      for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client }, { AlarmNamePrefix: prefix })) {
        for (const { AlarmName = '', StateValue = '', AlarmDescription = '' } of MetricAlarms) {
          found.push({ name: AlarmName, state: StateValue, description: AlarmDescription });
        }
      }
    } catch (error) {
      throw awsFault(error, 'look at the alarms');
    }
    return found;
  };
}
