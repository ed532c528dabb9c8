/**
 * Bundles the Lambda functions: `node scripts/build-lambdas.ts [folder]` puts each into its own folder, `dist/lambdas/` by default. The CDK
 * app calls `bundleLambda` at synth, with the stage's configuration.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { type BuildResult, build } from 'esbuild';
import type { CatalogConfig, LakeConfig } from '../src/config/model.ts';
import { LakegateError } from '../src/errors.ts';

/** The functions, each a folder under `lambdas/` with a `handler.ts`. */
export const LAMBDAS = ['wap-audit', 'notify', 'maintenance', 'partition-mgmt', 'report', 'tables'] as const;
export type LambdaName = (typeof LAMBDAS)[number];

/** What Lambda calls (`Handler` of the function). */
export const HANDLER = 'handler.handler';

const root = resolve(import.meta.dirname, '..');

/**
 * Modules that no function comes to, since its configuration comes resolved, no stage has a catalogue in a file, its messages go to the bus and it runs in no browser: they are left
 * out. A call that reached one all the same would fail and name it.
 */
const LEFT_OUT =
  /\/src\/catalogs\/(pyiceberg-config|pyiceberg-here|sqlite)\.ts$|\/src\/notify\/notifiers\.ts$|\/src\/sql\/duckdb\.ts$|\/node_modules\/bowser\//;

/** The module that opens a kind of catalogue: left out where the stage has none of the kind. */
const CATALOG_MODULES: Partial<Record<CatalogConfig['type'], RegExp>> = {
  glue: /\/src\/catalogs\/glue\.ts$/,
  rest: /\/src\/catalogs\/rest\.ts$/,
  nessie: /\/src\/catalogs\/nessie\.ts$/,
};

/** Clients that only some configurations come to: Athena's for `sql` rules, Secrets Manager's for catalogues that one signs in to. */
const ATHENA = /\/src\/sql\/athena\.ts$/;
const SECRETS = /\/src\/secrets\/secrets-manager\.ts$/;

function leftOut(name: LambdaName, config: LakeConfig | undefined): RegExp {
  if (config === undefined) return LEFT_OUT;
  const kinds = new Set(Object.values(config.catalogs).map(({ type }) => type));
  // Nessie's tables are reached through its Iceberg REST endpoint.
  if (kinds.has('nessie')) kinds.add('rest');
  const unused = Object.entries(CATALOG_MODULES).filter(([kind]) => !kinds.has(kind as CatalogConfig['type']));
  const rules = [...config.tables, ...(config.autoTables ? [config.autoTables] : [])].flatMap((table) => table.rules);
  const signsIn = Object.values(config.catalogs).some(
    (catalog) => 'auth' in catalog && /bearer|oauth2/.test(catalog.auth.kind),
  );
  const others = [
    ...(rules.some(({ rule }) => rule === 'sql') ? [] : [ATHENA]),
    // The functions that publish leave telling people, with its token, to `notify`.
    ...(signsIn || name === 'notify' ? [] : [SECRETS]),
  ];
  return new RegExp(
    [LEFT_OUT, ...unused.map(([, pattern]) => pattern), ...others].map(({ source }) => source).join('|'),
  );
}

/** The SDK's descriptions of all that a service takes and gives, of which a function uses a few. */
const SDK_SCHEMAS = /\/node_modules\/@aws-sdk\/client-[^/]+\/dist-es\/schemas\/schemas_0\.js$/;

/**
 * Writes keys that are named by a constant (`[_xN]: 1`) as the text they are: a bundler must take a computed key for something that may do
 * anything, and keeps whatever has one.
 */
