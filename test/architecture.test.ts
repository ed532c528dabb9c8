/** Holds the rules of the house that a reader would otherwise have to remember: who may import whom, and how long a module may be. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(__dirname, '..');

interface Module {
  /** Path from the root, `src/gate/deliver.ts`. */
  path: string;
  text: string;
  lines: number;
  /** What it imports when it is loaded or later; types are no import. */
  imports: string[];
}

function modulesUnder(folder: string): Module[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const path = join(folder, file);
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, lines: text.split('\n').length - 1, imports: importsOf(path, text) };
    });
}

/** Value imports (static and dynamic) and re-exports; relative ones as paths from the root. */
function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  const statements = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\bfrom\s+)?'([^']+)'/gm;
  for (const [statement, specifier] of text.matchAll(statements)) {
    const names = /\{([^}]*)\}/s.exec(statement)?.[1];
    const onlyTypes = names?.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
    if (!onlyTypes || /^\w+\s*,/.test(statement.replace(/^(import|export)\s+/, ''))) found.push(specifier!);
  }
  for (const [, specifier] of text.matchAll(/\bimport\(\s*'([^']+)'/g)) found.push(specifier!);
  return found.map((specifier) =>
    specifier.startsWith('.') ? relative(root, resolve(root, dirname(path), specifier)) : specifier,
  );
}

const modules = modulesUnder('src');
const inFolder = (folder: string) => modules.filter(({ path }) => path.startsWith(`src/${folder}/`));

/** Modules that open files, sockets, databases or other programs; everything else meets them through a port. */
const ADAPTERS = [
  /^src\/storage\/(?!store\.ts|urls\.ts)/,
  /^src\/catalogs\/(sqlite|glue|rest|nessie|open|metadata-files|pyiceberg-here)/,
  /^src\/notify\/(slack|slack-client|teams|event-bus|event-bridge|notifiers)\.ts$/,
  /^src\/secrets\/(reader|secrets-manager)\.ts$/,
  /^src\/sql\//,
  /^src\/reports\/(cleanrooms\/aws|monitor\/glue-tables)\.ts$/,
  /^src\/partitions\/(glue|glue-requests|s3-folders)\.ts$/,
  /^src\/tables\/(glue-tables|glue-partition|engine-duckdb|engine-spark)\.ts$/,
  /^src\/aws\//,
];
const isAdapter = (path: string) => ADAPTERS.some((pattern) => pattern.test(path));

