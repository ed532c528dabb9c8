import { readFileSync } from 'node:fs';
import { configFingerprint } from '../config/fingerprint.ts';
import type { LakeConfig, StageConfig } from '../config/model.ts';
import { catalogChecks, laptopChecks } from '../doctor/lake-checks.ts';
import { notTried, runChecks } from '../doctor/run-checks.ts';
import { callerCheck, stageChecks } from '../doctor/stage-checks.ts';
import { type Finding, failed, ok } from '../doctor/verdict.ts';
import { isKind } from '../errors.ts';
import { VERSION } from '../version.ts';
import type { CommandContext } from './context.ts';
import { renderFindings } from './findings.ts';
import { atDeployedNessie, readConfig, withOpened } from './lake.ts';
import { createLakeProbe } from './lake-probe.ts';
import { describeError, EXIT, type ExitCode, quoted } from './output.ts';
import { count } from './words.ts';

/** `lakegate doctor`: whether everything that the lake needs is there and as it should be, and what to do where it is not. Changes nothing. */
export async function doctor(context: CommandContext): Promise<ExitCode> {
  const findings = [
    { name: 'versions', ...ok(`lakegate ${VERSION}, Node.js ${process.version}`) },
    ...(await findingsOf(context)),
  ];
  const { stage } = context.options;
  context.output.result({ ...(stage !== undefined && { stage }), checks: findings }, () =>
    renderFindings(findings, context.output),
  );
  return isWell(findings) ? EXIT.done : EXIT.failed;
}

/** Single things may be out of these credentials' sight; where all of them are, nothing is known of the lake. */
function isWell(findings: readonly Finding[]): boolean {
  const looked = findings.filter(({ name }) => name !== 'versions' && name !== 'lake.yaml');
  if (findings.some(({ status }) => status === 'failed')) return false;
  return looked.length === 0 || looked.some(({ status }) => status !== 'unchecked');
}

async function findingsOf(context: CommandContext): Promise<Finding[]> {
  let config: LakeConfig;
  try {
    config = await readConfig(context);
  } catch (error) {
    if (!isKind(error, 'config')) throw error;
    return [
      { name: 'lake.yaml', ...failed(describeError(error), 'mend it, then look again: nothing else was looked at') },
    ];
  }
  const read: Finding = { name: 'lake.yaml', ...ok(describeConfig(config)) };
  const { stage } = config;
  return [
    read,
    ...(stage === undefined ? await onLaptop(context, config) : await onStage(context, { ...config, stage })),
  ];
}

async function onLaptop(context: CommandContext, config: LakeConfig): Promise<Finding[]> {
  return withOpened(context, config, (lake) =>
    runChecks(laptopChecks(lake.config, createLakeProbe(lake, context.terminal.env))),
  );
}

async function onStage(context: CommandContext, config: LakeConfig & { stage: StageConfig }): Promise<Finding[]> {
  const { terminal } = context;
  const { createStageProbe } = await import('../aws/stage-probe.ts');
  const probe = createStageProbe(config.stage.region, terminal.env);
  const expected = {
    config: await deployedFingerprint(config),
    version: VERSION,
    deploy: deployCommand(context, config.stage),
  };
  const ofStage = stageChecks(config, probe, expected);
  const [caller] = (await runChecks([callerCheck(config.stage, probe)])) as [Finding];
  // Asked with the credentials of another account, everything would seem to be missing.
  if (caller.status !== 'ok') return [caller, ...notTried(ofStage, 'not looked at without the right AWS credentials')];
  // Where the stack cannot be read, its check says so; the catalogue's then says that its address is not known.
  const atNessie = await atDeployedNessie(context, config).catch(() => context);
  return withOpened(atNessie, config, async (lake) => {
    const checks = [...ofStage, ...catalogChecks(lake.config, createLakeProbe(lake, terminal.env))];
    return [caller, ...(await runChecks(checks))];
  });
}

/** As `cdk deploy` would pack it: neither variables of this environment nor catalogues of PyIceberg's file go into a deployment. */
async function deployedFingerprint({ source, stage }: LakeConfig & { stage: StageConfig }): Promise<string> {
  const { loadConfig } = await import('../config/load.ts');
  return configFingerprint(loadConfig(readFileSync(source!, 'utf8'), source!, {}, {}, stage.name));
}

function deployCommand({ options }: CommandContext, stage: StageConfig): string {
  const file = options.config === undefined ? '' : ` -c config=${quoted(options.config)}`;
  return `npx cdk deploy --all -c stage=${stage.name}${file}`;
}

function describeConfig({ source, tables, stage }: LakeConfig): string {
  if (source === undefined) return 'there is none: an embedded lake in ./.lakegate, a table for each folder of drops';
  const of = stage === undefined ? '' : `, stage ${stage.name}`;
  return `${source}, ${count(tables.length, 'table')}${of}`;
}