function withPlainKeys(source: string): string {
  const constants = new Map<string, string>();
  for (const [, name, text] of source.matchAll(/^const (\w+) = ("[^"\\]*");$/gm)) constants.set(name!, text!);
  return source.replace(/\[(\w+)\]:/g, (whole, name: string) =>
    constants.has(name) ? `${constants.get(name)}:` : whole,
  );
}

/**
 * What the SDK brings for other places. Lambda gives a function its credentials by the environment: files, single sign-on and the metadata of
 * machines, with their clients, are for a person's machine. Of avsc only the types: its main module starts RPC services, too.
 */
const INSTEAD = {
  avsc: 'avsc/etc/browser/avsc-types.js',
  '@aws-sdk/credential-provider-node': join(root, 'lambdas', 'credentials.ts'),
  '@smithy/core/event-streams': join(root, 'lambdas', 'event-streams.ts'),
};

/**
 * Bundles one function: ES modules for Lambda's Node 24, one chunk for the start and one for each part that is loaded later, source maps beside
 * them. The AWS SDK is bundled, so that its version is the lock file's.
 * @param outDir emptied first; afterwards all that Lambda needs, `handler.mjs` at its root
 * @param config the stage's configuration, packed as `lake.json` (split maps beside lake.yaml as `maps/<source>.csv`), with the catalogues it names and no others; without it all catalogues are in,
 *   and the environment variable LAKEGATE_CONFIG_FILE has to lead to a configuration
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
    alias: INSTEAD,
    inject: [join(root, 'lambdas', 'require.ts')],
    plugins: [
      {
        name: 'left-out',
        setup({ onLoad }) {
          onLoad({ filter: leftOut(name, config) }, ({ path }) => ({
            contents: `throw new Error(${JSON.stringify(`${relative(root, path)} is not part of this function`)});`,
            loader: 'js',
          }));
          onLoad({ filter: SDK_SCHEMAS }, async ({ path }) => ({
            contents: withPlainKeys(await readFile(path, 'utf8')),
            loader: 'js',
          }));
        },
      },
    ],
    logLevel: 'warning',
  });
  if (config !== undefined) {
    await writeFile(join(outDir, 'lake.json'), JSON.stringify(withPackedMaps(config)));
    if (name === 'tables') await packMaps(outDir, config);
  }
  return metafile;
}

/** Split maps beside lake.yaml go with the function. Where they lay on the machine that deploys makes no difference. */
function packedMaps({ pipelines }: LakeConfig): { source: string; from: string; as: string }[] {
  return (pipelines?.sources ?? []).flatMap(({ name, map }) =>
    map?.startsWith('file:') ? [{ source: name, from: map.replace(/^file:\/\//, ''), as: `maps/${name}.csv` }] : [],
  );
}

function withPackedMaps(config: LakeConfig): LakeConfig {
  const { pipelines } = config;
  if (pipelines === undefined) return config;
  const packed = new Map(packedMaps(config).map(({ source, as }) => [source, as]));
  const sources = pipelines.sources.map((source) => {
    const map = packed.get(source.name) ?? source.map;
    return map === undefined ? source : { ...source, map };
  });
  return { ...config, pipelines: { ...pipelines, sources } };
}

async function packMaps(outDir: string, config: LakeConfig): Promise<void> {
  const maps = packedMaps(config);
  if (maps.length > 0) await mkdir(join(outDir, 'maps'), { recursive: true });
  for (const { source, from, as } of maps) {
    try {
      await copyFile(from, join(outDir, as));
    } catch (cause) {
      throw new LakegateError(
        'config',
        `pipelines.sources.${source}.map: expected a split map to deploy, found none that can be read at ${from}`,
        { cause },
      );
    }
  }
}

/** Bundles all functions, each into its own folder under the given one. */
async function bundleAll(folder: string): Promise<void> {
  for (const name of LAMBDAS) {
    await bundleLambda(name, join(folder, name));
    process.stdout.write(`${join(folder, name)}: ${(await readdir(join(folder, name))).length} files\n`);
  }
}

// No await: what imports this module may be CommonJS. A failure ends the process all the same.
if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  bundleAll(resolve(process.argv[2] ?? join(root, 'dist', 'lambdas')));
}
