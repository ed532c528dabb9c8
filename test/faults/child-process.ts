import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles a script of this folder, so that a process of it starts in a fraction of a second. @returns the bundle's path */
export async function bundle(script: string, folder: string): Promise<string> {
  const outfile = join(folder, script.replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [join(__dirname, script)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // In one file, an import that is there for later is made at the start: only what is asked for in place may be left out.
    external: ['@duckdb/node-api'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return outfile;
}

export interface Ended {
  signal: NodeJS.Signals | null;
  code: number | null;
  out: string;
  err: string;
}

/** Runs a script in a process of its own until it ends, however it ends. */
export function runScript(script: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', err: '' };
    child.stdout.on('data', (text) => {
      said.out += text;
    });
    child.stderr.on('data', (text) => {
      said.err += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ signal, code, ...said }));
  });
}
