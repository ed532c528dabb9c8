#!/usr/bin/env node
/** The `lakegate` command. */
import process from 'node:process';
import { runCli } from '../src/cli/program.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  cwd: process.cwd(),
  env: process.env,
});
