import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');

export interface CdkOptions {
  /** Of an emulator: where the AWS clients of the CDK go. */
  env: Readonly<Record<string, string>>;
  /** Folder with lake.yaml; the cloud assembly is put beside it. */
  folder: string;
  /** Hears each line that the CDK writes. */
  onLine?: (line: string) => void;
}

/**
 * Runs the CDK as a person does, `npx cdk …`, on a folder's lake.yaml.
 * @throws Error with all that it wrote when it fails
 */
export async function cdk(args: readonly string[], { env, folder, onLine }: CdkOptions): Promise<void> {
  const own = ['-c', `config=${join(folder, 'lake.yaml')}`, '-o', join(folder, 'cdk.out'), '--ci'];
  const child = spawn('npx', ['cdk', ...args, ...own], {
    cwd: ROOT,
    env: { ...process.env, ...env, CDK_DISABLE_CLI_TELEMETRY: 'true', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let rest = '';
  const hear = (data: Buffer) => {
    said += data.toString();
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine?.(line);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const status = await new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', done);
  });
  if (status !== 0) throw new Error(`npx cdk ${args.join(' ')} ended with ${status}:\n${said}`);
}