/** Only these put adapters together. */
const COMPOSERS = [/^src\/compose(-\w+)?\.ts$/, /^src\/cli\//];

const OUTSIDE =
  /^node:(fs|net|http|https|os|child_process|dns|tls|sqlite|worker_threads|readline|process)(\/|$)|^@aws-sdk\/|^@slack\/|^@duckdb\//;

test('there are modules to check', () => {
  expect(modules.length).toBeGreaterThan(100);
  // And their imports are seen, static ones and those that wait.
  const composed = modules.find(({ path }) => path === 'src/compose.ts')?.imports;
  expect(composed).toEqual(expect.arrayContaining(['src/storage/stores.ts', 'src/sql/duckdb.ts', 'node:fs']));
});

test('only adapters, compose.ts and the command touch the outside world', () => {
  const wrong = modules
    .filter(({ path }) => !isAdapter(path) && !COMPOSERS.some((pattern) => pattern.test(path)))
    .flatMap(({ path, imports }) =>
      imports.filter((name) => OUTSIDE.test(name)).map((name) => `${path} imports ${name}`),
    );
  expect(wrong).toEqual([]);
});

test('only compose.ts and the command build adapters', () => {
  const wrong = modules
    .filter(({ path }) => !isAdapter(path) && !COMPOSERS.some((pattern) => pattern.test(path)))
    .flatMap(({ path, imports }) => imports.filter(isAdapter).map((name) => `${path} imports ${name}`));
  expect(wrong).toEqual([]);
});

test('clock, chance, environment and console reach the core through ports', () => {
  const impure =
    /\bDate\.now\(|new Date\(\)|\bMath\.random\(|\bprocess\.(env|cwd|stdout|stderr)\b|\bconsole\.|\brandomUUID\(|\brandomBytes\(/;
  const core = ['iceberg', 'parquet', 'rules', 'gate', 'formats', 'config', 'tables', 'pipelines'].flatMap(inFolder);
  const wrong = core.flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => ({ line, at: `${path}:${index + 1}` }))
      .filter(({ line }) => impure.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
      .map(({ at }) => at),
  );
  expect(wrong).toEqual([]);
});

/** What each folder may import; a folder that is not named may import nothing of ours but itself. */
const LAYERS: Record<string, string[]> = {
  parquet: ['storage', 'rules'],
  iceberg: ['parquet', 'storage', 'catalogs'],
  formats: ['iceberg', 'parquet', 'storage', 'config'],
  rules: ['iceberg', 'parquet', 'storage'],
  catalogs: ['iceberg', 'storage', 'config', 'secrets', 'aws'],
  storage: [],
  secrets: ['config'],
  sql: ['rules', 'storage'],
  notify: ['rules', 'config', 'events', 'storage'],
  events: [],
  maintenance: ['catalogs', 'config', 'gate', 'iceberg', 'notify', 'storage'],
  config: ['iceberg', 'rules', 'partitions'],
  tables: ['catalogs', 'parquet', 'storage'],
  reports: [
    'aws',
    'catalogs',
    'config',
    'gate',
    'iceberg',
    'maintenance',
    'notify',
    'parquet',
    'partitions',
    'rules',
    'storage',
  ],
  partitions: ['storage', 'config', 'catalogs'],
  pipelines: ['catalogs', 'config', 'notify', 'parquet', 'partitions', 'rules', 'storage', 'tables'],
  gate: ['catalogs', 'config', 'formats', 'iceberg', 'notify', 'parquet', 'rules', 'storage'],
  aws: ['config', 'doctor', 'secrets', 'storage'],
  doctor: ['config', 'pipelines'],
  cli: [
    'aws',
    'catalogs',
    'config',
    'doctor',
    'events',
    'formats',
    'gate',
    'iceberg',
    'notify',
    'parquet',
    'partitions',
    'pipelines',
    'reports',
    'rules',
    'storage',
    'sql',
    'tables',
    'reading',
    'secrets',
  ],
};

test('folders import downwards only', () => {
  const folderOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1];
  const wrong = modules.flatMap(({ path, imports }) => {
    const own = folderOf(path);
    if (own === undefined) return [];
    return imports
      .map((name) => ({ name, folder: folderOf(name) }))
      .filter(({ folder }) => folder !== undefined && folder !== own && !(LAYERS[own] ?? []).includes(folder))
      .map(({ name }) => `${path} imports ${name}`);
  });
  expect(wrong).toEqual([]);
});

test('no module imports itself round a corner', () => {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) {
      cycles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const next of byPath.get(path)?.imports ?? []) if (byPath.has(next)) visit(next, [...way, path]);
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  expect(cycles).toEqual([]);
});

test('a module has one reason to exist: at most 300 lines', () => {
  expect(modules.filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
});

test('no drawers', () => {
  const drawers = /(^|[/-])(utils?|helpers?|common|misc|shared)(\.ts$|\/)/;
  expect(modules.map(({ path }) => path).filter((path) => drawers.test(path))).toEqual([]);
});

test('the stacks share with what they deploy names and types alone', () => {
  const allowed = [
    'src/config/did-you-mean.ts',
    'src/config/fingerprint.ts',
    'src/errors.ts',
    'src/notify/event-source.ts',
    'src/version.ts',
    'src/pipelines/machine.ts',
    'lambdas/metric-names.ts',
    'lambdas/partition-mgmt/retryable.ts',
  ];
  const wrong = modulesUnder('lib').flatMap(({ path, imports, lines }) => [
    ...imports
      .filter((name) => /^(src|lambdas|bin|scripts)\//.test(name) && !allowed.includes(name))
      .map((name) => `${path} imports ${name}`),
    ...(lines > 300 ? [`${path}: ${lines} lines`] : []),
  ]);
  expect(wrong).toEqual([]);
});
