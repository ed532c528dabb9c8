/**
 * The CDK app: `npx cdk synth`, `npx cdk deploy --all`. Reads lake.yaml beside cdk.json, or what `-c config=PATH` says, and makes the stacks of
 * each of its stages, or of `-c stage=NAME` alone.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { App } from 'aws-cdk-lib';
import { chosenStages } from '../lib/chosen-stages.ts';
import { addStage, checkByNag, type StageCode } from '../lib/lakegate-app.ts';
import { bundleLambda, LAMBDAS } from '../scripts/build-lambdas.ts';
import { loadStages } from '../src/config/load.ts';
import { LakegateError } from '../src/errors.ts';

const app = new App();
try {
  await synthesize(String(app.node.tryGetContext('config') ?? 'lake.yaml'), app.node.tryGetContext('stage'));
} catch (error) {
  if (!(error instanceof LakegateError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function synthesize(config: string, stage: unknown): Promise<void> {
  const path = resolve(config);
  const lakes = chosenStages(loadStages(textOf(path), path), stage);
  // The bundles are copied into the cloud assembly; what is left here is scratch.
  const scratch = mkdtempSync(join(tmpdir(), 'lakegate-lambdas-'));
  try {
    for (const lake of lakes) {
      const code: Partial<StageCode> = {};
      for (const name of LAMBDAS) {
        code[name] = join(scratch, lake.stage.name, name);
        await bundleLambda(name, code[name], lake);
      }
      addStage(app, lake, code as StageCode);
    }
    checkByNag(app);
    app.synth();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LakegateError(
      'config',
      `${path}: expected the lake to deploy, found no file. Write one (docs/deploy.md shows how), or say where it is: npx cdk deploy --all -c config=PATH`,
      { cause: error },
    );
  }
}
