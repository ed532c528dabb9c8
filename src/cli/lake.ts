import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Caller } from '../aws/caller.ts';
import { describeMetadataSize } from '../catalogs/metadata-size.ts';
import { composeLake, type Lake } from '../compose.ts';
import { embeddedConfig } from '../config/embedded.ts';
import type { LakeConfig, StageConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import type { Step } from '../gate/ports.ts';
import type { CommandContext } from './context.ts';

/** The name a lake's description has when none is given. */
export const LAKE_YAML = 'lake.yaml';

/**
 * Reads the lake the command is about: `--config`, else ./lake.yaml, else the embedded lake in ./.lakegate.
 * @throws LakegateError `config` with every fault of the file
 */
export async function readConfig({ terminal, options }: CommandContext): Promise<LakeConfig> {
  const path = resolve(terminal.cwd, options.config ?? LAKE_YAML);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (
      (cause as NodeJS.ErrnoException).code === 'ENOENT' &&
      options.config === undefined &&
      options.stage === undefined
    ) {
      return embeddedConfig(terminal.cwd, terminal.env);
    }
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new LakegateError('config', `there is no ${path}; \`lakegate init\` makes one`);
    }
    throw new LakegateError('config', `cannot read ${path}`, { cause });
  }
  // Loaded only where there is a file to check: YAML and its validation are most of a small command's start.
  const [{ loadConfig }, { pyicebergCatalogs }] = await Promise.all([
    import('../config/load.ts'),
    import('../catalogs/pyiceberg-here.ts'),
  ]);
  return loadConfig(text, path, terminal.env, pyicebergCatalogs(terminal), options.stage);
}

/** Opens the lake, runs `work`, and closes what was opened. @param work hears whose AWS credentials they are, on a stage */
export async function withLake<T>(
  context: CommandContext,
  work: (lake: Lake, caller?: Caller) => Promise<T>,
  onStep: (step: Step) => void = () => undefined,
): Promise<T> {
  const config = await readConfig(context);
  // Before anything is opened: what is written with the credentials of another account goes wrong in ways that are hard to read.
  const caller = config.stage && (await checkCaller(context, config.stage));
  return withOpened(await atDeployedNessie(context, config), config, (lake) => work(lake, caller), onStep);
}

/** A stage's own Nessie has an address that its deployment gave it: the stack says which, unless the environment does. */
export async function atDeployedNessie(context: CommandContext, { name, stage }: LakeConfig): Promise<CommandContext> {
  const { terminal } = context;
  if (stage?.nessie === undefined || terminal.env.NESSIE_ENDPOINT) return context;
  const { stackReader } = await import('../aws/stack-facts.ts');
  const stack = await stackReader(stage.region)(`${name}-${stage.name}-nessie`);
  return { ...context, terminal: { ...terminal, env: { ...terminal.env, NESSIE_ENDPOINT: stack?.outputs.Endpoint } } };
}

/** As `withLake`, for a lake that was read already; nobody looks whose credentials they are. */
export async function withOpened<T>(
  { terminal, options }: CommandContext,
  config: LakeConfig,
  work: (lake: Lake) => Promise<T>,
  onStep: (step: Step) => void = () => undefined,
): Promise<T> {
  const lake = await composeLake(config, {
    env: terminal.env,
    cwd: terminal.cwd,
    onStep,
    onMetadataSize: (report) => terminal.err.write(`lakegate: ${describeMetadataSize(report)}\n`),
    onNotifyFault: (message) => terminal.err.write(`lakegate: ${message}\n`),
    ...(options.catalog === undefined ? {} : { catalog: options.catalog }),
  });
  try {
    return await work(lake);
  } finally {
    lake.close();
  }
}

/**
 * The stage that the command is about, for what is done with its parts rather than its tables.
 * @returns also `<name>-<stage>`, which starts the names of all of them
 * @throws LakegateError `usage` without `--stage`, `config` for credentials of another account
 */
export async function withStage(context: CommandContext): Promise<{ stage: StageConfig; prefix: string }> {
  const { options } = context;
  if (options.stage === undefined) {
    throw new LakegateError('usage', 'this is about a deployed stage: say which by --stage NAME');
  }
  const { name, stage } = await readConfig(context);
  await checkCaller(context, stage!);
  return { stage: stage!, prefix: `${name}-${stage!.name}` };
}

async function checkCaller({ terminal }: CommandContext, stage: StageConfig): Promise<Caller> {
  const { awsCaller, checkAccount } = await import('../aws/caller.ts');
  const caller = await awsCaller(stage.region, terminal.env);
  checkAccount(caller, stage);
  return caller;
}
