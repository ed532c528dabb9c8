import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { composeLake, type Lake } from '../../../src/compose.ts';
import { loadStages } from '../../../src/config/load.ts';
import type { StageConfig } from '../../../src/config/model.ts';
import type { DeliveryRecord } from '../../../src/gate/delivery.ts';
import { createS3Client } from '../../../src/storage/s3-client.ts';
import type { Emulator } from '../emulators/emulator.ts';
import { startMiniStack } from '../emulators/index.ts';
import { freePorts } from '../emulators/process.ts';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.ts';
import { type SlackServer, startSlack } from '../servers/slack.ts';
import { cdk } from './cdk.ts';

/** Name of the secret that a deployment's lake.yaml has for Slack's token, and the token in it. */
const SLACK_SECRET = 'lakegate/slack';
const SLACK_TOKEN = 'xoxb-local-stand-in';

/** A stage deployed onto the emulator, with everything around it. */
export interface Deployment {
  emulator: Emulator;
  /** All that the functions ask AWS for goes through it; tests and the CDK go past it. */
  proxy: FaultProxy;
  slack: SlackServer;
  stage: StageConfig;
  /** The lake as a person's machine opens it. */
  lake: Lake;
  /** @param lakeYaml another than at first, of the same name and stage */
  deploy(lakeYaml?: string): Promise<void>;
  destroy(): Promise<void>;
  /** Puts an object into the raw bucket, which is all that a producer does. */
  drop(key: string, bytes: Uint8Array): Promise<void>;
  /** The deliveries so far. */
  records(): Promise<DeliveryRecord[]>;
  /** How soon events whose handling failed come again. Seconds. @param queue end of its name: `gate`, `notify` */
  retryAfter(queue: string, seconds: number): Promise<void>;
  /** Messages in a queue that nobody has taken. @param queue end of its name: `gate-dead` */
  waiting(queue: string): Promise<number>;
  /** Sends what was given up back to its queue, as the console does. @param queue end of its name: `gate`, `notify` */
  redrive(queue: string): Promise<void>;
  /** Sums of a metric over all tables, as alarms see them, from the functions' logs. @param service end of the function's name */
  metric(service: string, name: string): Promise<number>;
  stop(): Promise<void>;
}

export interface DeploymentOptions {
  /** With one stage, `dev`, in the account 000000000000. */
  lakeYaml: string;
  onLine?: (line: string) => void;
}

/**
 * Starts the emulator, a Slack and a fault proxy, and bootstraps and deploys a lake.yaml with the CDK. AWS clients of this process talk to the
 * emulator from here on, by the variables that a person would set.
 * @throws Error with what failed; nothing is left running
 */
