import { readFileSync } from 'node:fs';
import { VERSION } from '../../src/version.ts';
import { lakeFolder, removeFolders } from './lake-folder.ts';

afterAll(removeFolders);

const BAD_YAML = `version: 1
rawr: ./raw
tables:
  sales.orders:
    from: orders/
    on_failure: keep_brunch
    rules:
      - not_nul: "*"
`;

test('the version is the package', async () => {
  expect(VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  expect(await lakeFolder().run('--version')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
});

test.each([
  ['drp x', /unknown command 'drp'\n\(Did you mean drop\?\)/],
  ['delivery lst', /unknown command 'lst'\n\(Did you mean list\?\)/],
  ['drop --tabel x y', /unknown option '--tabel'\n\(Did you mean --table\?\)/],
  ['table list --jsn', /unknown option '--jsn'\n\(Did you mean --json\?\)/],
  ['drop', /missing required argument 'file'/],
  ['table list more', /too many arguments/],
  ['load -n zero', /expected a whole number from 1, found "zero"/],
  ['load -n 0', /expected a whole number from 1/],
  ['delivery list --state gone', /Allowed choices are received, staged, published/],
  ['audit nothing.parquet', /there is no file nothing\.parquet/],
  ['drop nothing.parquet', /there is no file .*nothing\.parquet/],
  ['table list --config nothing.yaml', /there is no .*nothing\.yaml; `lakegate init --config nothing\.yaml` makes one/],
  ['table list --catalog nothing', /there is no catalogue "nothing"; lake\.yaml and \.pyiceberg\.yaml have: default/],
  ['delivery show zz', /"zz" is no delivery id/],
  ['delivery show abc', /there is no delivery abc; `lakegate delivery list`/],
  ['table rollback orders', /say what to roll back: --to SNAPSHOT .* or --delivery ID/],
  ['table expire --older-than soon', /"soon" is no duration: expected a number and a unit/],
  ['drop x --table no-name', /there is no file/],
  ['drop x --no-wait', /--no-wait leaves the work to a deployed gate: say which by --stage NAME/],
  ['drop x --no-wait --here', /--no-wait has no meaning beside it/],
  ['load --stage dev --catalog glue', /--catalog needs --here/],
  ['dev --stage dev', /stage dev has one: .*`lakegate delivery redrive --stage dev`/],
  ['demo --stage dev', /call it without --stage/],
  ['delivery redrive', /say which by --stage NAME/],
  ['doctor --config nothing.yaml --stage dev --catalog x y', /too many arguments/],
])('wrong usage ends with 2 and says what is meant: %s', async (words, message) => {
  const { code, out, err } = await lakeFolder().run(words);
  expect(err).toMatch(message);
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

test.each(['', 'delivery', 'table'])('without a verb the help is shown, as wrong usage: "%s"', async (words) => {
  const { code, out, err } = await lakeFolder().run(words === '' ? [] : words);
  expect(err).toContain('Usage: lakegate');
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

test('every fault of lake.yaml is told at once, each with its line', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', BAD_YAML);
  const { code, err } = await folder.run('table list');
  expect(code).toBe(2);
  expect(err).toContain('lake.yaml has 3 faults');
  expect(err).toMatch(/lake\.yaml:2:1 .*Did you mean raw\?/);
  expect(err).toMatch(/lake\.yaml:6:\d+ tables\.sales\.orders\.on_failure.*Did you mean keep_branch\?/);
  expect(err).toMatch(/lake\.yaml:8:\d+ .*Did you mean not_null\?/);
});

test('options of all commands may stand before the command', async () => {
  const folder = lakeFolder();
  expect(await folder.run('--json table list')).toEqual({ code: 0, out: '[]\n', err: '' });
});

test('help fits 80 columns, and the main one has examples', async () => {
  const folder = lakeFolder();
  const texts = await Promise.all(
    ['--help', 'drop --help', 'load --help', 'delivery --help', 'delivery list --help', 'table expire --help'].map(
      async (words) => {
        const { code, out } = await folder.run(words);
        expect(code).toBe(0);
        return out;
      },
    ),
  );
  expect(texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 80)).toEqual([]);
  expect(texts[0]).toContain('Examples:');
  expect(texts[1]).toContain('--config <file>');
});

test('nothing in a file name or a message is obeyed by the terminal', async () => {
  const { err } = await lakeFolder().run(['drop', 'a\u{1b}[31m.parquet']);
  expect(err).not.toContain('\u{1b}');
  expect(err).toContain('\\u{1b}[31m.parquet');
});
