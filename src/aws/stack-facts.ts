import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { StackFacts } from '../doctor/stage-probe.ts';
import { awsFault, isMissing } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

/** Reads stacks of CloudFormation, by name. */
export function stackReader(region: string): (name: string) => Promise<StackFacts | undefined> {
  const client = new CloudFormationClient(clientSettings(region));
  return async (name) => {
    try {
      const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
      if (stack === undefined) return undefined;
      const outputs = (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
      return { status: stack.StackStatus ?? 'UNKNOWN', outputs: Object.fromEntries(outputs) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw awsFault(error, `look at the stack ${name}`);
    }
  };
}
