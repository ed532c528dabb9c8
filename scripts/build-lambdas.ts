/**
 * Bundles the Lambda functions: `node scripts/build-lambdas.ts [folder]` puts each into its own folder, `dist/lambdas/` by default. The CDK
 * app calls `bundleLambda` at synth, with the stage's configuration.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { type BuildResult, build } from 'esbuild';
import type { LakeConfig } from '../src/config/model.ts';

/** The functions, each a folder under `lambdas/` with a `handler.ts`. */
export const LAMBDAS = ['wap-audit', 'notify', 'maintenance'] as const;
export type LambdaName = (typeof LAMBDAS)[number];

/** What Lambda calls (`Handler` of the function). */
export const HANDLER = 'handler.handler';

const root = resolve(import.meta.dirname, '..');

/**
 * Parts of the core that a function never comes to, since its configuration comes resolved and its messages go to the bus: they are left out.
 * A call that reached one all the same would fail and name it.
 */
const LEFT_OUT: Readonly<Record<LambdaName, readonly RegExp[]>> = {
  'wap-audit': [/\/pyiceberg-(config|here)\.ts$/, /\/notifiers\.ts$/, /\/sql\/duckdb\.ts$/],
  notify: [/\/pyiceberg-(config|here)\.ts$/, /\/notifiers\.ts$/, /\/sql\/duckdb\.ts$/],
  maintenance: [/\/pyiceberg-(config|here)\.ts$/, /\/notifiers\.ts$/, /\/sql\/duckdb\.ts$/],
};

/**
 * Bundles one function: ES modules for Lambda's Node 24, one chunk for the start and one for each part that is loaded later, source maps beside
 * them. The AWS SDK is bundled, so that its version is the lock file's.
 * @param outDir emptied first; afterwards all that Lambda needs, `handler.mjs` at its root
 * @param config the stage's configuration, packed as `lake.json`; without it the environment variable LAKEGATE_CONFIG_FILE has to lead to one
 * @returns esbuild's metafile: where the bytes come from
 */
export async function bundleLambda(
  name: LambdaName,
  outDir: string,
  config?: LakeConfig,
): Promise<NonNullable<BuildResult['metafile']>> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { handler: `lambdas/${name}/handler.ts` },
    outdir: outDir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    sourcemap: true,
    // A stack trace needs places, not the text: the sources are in the repository.
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    alias: { avsc: 'avsc/etc/browser/avsc-types.js' },
    banner: {
      js: "import { createRequire as lakegateRequire } from 'node:module'; const require = lakegateRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'left-out',
        setup({ onLoad }) {
          for (const filter of LEFT_OUT[name]) {
            onLoad({ filter }, ({ path }) => ({
              contents: `throw new Error(${JSON.stringify(`${path.slice(root.length + 1)} is not part of this function`)});`,
              loader: 'js',
            }));
          }
        },
      },
    ],
    logLevel: 'warning',
  });
  if (config !== undefined) await writeFile(join(outDir, 'lake.json'), JSON.stringify(config));
  return metafile;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const folder = resolve(process.argv[2] ?? join(root, 'dist', 'lambdas'));
  for (const name of LAMBDAS) {
    await bundleLambda(name, join(folder, name));
    const files = await readdir(join(folder, name));
    process.stdout.write(`${join(folder, name)}: ${files.length} files\n`);
  }
}
