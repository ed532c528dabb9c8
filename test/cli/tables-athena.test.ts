/** What Athena is to write, and where: wrong words are found before AWS is asked anything. */
import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/program.ts';

async function tables(...words: string[]): Promise<{ code: number; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(['tables', ...words], { out, err, cwd: '/tmp', env: { AWS_REGION: 'eu-west-1' } });
  return { code, err: String(err.read() ?? '') };
}

const BUCKET = ['bucket', '--database', 'consumer', '--base'];
const ER = ['er', '--database', 'consumer', '--folder'];

test.each([
  [[...BUCKET, 'bucketed'], '--base: Athena writes to S3 alone: expected an s3:// URL, found "bucketed"'],
  [[...BUCKET, 's3://acme-lake/b/', '--results', '/tmp/r'], '--results: Athena writes to S3 alone'],
  [[...BUCKET, 's3://acme-lake/b/', '--version-suffix', '../v'], "--version-suffix: expected a folder's name"],
  [[...BUCKET, 's3://acme-lake/b/', '--final-prefix', 'my-'], 'expected letters, digits and underscores, found "my-"'],
  [[...BUCKET, 's3://acme-lake/b/', '--tables', ','], 'expected names by commas, found ","'],
  [['register', '--database', 'd', '--root', '/tmp', '--tables', ','], 'expected names by commas, found ","'],
  [['run', 'all', '--tables', ','], 'expected names by commas, found ","'],
  [['run', 'all', '--sources', ','], 'expected names by commas, found ","'],
  [[...ER, 'er'], '--folder: Athena writes to S3 alone'],
  [[...ER, 's3://acme-lake/er/', '--snapshot', 'today'], 'expected a date such as 2026-01-31, found "today"'],
])('%j is refused', async (words, message) => {
  expect(await tables(...words)).toEqual({ code: 2, err: expect.stringContaining(message) });
});
