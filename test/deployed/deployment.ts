/** The service on an emulator, with a real POP3 server beside it, and what a test may ask of both. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { EXIT } from '../../bin/exitCodes.ts';
import { startMailferry } from '../bin/harness.ts';
import { type Dovecot, startDovecot } from '../servers/dovecot.ts';
import { type Emulator, REGION, startEmulator } from './emulator.ts';
import { type Service, STAGE, stageService } from './service.ts';

const ACCOUNT = '000000000000';
const NAME = `mailferry-${STAGE}`;

/** What is waited for takes a second or two; functions start slowly on a busy machine. */
const WAIT_MS = 45_000;
const LOOK_MS = 200;

/** Fifteen seconds; on a machine with much else to do, ten times that. */
export const DEPLOY_MS = 240_000;

export const BUCKET = `${NAME}-${ACCOUNT}-${REGION}`;

/** As the envelope has it, of events on the bus. */
export interface Announced {
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Parts {
  readonly ministack: string;
  readonly osls: string;
  readonly dovecot: string;
}

export interface Deployment {
  readonly emulator: Emulator;
  readonly service: Service;
  readonly dovecot: Dovecot;
  /** Those that a mailbox of ours may sign in with, and one beyond the prefix. */
  readonly secrets: { readonly ours: string; readonly elsewhere: string };
  setSecret(name: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** `mailferry mailboxes apply` of these and no others, as a person writes them; resolves with its words. */
  apply(mailboxes: readonly object[]): Promise<string>;
  /** Puts a job on the queue, as dispatch does. */
  job(mailbox: string): Promise<void>;
  call(name: 'dispatch', event: object): Promise<void>;
  keys(prefix: string): Promise<readonly string[]>;
  object(key: string): Promise<Buffer>;
  /** All that were announced so far, in the order they came. */
  events(): Promise<readonly Announced[]>;
  stop(): Promise<void>;
}

export async function deploy(parts: Parts, options: { readonly rights: boolean }): Promise<Deployment> {
  const [emulator, service, dovecot] = await Promise.all([
    startEmulator(parts.ministack, options),
    stageService(parts.osls),
    startDovecot(parts.dovecot, { users: 2 }),
  ]);
  const stop = async () => {
    await Promise.all([emulator.stop(), dovecot.stop(), service.remove()]);
  };
  try {
    const words = await service.osls(['deploy', ...EMULATED], emulator.env);
    if (!words.includes('Service deployed')) throw new Error(words);
    const asked = asking(emulator, service);
    if (options.rights) await withoutBucketPolicy(emulator);
    await observe(emulator);
    return {
      emulator,
      service,
      dovecot,
      secrets: { ours: 'mailferry/test', elsewhere: 'elsewhere/test' },
      ...asked,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The Dovecot is on this very machine. */
export const EMULATED = ['--param', 'target=emulator', '--param', 'privateAddresses=true'] as const;

/** What is said by `look`, once it says something; an error that names `what` if it does not within `waitMs`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  waitMs = WAIT_MS,
): Promise<T> {
  const endMs = Date.now() + waitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > endMs) throw new Error(`${what}: not within ${waitMs} ms`);
    await sleep(LOOK_MS);
  }
}

type Asked = Omit<Deployment, 'emulator' | 'service' | 'dovecot' | 'secrets' | 'stop'>;

function asking({ client, call, endpoint, env }: Emulator, service: Service): Asked {
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const vault = new SecretsManagerClient(client);
  const known = new Set<string>();
  const announced: Announced[] = [];
  const sqs = (action: string, body: object) => call('sqs', { target: `AmazonSQS.${action}`, body });
  return {
    async setSecret(name, values) {
      const SecretString = JSON.stringify(values);
      if (known.has(name)) await vault.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
      else await vault.send(new CreateSecretCommand({ Name: name, SecretString }));
      known.add(name);
    },
    async apply(mailboxes) {
      const file = join(service.folder, 'mailboxes.yaml');
      await writeFile(file, JSON.stringify({ mailboxes }));
      const bucket = ['--bucket', BUCKET, '--endpoint', endpoint];
      const argv = ['mailboxes', 'apply', file, '--yes', '--remove', ...bucket];
      const { code, stdout, stderr } = await startMailferry(argv, { cwd: service.folder, env }).ended;
      if (code !== EXIT.done) throw new Error(`mailferry ${argv.join(' ')}: ${code} ${stdout}${stderr}`);
      return stdout;
    },
    async job(mailbox) {
      const slot = new Date().toISOString();
      await sqs('SendMessage', {
        QueueUrl: `${endpoint}/${ACCOUNT}/${NAME}-jobs.fifo`,
        MessageBody: JSON.stringify({ v: 1, bundle: mailbox, slot, mailboxes: [mailbox] }),
        MessageGroupId: mailbox,
        MessageDeduplicationId: randomBytes(16).toString('hex'),
      });
    },
    async call(name, event) {
      const path = `/2015-03-31/functions/${NAME}-${name}/invocations`;
      const answer = await call('lambda', { path, body: event });
      if (answer !== null && typeof answer === 'object' && 'errorMessage' in answer)
        throw new Error(`${name}: ${JSON.stringify(answer)}`);
    },
    async keys(prefix) {
      const found: string[] = [];
      for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: BUCKET, Prefix: prefix }))
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) found.push(Key);
      return found;
    },
    async object(key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    async events() {
      const QueueUrl = `${endpoint}/${ACCOUNT}/${OBSERVER}`;
      for (;;) {
        const answer = await sqs('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 });
        const { Messages = [] } = answer as { Messages?: { Body: string; ReceiptHandle: string }[] };
        if (Messages.length === 0) return announced;
        for (const { Body, ReceiptHandle } of Messages) {
          announced.push(JSON.parse(Body) as Announced);
          await sqs('DeleteMessage', { QueueUrl, ReceiptHandle });
        }
      }
    },
  };
}

const OBSERVER = 'observer';

/** A rule and a queue of a consumer's, beside ours. */
async function observe({ client, call }: Emulator): Promise<void> {
  const bus = new EventBridgeClient(client);
  const rule = { Name: OBSERVER, EventBusName: NAME };
  const Arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${OBSERVER}`;
  const { RuleArn } = await bus.send(
    new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ source: ['mailferry'] }) }),
  );
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: Arn,
    Condition: { ArnEquals: { 'aws:SourceArn': RuleArn } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await call('sqs', {
    target: 'AmazonSQS.CreateQueue',
    body: { QueueName: OBSERVER, Attributes: { Policy } },
  });
  await bus.send(
    new PutTargetsCommand({ Rule: OBSERVER, EventBusName: NAME, Targets: [{ Id: OBSERVER, Arn }] }),
  );
}

/**
 * Where it enforces policies the emulator takes the bucket's for a refusal of everything: it has no TLS, and does not know the
 * conditions of writes. What that policy says is held in template.test.ts.
 */
async function withoutBucketPolicy({ client }: Emulator): Promise<void> {
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  await s3.send(new DeleteBucketPolicyCommand({ Bucket: BUCKET }));
}
