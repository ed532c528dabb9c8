#!/usr/bin/env node
// Starts the command on a Node that has what it needs: this one, or the one that npm installed beside it.
import { spawnSync } from 'node:child_process';
import nodeModule, { createRequire } from 'node:module';

const NEEDED = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major >= NEEDED) {
  nodeModule.enableCompileCache();
  await import('../dist/cli.js');
} else {
  process.exitCode = runOnInstalledNode();
}

function runOnInstalledNode() {
  let node;
  try {
    node = createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    process.stderr.write(
      `lakegate: needs Node ${NEEDED} or newer, this is ${process.version}; run it by npx where it is installed\n`,
    );
    return 2;
  }
  const child = spawnSync(node, [new URL(import.meta.url).pathname, ...process.argv.slice(2)], { stdio: 'inherit' });
  return child.status ?? 1;
}
