import { lakeYamlJsonSchema } from '../config/schema.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode, toJson } from './output.ts';

/** `lakegate schema`: lake.yaml's JSON Schema, with `--json` and without. */
export async function schema({ output }: CommandContext): Promise<ExitCode> {
  const value = lakeYamlJsonSchema();
  output.result(value, () => toJson(value));
  return EXIT.done;
}
