/**
 * AWS in one process: ministack, on a free loopback port. What it gets wrong, and what a test must not conclude from it: it keeps
 * no memory limit, hands FIFO jobs over one at a time, repeats no failed call of the schedule, says the schedule's time by the
 * placeholder's name, and knows neither s3:if-none-match nor s3:ObjectCreationOperation.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../servers/freePort.ts';
import { end, spawnTied } from '../servers/tied.ts';

/** It is up in a quarter of a second; on a busy machine it may take a hundred times that. */
const START_TRIES = 250;
const START_WAIT_MS = 100;

/** Of its log, in an error. */
const WORDS = 2000;

export const REGION = 'us-east-1';

/** Whoever has these may do everything there. */
const OWNER = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface Emulator {
  readonly endpoint: string;
  /** For an SDK's client. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: typeof OWNER;
  };
  /** For a program that has an SDK. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls with the owner's rights; AWS's JSON protocol where `target` is given, else REST. Rejects unless 2xx. */
  call(
    service: string,
    request: { readonly target?: string; readonly path?: string; readonly body: object },
  ): Promise<unknown>;
  stop(): Promise<void>;
}

/** `python` is the part's (MAILFERRY_MINISTACK). `rights`: whether policies are enforced, as AWS always does. */
export async function startEmulator(python: string, { rights }: { rights: boolean }): Promise<Emulator> {
  const folder = await mkdtemp(join(tmpdir(), 'emulator-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const log = await open(join(folder, 'log'), 'a');
  const child = spawnTied([python, '-m', 'ministack'], 'TERM', {
    // Its functions inherit all of this, so nothing of the test's own is in it.
    env: {
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: folder,
      TMPDIR: folder,
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      AUTH: String(rights),
      LOG_LEVEL: 'WARNING',
    },
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const stop = async () => {
    await end(child, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(endpoint, child);
  } catch (error) {
    const words = (await readFile(join(folder, 'log'), 'utf8')).slice(-WORDS);
    await stop();
    throw new Error(`ministack did not start: ${words.trim() || error}`, { cause: error });
  }
  return {
    endpoint,
    client: { endpoint, region: REGION, credentials: OWNER },
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: OWNER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: OWNER.secretAccessKey,
    },
    call: (service, request) => call(endpoint, service, request),
    stop,
  };
}

async function ready(endpoint: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < START_TRIES && child.exitCode === null; tries += 1) {
    const answer = await fetch(`${endpoint}/_ministack/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(START_WAIT_MS);
  }
  throw new Error(child.exitCode === null ? 'it did not answer' : `it ended with ${child.exitCode}`);
}

async function call(
  endpoint: string,
  service: string,
  { target, path = '/', body }: Parameters<Emulator['call']>[1],
): Promise<unknown> {
  const answer = await fetch(`${endpoint}${path}`, {
    method: 'POST',
    headers: {
      'content-type': target === undefined ? 'application/json' : 'application/x-amz-json-1.1',
      ...(target === undefined ? {} : { 'x-amz-target': target }),
      // It takes the caller and the service from here, and checks no signature.
      authorization: `AWS4-HMAC-SHA256 Credential=${OWNER.accessKeyId}/20261129/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${service} ${target ?? path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
