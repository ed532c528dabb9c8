import { awsEnvironment, type Emulator } from './emulator.ts';
import { freePorts, installed, startServer } from './process.ts';

/**
 * moto: Glue with partition expressions, and S3, in memory.
 * @throws Error with its log when it does not start
 */
export async function startMoto(): Promise<Emulator> {
  const command = installed('aws-venv', 'bin', 'moto_server');
  const [port] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'moto',
    command,
    args: ['-H', '127.0.0.1', '-p', String(port)],
    env: awsEnvironment(endpoint),
    health: `${endpoint}/moto-api/data.json`,
  });
  return { endpoint, env: awsEnvironment(endpoint), log: server.log, stop: server.stop };
}
