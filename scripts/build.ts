/** Bundles the `lakegate` command into dist/: one start-up chunk, and one for each command and part that is loaded when it is needed. */
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: { cli: 'bin/cli.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  // Native or large, and loaded only by what needs them: left to node_modules.
  external: ['@duckdb/node-api', '@slack/web-api', 'chokidar', 'cli-progress'],
  // CommonJS packages inside the bundle ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as lakegateRequire } from 'node:module'; const require = lakegateRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
