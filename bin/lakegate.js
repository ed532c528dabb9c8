#!/usr/bin/env node
// Starts the command on a Node that has what it needs: this one, or the one that npm installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const major = Number(process.versions.node.split('.')[0]);

if (!existsSync(new URL('../dist/cli.js', import.meta.url))) {
  end('it is not built yet: run `npm ci`, or `npm run build`, in its folder');
} else if (major >= NEEDED) {
  nodeModule.enableCompileCache();
  await import('../dist/cli.js');
} else {
  runOnInstalledNode();
}

function runOnInstalledNode() {
  let node;
  try {
    node = createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    end(`needs Node ${NEEDED} or newer, this is ${process.version}; run it by npx where it is installed`);
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  child.on('error', (error) => end(`cannot start ${node}: ${error.message}`));
  // A terminal sends Ctrl-C to both processes; what is sent to this one alone is handed on.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

function end(why) {
  process.stderr.write(`lakegate: ${why}\n`);
  process.exitCode = 1;
}
