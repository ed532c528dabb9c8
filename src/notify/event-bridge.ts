import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { BusEntry } from './bus-entry.ts';

/** @returns for each entry, in order, the error code of one that was not taken, else nothing */
export type PutEntries = (entries: readonly BusEntry[]) => Promise<(string | undefined)[]>;

/** Puts entries by EventBridge's PutEvents; what fails as a whole is tried again by the SDK. */
export function openEventBridge(region: string | undefined): PutEntries {
  const client = new EventBridgeClient({ ...(region !== undefined && { region }), maxAttempts: 4 });
  return async (entries) => {
    const { Entries: answers = [] } = await client.send(new PutEventsCommand({ Entries: [...entries] }));
    return entries.map((_, index) => {
      const answer = answers[index];
      return answer?.EventId === undefined ? (answer?.ErrorCode ?? 'nothing') : undefined;
    });
  };
}
