/** How the Spark job is started and what is made of its end, with a program in Python's place. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SparkOptions, splitBySpark } from '../../src/tables/engine-spark.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-spark-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

let programs = 0;

/** A program that does this instead of Python; `$result` is where the job leaves its result. */
async function python(body: string): Promise<Omit<SparkOptions, 'onLine'>> {
  programs += 1;
  const path = join(scratch, `python-${programs}`);
  const result = `for word in "$@"; do case "$word" in --RESULT_PATH=*) result="\${word#*=}";; esac; done`;
  await writeFile(path, `#!/bin/sh\n${result}\n${body}\n`);
  await chmod(path, 0o755);
  return { python: path, memoryMb: 1024, env: process.env };
}

const RESULT = {
  snapshot: '2026-01-31',
  notes: ['n'],
  source: { files: 1, rows: 2 },
  tables: [{ table: 'T', outcome: 'written' }],
};

test('the job is told all as arguments, the map as a file; its lines and its result come back', async () => {
  const told = join(scratch, 'told');
  const options = await python(
    `[ "$LAKEGATE_SCRATCH" = "$PWD" ] || exit 9; printf '%s\\n' "$@" > ${told}; for word in "$@"; do case "$word" in --CSV_FILE=*) cat "\${word#*=}" >> ${told};; esac; done\necho 'T: 2 rows in 1 files'\necho '${JSON.stringify(RESULT)}' > "$result"`,
  );
  const lines: string[] = [];
  const result = await splitBySpark(
    { MODE: 'bucketed', SOURCE_PATH: "/a b/it's/" },
    { ...options, map: 'the,map\n', onLine: (line) => lines.push(line) },
  );
  expect([result, lines]).toEqual([RESULT, ['T: 2 rows in 1 files']]);
  const words = (await readFile(told, 'utf8')).split('\n');
  expect(words).toEqual([
    expect.stringMatching(/glue\/run_local\.py$/),
    '1024m',
    '*',
    '--MODE=bucketed',
    "--SOURCE_PATH=/a b/it's/",
    expect.stringMatching(/^--CSV_FILE=.*map\.csv$/),
    expect.stringMatching(/^--RESULT_PATH=.*result\.json$/),
    'the,map',
    '',
  ]);
  // Nothing of it stays behind.
  await expect(readFile(words[6]!.slice('--RESULT_PATH='.length))).rejects.toThrow('ENOENT');
});

test('tables that failed are a result; a refusal is a fault with the job’s own words', async () => {
  const failed = {
    ...RESULT,
    error: '1 of 1 tables failed',
    tables: [{ table: 'T', outcome: 'failed', reason: 'why' }],
  };
  const some = await python(`echo '${JSON.stringify(failed)}' > "$result"; exit 1`);
  expect(await splitBySpark({}, some)).toEqual(failed);
  const none = await python(
    `echo '${JSON.stringify({ ...failed, error: 'no snapshot there', tables: [] })}' > "$result"; exit 1`,
  );
  await expect(splitBySpark({}, none)).rejects.toMatchObject({ kind: 'invalid', message: 'no snapshot there' });
});

test('what is missing is named, and so is how it is put there', async () => {
  const lacking = await python("echo 'pyspark (pip install pyspark)' >&2; exit 3");
  await expect(splitBySpark({}, lacking)).rejects.toMatchObject({
    kind: 'unavailable',
    retryable: false,
    message: expect.stringMatching(
      /^Spark needs Python .*pyspark \(pip install pyspark\)\. Name another Python by --python or LAKEGATE_PYTHON.*`tables split --engine duckdb`, in a pipeline `engine: copy`$/,
    ) as string,
  });
  await expect(splitBySpark({}, { ...lacking, python: join(scratch, 'none') })).rejects.toThrow(
    'that program is not there',
  );
});

test('a job that dies says its last words', async () => {
  const dying = await python("echo 'java.lang.OutOfMemoryError' >&2; kill -9 $$");
  await expect(splitBySpark({}, dying)).rejects.toThrow(
    /ended with SIGKILL before it was done:\njava\.lang\.OutOfMemoryError/,
  );
});
