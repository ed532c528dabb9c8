import { DescribeExecutionCommand, ExecutionDoesNotExist, SFNClient } from '@aws-sdk/client-sfn';
import { LakegateError } from '../errors.ts';
import { awsFault } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

const ARN = /^arn:[\w-]+:states:[\w-]+:\d+:execution:/;

/**
 * Whether executions of Step Functions still run (API reference, DescribeExecution). One that is not there any more does not.
 * @returns a function that @throws LakegateError `config` for what is no execution's ARN, or without the right to look; `unavailable`
 */
export function executionLookup(region: string): { isRunning(arn: string): Promise<boolean>; close(): void } {
  const client = new SFNClient(clientSettings(region));
  return {
    async isRunning(arn) {
      if (!ARN.test(arn)) {
        throw new LakegateError(
          'config',
          `${JSON.stringify(arn)} is no execution of Step Functions: whether it still runs cannot be told here. Once it does not, delete the lock that names it`,
        );
      }
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn: arn }));
        return status === 'RUNNING';
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return false;
        throw awsFault(error, `look at the execution ${arn}`);
      }
    },
    close: () => client.destroy(),
  };
}
