#!/usr/bin/env node
/** The `lakegate` command. */
import process from 'node:process';
import { runCli } from '../src/cli/program.ts';

// A reader that has seen enough (`lakegate delivery list | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  in: process.stdin,
  out: process.stdout,
  err: process.stderr,
  cwd: process.cwd(),
  env: process.env,
});