export async function startDeployment({ lakeYaml, onLine }: DeploymentOptions): Promise<Deployment> {
  const stops: (() => Promise<unknown> | unknown)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'lakegate-deployed-'));
    stops.push(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'lake.yaml'), lakeYaml);
    const slack = await startSlack({ token: SLACK_TOKEN });
    stops.push(slack.close);
    const [port] = await freePorts(1);
    const proxy = await startFaultProxy(`http://127.0.0.1:${port}`);
    stops.push(proxy.close);
    const emulator = await startMiniStack({
      port: port!,
      env: { SLACK_API_URL: slack.url, AWS_ENDPOINT_URL: proxy.endpoint, AWS_ENDPOINT_URL_S3: proxy.endpoint },
    });
    stops.push(emulator.stop);
    Object.assign(process.env, emulator.env);
    const run = (...args: string[]) => cdk(args, { env: emulator.env, folder, ...(onLine && { onLine }) });
    await run('bootstrap');
    const deploy = async (yaml?: string) => {
      if (yaml !== undefined) writeFileSync(join(folder, 'lake.yaml'), yaml);
      await run('deploy', '--all', '--require-approval', 'never', '--concurrency', '4');
    };
    await deploy();
    await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: SLACK_SECRET, SecretString: SLACK_TOKEN }));
    const [config] = loadStages(readFileSync(join(folder, 'lake.yaml'), 'utf8'), join(folder, 'lake.yaml'));
    const { stage } = config!;
    const nameOf = (part: string) => `${config!.name}-${stage.name}-${part}`;
    const lake = await composeLake(config!, { env: process.env, cwd: folder, notifier: { notify: async () => {} } });
    stops.push(lake.close);
    const s3: S3Client = createS3Client();
    stops.push(() => s3.destroy());
    return {
      emulator,
      proxy,
      slack,
      stage,
      lake,
      deploy,
      destroy: () => run('destroy', '--all', '--force'),
      async drop(key, bytes) {
        await s3.send(new PutObjectCommand({ Bucket: stage.buckets.raw.name, Key: key, Body: bytes }));
      },
      async records() {
        const found: DeliveryRecord[] = [];
        const unreadable = (fault: Error) => {
          throw fault;
        };
        for await (const { record } of lake.ports.records.list(unreadable)) found.push(record);
        return found;
      },
      retryAfter: (queue, seconds) => retryAfter(nameOf(queue), seconds),
      waiting: (queue) => waiting(nameOf(queue)),
      redrive: (queue) => redrive(nameOf(queue)),
      async metric(service, name) {
        await flushLogs(nameOf(service));
        return metricOf(emulator.log(), nameOf(service), name);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The lines of lake.yaml that make the deployment's Slack and stage. */
export const LAKE_YAML_ENDS = `
notify:
  suppress_for: 1s
  slack: { channel: "#lake", token_secret: ${SLACK_SECRET} }
stages:
  dev:
    account: "000000000000"
    region: us-east-1
    gate: { batch_window: 1s, concurrency: 4, timeout: 30s, attempts: 6 }
`;

async function urlOf(queue: string): Promise<string> {
  const { QueueUrl } = await new SQSClient({}).send(new GetQueueUrlCommand({ QueueName: queue }));
  return QueueUrl!;
}

async function retryAfter(queue: string, seconds: number): Promise<void> {
  const Attributes = { VisibilityTimeout: String(seconds) };
  await new SQSClient({}).send(new SetQueueAttributesCommand({ QueueUrl: await urlOf(queue), Attributes }));
}

async function waiting(queue: string): Promise<number> {
  const name = 'ApproximateNumberOfMessages';
  const asked = new GetQueueAttributesCommand({ QueueUrl: await urlOf(queue), AttributeNames: [name] });
  return Number((await new SQSClient({}).send(asked)).Attributes?.[name]);
}

/** Message by message, since the emulator has no StartMessageMoveTask. */
async function redrive(queue: string): Promise<void> {
  const sqs = new SQSClient({});
  const [from, to] = [await urlOf(`${queue}-dead`), await urlOf(queue)];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: from, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return;
    for (const { Body, ReceiptHandle } of Messages) {
      await sqs.send(new SendMessageCommand({ QueueUrl: to, MessageBody: Body }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle }));
    }
  }
}

/** As many instances as a function has here at most, and one to spare. */
const INSTANCES = 6;

/**
 * The emulator reads what an instance wrote for a moment after each invocation; what comes later it reads at the instance's next one. What S3 sends to
 * try a queue out does nothing else.
 */
async function flushLogs(functionName: string): Promise<void> {
  const client = new LambdaClient({});
  const body = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent' });
  const Payload = JSON.stringify({ Records: [{ messageId: 'flush', eventSource: 'aws:sqs', body, attributes: {} }] });
  const invoke = async () => {
    const { FunctionError } = await client.send(new InvokeCommand({ FunctionName: functionName, Payload }));
    if (FunctionError !== undefined)
      throw new Error(`${functionName} ends with ${FunctionError} at a test event of S3`);
  };
  await Promise.all(Array.from({ length: INSTANCES }, invoke));
}

/** The part of an EMF line that matters here. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
interface EmfLine {
  _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string }[] }[] };
  service: string;
  [name: string]: unknown;
}

function metricOf(log: string, service: string, name: string): number {
  let sum = 0;
  for (const line of log.split('\n')) {
    if (!line.startsWith('{"_aws"')) continue;
    const emf = JSON.parse(line) as EmfLine;
    const isMeant = emf._aws.CloudWatchMetrics.some(
      ({ Dimensions, Metrics }) =>
        Dimensions.some((set) => set.join() === 'service') && Metrics.some(({ Name }) => Name === name),
    );
    if (isMeant && emf.service === service)
      sum += [emf[name]].flat().reduce((total: number, value) => total + Number(value), 0);
  }
  return sum;
}
