/** Makes `.interop/` for `npm run test:interop`: the engines and the emulators (Python venvs and jars), exactly as pinned. With names of parts, those alone. Does nothing while both are up to date. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';

const ROOT = resolve(import.meta.dirname, '..');
const HOME = join(ROOT, '.interop');

/** What the machine must have, how it tells its version, and what that must look like. */
const TOOLS = [
  { command: 'python3', args: ['--version'], expected: 'Python 3.10 or newer', fits: /^Python 3\.(1\d|[2-9]\d)\./m },
  { command: 'java', args: ['-version'], expected: 'Java 17 (Spark 3.5 runs on no newer)', fits: /version "17[.\d]*"/ },
  { command: 'mvn', args: ['-version'], expected: 'Maven 3', fits: /Apache Maven 3\./ },
] as const;

type ToolName = (typeof TOOLS)[number]['command'];

/** A part of `.interop/` that is made anew whenever the file that pins it changes. */
interface Part {
  folder: string;
  /** What it is made with. */
  tools: readonly ToolName[];
  pins: string;
  make(folder: string, pins: string): void;
}

const PARTS: readonly Part[] = [
  { folder: 'venv', pins: 'test/interop/requirements.txt', tools: ['python3'], make: makeVenv },
  { folder: 'aws-venv', pins: 'test/interop/requirements-aws.txt', tools: ['python3'], make: makeVenv },
  { folder: 'glue-venv', pins: 'test/interop/requirements-glue.txt', tools: ['python3'], make: makeVenv },
  { folder: 'jars', pins: 'test/interop/pom.xml', tools: ['java', 'mvn'], make: copyJars },
  { folder: 'rest-jars', pins: 'test/interop/pom-rest.xml', tools: ['java', 'mvn'], make: copyJars },
  { folder: 'nessie-jars', pins: 'test/interop/pom-nessie.xml', tools: ['java', 'mvn'], make: copyJars },
  { folder: 'event-ruler-jars', pins: 'test/interop/pom-event-ruler.xml', tools: ['java', 'mvn'], make: copyJars },
];

function makeVenv(folder: string, pins: string): void {
  run('python3', ['-m', 'venv', '--clear', folder]);
  run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--requirement', pins]);
}

function copyJars(folder: string, pins: string): void {
  rmSync(folder, { recursive: true, force: true });
  run('mvn', ['-q', '-B', '-f', pins, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]);
}

/** Every tool that is missing or of the wrong version, in one message: a suite that cannot run is a failure, never a skip. */
function checkTools(parts: readonly Part[]): void {
  const needed = new Set(parts.flatMap(({ tools }) => tools));
  const faults = TOOLS.filter(({ command }) => needed.has(command)).flatMap(({ command, args, expected, fits }) => {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    const answer = `${stdout ?? ''}${stderr ?? ''}`;
    if (status === 0 && fits.test(answer)) return [];
    const found = status === 0 ? (answer.trim().split('\n')[0] ?? '') : 'nothing that runs';
    return [`  ${command}: expected ${expected}, found ${found}`];
  });
  if (faults.length > 0) fail(`The interop suite needs tools that this machine lacks:\n${faults.join('\n')}`);
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) fail(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`);
}

function fail(message: string): never {
  process.stderr.write(`interop-setup: ${message}\n`);
  process.exit(1);
}

function bringUpToDate({ folder, pins, make }: Part): void {
  const target = join(HOME, folder);
  const source = join(ROOT, pins);
  const stamp = join(HOME, `${folder}.stamp`);
  const wanted = createHash('sha256').update(readFileSync(source)).digest('hex');
  const there = existsSync(stamp) && existsSync(target) ? readFileSync(stamp, 'utf8') : '';
  if (there === wanted) return;
  process.stdout.write(`interop-setup: making ${target} as ${pins} says\n`);
  // A stamp stands for a finished part only: one that is interrupted is made again.
  rmSync(stamp, { force: true });
  make(target, source);
  writeFileSync(stamp, wanted);
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => PARTS.every(({ folder }) => folder !== name));
if (unknown.length > 0)
  fail(`there is no part ${unknown.join(', ')}; there are: ${PARTS.map(({ folder }) => folder).join(', ')}`);
const parts = names.length === 0 ? PARTS : PARTS.filter(({ folder }) => names.includes(folder));
checkTools(parts);
for (const part of parts) bringUpToDate(part);
