/** `node test/interop/emulators/try.ts ministack` starts one emulator and prints the environment to use it with, until Ctrl-C. */
import process from 'node:process';
import { startIcebergRest, startMiniStack, startMoto, startNessie, startSeaweed } from './index.ts';

const STARTERS = {
  ministack: () => startMiniStack(),
  moto: () => startMoto(),
  seaweed: () => startSeaweed(),
  'iceberg-rest': () => startIcebergRest(),
  nessie: async () => startNessie({ s3: await startSeaweed() }),
} as const;

const [name = ''] = process.argv.slice(2);
if (!Object.hasOwn(STARTERS, name)) {
  process.stderr.write(`try: expected one of ${Object.keys(STARTERS).join(', ')}, found ${JSON.stringify(name)}\n`);
  process.exit(2);
}
const { env, log: _log, stop: _stop, ...places } = await STARTERS[name as keyof typeof STARTERS]();
const lines = Object.entries(places).map(([key, value]) => `# ${key}: ${value}`);
const exports = Object.entries(env).map(([key, value]) => `export ${key}=${value}`);
process.stdout.write(`${[...lines, ...exports, '# Ctrl-C ends it'].join('\n')}\n`);
