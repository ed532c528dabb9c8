import { Stack, type StackProps } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { PipelinesConfig } from '../../src/config/pipelines-model.ts';
import { machinePart } from '../../src/pipelines/machine.ts';
import type { Grant } from '../constructs/grants.ts';
import { LakegateFunction } from '../constructs/lakegate-function.ts';
import { LakegateMachine, type LakegateMachineProps } from '../constructs/lakegate-machine.ts';
import { longestSeconds, pipelineDefinition } from '../constructs/pipeline-definition.ts';
import { PipelineStarts } from '../constructs/pipeline-starts.ts';
import { runAllDefinition } from '../constructs/run-all-definition.ts';
import { SplitJob } from '../constructs/split-job.ts';
import {
  type OnePipeline,
  pipelinesOf,
  runAllGrants,
  statementGrants,
  tablesFunctionGrants,
  usesAthena,
  usesSpark,
} from '../constructs/tables-grants.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

export interface TablesStackProps extends StackProps {
  lake: StageLake;
  pipelines: PipelinesConfig;
  /** Folder with the function's bundle. */
  code: string;
  /** Encrypts the logs of the Glue job. */
  key: IKey;
  email?: ITopic;
}

/** Seconds that a step may take: as long as Lambda lets it. A piece of a copy that is not done by then is gone on with. */
const TIMEOUT = 900;

/** Megabytes: footers of files with some two thousand columns, and a piece of a copy. */
const MEMORY = 3008;

/** The pipelines of wide snapshots: state machines that audit, split and register, the function behind their steps, and Glue's job where rows move. */
export class TablesStack extends Stack {
  constructor(scope: Construct, id: string, { lake, pipelines, code, key, email, ...props }: TablesStackProps) {
    super(scope, id, props);
    const names = stageNames(lake);
    const all = pipelinesOf(pipelines);
    const mail = { ...(email && { email }) };
    const worker = new LakegateFunction(this, 'Worker', {
      lake,
      name: 'tables',
      description: 'Does the steps of the pipelines: checks, audits, copies and registers',
      code,
      memory: MEMORY,
      timeout: TIMEOUT,
      grants: tablesFunctionGrants(lake, pipelines),
      ...mail,
    });
    const isSpark = usesSpark(lake);
    const job = isSpark ? new SplitJob(this, 'Split', { lake, pipelines, key }) : undefined;
    const { timeoutMinutes } = pipelines.glue;
    const splitsOf = ({ engine, sources }: OnePipeline) => (engine === 'spark' ? sources.length : 0);

    const machines = all.map((pipeline) => {
      const { name, engine } = pipeline;
      const glueJob = engine === 'spark' ? job?.jobName : undefined;
      const machine = new LakegateMachine(this, name === 'bucketed' ? 'Bucketed' : 'Partitioned', {
        lake,
        part: machinePart(name),
        ...alarmWords(`The pipeline ${name}`),
        definition: pipelineDefinition({
          pipeline: name,
          worker: names.arn('lambda', `function:${names.of('tables')}`),
          bus: names.bus,
          concurrency: pipelines.concurrency,
          er: name === 'partitioned' && pipeline.entityResolution !== undefined,
          splits: splitsOf(pipeline),
          timeoutMinutes,
          ...(glueJob !== undefined && { glueJob }),
          ...(usesAthena(pipeline) && { workgroup: names.workgroup }),
        }),
        grants: machineGrants(lake, pipeline, glueJob),
        ...mail,
      });
      machine.node.addDependency(worker);
      if (job) machine.node.addDependency(job);
      return machine;
    });
    const runAll = new LakegateMachine(this, 'RunAll', {
      lake,
      part: machinePart('run-all'),
      ...alarmWords('A run of the pipelines'),
      definition: runAllDefinition(
        Object.fromEntries(
          all.map(({ name }) => [name, names.arn('states', `stateMachine:${names.of(machinePart(name))}`)]),
        ),
        Math.max(...all.map((pipeline) => longestSeconds({ splits: splitsOf(pipeline), timeoutMinutes }))),
      ),
      grants: runAllGrants(lake, pipelines),
      ...mail,
    });
    for (const machine of machines) runAll.node.addDependency(machine);
    new PipelineStarts(this, 'Starts', { lake, pipelines, runAll: runAll.stateMachine, ...mail });
  }
}

/** What alarms on a state machine say. @param what in their sentences: `The pipeline bucketed` */
function alarmWords(what: string): Pick<LakegateMachineProps, 'failed' | 'late'> {
  const heading = 'A pipeline failed';
  return {
    failed: { summary: `${what} could not do all of its work.`, heading },
    late: { summary: `${what} was ended because it took too long.`, heading },
  };
}

/** @see https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html and …/connect-athena.html */
function machineGrants(lake: StageLake, pipeline: OnePipeline, glueJob: string | undefined): Grant[] {
  const { arn, bus, of } = stageNames(lake);
  return [
    { actions: ['lambda:InvokeFunction'], resources: [arn('lambda', `function:${of('tables')}`)] },
    { actions: ['events:PutEvents'], resources: [arn('events', `event-bus/${bus}`)] },
    ...(glueJob === undefined
      ? []
      : [
          {
            actions: ['glue:BatchStopJobRun', 'glue:GetJobRun', 'glue:GetJobRuns', 'glue:StartJobRun'],
            resources: [arn('glue', `job/${glueJob}`)],
          },
        ]),
    ...statementGrants(lake, pipeline),
  ];
}
