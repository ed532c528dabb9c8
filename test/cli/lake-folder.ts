/** A folder to run the command in, and a terminal that remembers what was said. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { runCli } from '../../src/cli/program.ts';

// Each call is a whole command with its durable writes: on a busy machine a few of them take their time.
jest.setTimeout(60_000);

export interface Said {
  code: number;
  out: string;
  err: string;
}

export interface CallOptions {
  /** Whether all three streams are a terminal. */
  tty?: boolean;
  /** Characters in a line of it. */
  width?: number;
  /** What the person types. */
  answer?: string;
  env?: Record<string, string>;
}

export interface LakeFolder {
  path: string;
  /** Runs `lakegate …` here. */
  run(words: string | readonly string[], options?: CallOptions): Promise<Said>;
  /** The same with `--json`. @returns the parsed document and the exit code */
  json<T>(words: string | readonly string[]): Promise<{ code: number; value: T }>;
  write(name: string, content: string | Uint8Array): string;
  /** A Parquet file of `id` and `name`; `nulls` rows of `name` are null. */
  parquet(name: string, rows: number, nulls?: number): string;
}

const folders: string[] = [];

/** Removes what the tests of a file made. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A fresh folder, whose name has a space in it. */
export function lakeFolder(): LakeFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'lakegate cli-')));
  folders.push(path);
  const folder: LakeFolder = {
    path,
    run: (words, options = {}) => call(path, typeof words === 'string' ? words.split(' ') : words, options),
    async json(words) {
      const list = typeof words === 'string' ? words.split(' ') : words;
      const { code, out } = await call(path, [...list, '--json'], {});
      return { code, value: JSON.parse(out) };
    },
    write(file, content) {
      writeFileSync(join(path, file), content);
      return join(path, file);
    },
    parquet: (file, rows, nulls = 0) => folder.write(file, parquetBytes(rows, nulls)),
  };
  return folder;
}

/** `id` counts from 0; `name` is null in the last `nulls` rows. */
export function parquetBytes(rows: number, nulls: number, extra: ColumnSource[] = []): Uint8Array {
  const ids = Array.from({ length: rows }, (_, row) => row);
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'id', type: 'INT32', nullable: true, data: ids },
        { name: 'name', type: 'STRING', nullable: true, data: ids.map((id) => (id < rows - nulls ? `n${id}` : null)) },
        ...extra,
      ],
    }),
  );
}

async function call(cwd: string, argv: readonly string[], options: CallOptions): Promise<Said> {
  const [out, err] = [recorder(options), recorder(options)];
  const input = Object.assign(new PassThrough(), { isTTY: options.tty ?? false });
  if (options.answer !== undefined) input.end(options.answer);
  const code = await runCli(argv, {
    in: input,
    out: out.stream,
    err: err.stream,
    cwd,
    env: { HOME: cwd, ...options.env },
  });
  return { code, out: out.text(), err: err.text() };
}

function recorder({ tty, width }: CallOptions) {
  const pieces: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      pieces.push(String(chunk));
      done();
    },
  });
  return {
    stream: Object.assign(stream, { isTTY: tty ?? false, ...(width === undefined ? {} : { columns: width }) }),
    text: () => pieces.join(''),
  };
}
