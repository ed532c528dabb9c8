import {
  DescribeEventBusCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  ListTargetsByRuleCommand,
} from '@aws-sdk/client-eventbridge';
import type { StageProbe } from '../doctor/stage-probe.ts';
import { awsFault, isMissing } from './aws-fault.ts';
import { clientSettings } from './client-settings.ts';

/** Reads rules and buses of EventBridge. */
export function eventReader(region: string): Pick<StageProbe, 'rule' | 'hasBus'> {
  const client = new EventBridgeClient(clientSettings(region));
  return {
    async rule(name, bus) {
      const onBus = bus === undefined ? {} : { EventBusName: bus };
      try {
        const [rule, targets] = await Promise.all([
          client.send(new DescribeRuleCommand({ Name: name, ...onBus })),
          client.send(new ListTargetsByRuleCommand({ Rule: name, ...onBus })),
        ]);
        return {
          enabled: rule.State !== 'DISABLED',
          targets: (targets.Targets ?? []).map(({ Arn = '' }) => Arn),
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw awsFault(error, `look at the rule ${name}`);
      }
    },
    async hasBus(name) {
      try {
        await client.send(new DescribeEventBusCommand({ Name: name }));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw awsFault(error, `look at the event bus ${name}`);
      }
    },
  };
}
