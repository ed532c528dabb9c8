/** Stages synthesised as `cdk synth` does it, but for the functions' code, which is one empty handler. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addStage, type StageStacks } from '../../lib/lakegate-app.ts';
import { loadStages } from '../../src/config/load.ts';

/** The settings that users get. */
const { context: CONTEXT } = JSON.parse(readFileSync(resolve(__dirname, '../../cdk.json'), 'utf8')) as {
  context: Record<string, unknown>;
};

const code = mkdtempSync(join(tmpdir(), 'lakegate-stacks-'));
writeFileSync(join(code, 'handler.mjs'), 'export const handler = async () => ({});\n');
afterAll(() => rmSync(code, { recursive: true, force: true }));

/** A resource of a template. */
export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
}

export interface Synthesized {
  app: App;
  stacks: StageStacks;
  /** By stack: `lake`, `alerts`, `gate`, `nessie`. */
  templates: Record<string, Template>;
  /** Resources of a kind over all stacks of the stage. */
  all(type: string): Resource[];
  /** Warnings of the synthesis. */
  warnings: string[];
}

/** @param yaml lake.yaml with one stage */
export function synthesize(yaml: string, context: Record<string, unknown> = {}): Synthesized {
  const app = new App({ context: { ...CONTEXT, ...context } });
  const [lake] = loadStages(yaml, '/lake/lake.yaml');
  const stacks = addStage(app, lake!, {
    'wap-audit': code,
    notify: code,
    maintenance: code,
    'partition-mgmt': code,
    report: code,
    tables: code,
  });
  const assembly = app.synth();
  const templates = Object.fromEntries(
    Object.entries(stacks).map(([name, stack]) => [name, Template.fromStack(stack as Stack)]),
  );
  return {
    app,
    stacks,
    templates,
    all: (type) =>
      Object.values(templates).flatMap((template) => Object.values(template.findResources(type)) as Resource[]),
    warnings: assembly.stacks.flatMap(({ messages }) => messages.map(({ entry }) => String(entry.data))),
  };
}
