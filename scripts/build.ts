/**
 * Bundles the `lakegate` command: one start-up chunk, and one for each command and part that is loaded when it is needed.
 * `node scripts/build.ts [folder]`; into dist/ by default.
 */
import { rm } from 'node:fs/promises';
import process from 'node:process';
import { build } from 'esbuild';

const outdir = process.argv[2] ?? 'dist';
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: { cli: 'bin/cli.ts' },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  // Its main module starts its RPC services and file streams, too, which take longer than all of ours.
  alias: { avsc: 'avsc/etc/browser/avsc-types.js' },
  // Native or large, and loaded only by what needs them: left to node_modules.
  external: ['@duckdb/node-api', '@slack/web-api', 'chokidar', 'cli-progress'],
  // CommonJS packages inside the bundle ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as lakegateRequire } from 'node:module'; const require = lakegateRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
