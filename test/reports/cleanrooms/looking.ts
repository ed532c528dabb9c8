/** The report over the real SDK clients against the stand-in, on a clock that only sleeping moves. */
import type { CleanRoomsReportConfig } from '../../../src/config/reports.ts';
import { createAwsSource } from '../../../src/reports/cleanrooms/aws.ts';
import { lookAt } from '../../../src/reports/cleanrooms/make.ts';
import type { CleanRoomsReport } from '../../../src/reports/cleanrooms/model.ts';
import { type AwsServer, startAwsServer } from './aws-server.ts';
import { CONFIG } from './described.ts';
import type { World } from './world.ts';

export const NOW = Date.parse('2026-11-12T10:15:03Z');

const servers: AwsServer[] = [];

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close()));
}

export interface Looking {
  server: AwsServer;
  /** Simulated milliseconds since the start at which each request to Clean Rooms was made. */
  times: number[];
  look(config?: Partial<CleanRoomsReportConfig>): Promise<CleanRoomsReport[]>;
}

export async function looking(world: World, pageSize?: number): Promise<Looking> {
  const server = await startAwsServer(world, pageSize);
  servers.push(server);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  let clock = 0;
  const times: number[] = [];
  return {
    server,
    times,
    look: (config = {}) =>
      lookAt(
        {
          source: createAwsSource({
            region: world.region,
            now: () => clock,
            sleep: async (ms) => {
              clock += ms;
            },
            random: () => 0.5,
            onRequest: (action) => {
              if (action.startsWith('cleanrooms:')) times.push(clock);
            },
          }),
          now: () => NOW,
        },
        { ...CONFIG, ...config },
        world.region,
      ),
  };
}
