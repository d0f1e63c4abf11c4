/** A real S3 server in its own process, on a free loopback port, over a folder of the test's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** It is up in some 50 ms; on a busy machine it may take a hundred times that. */
const START_TRIES = 200;
const START_WAIT_MS = 50;

export interface Versitygw {
  readonly endpoint: string;
  readonly region: string;
  /** Made anew for every start. */
  readonly accessKey: string;
  readonly secretKey: string;
  readonly pid: number;
  /** Ends it in good order, with its process. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** After `kill` or `stop`: the same port, keys and data. */
  restart(): Promise<void>;
}

/** `path` is the binary, `folder` an absolute one that it may fill. */
export async function startVersitygw(path: string, folder: string): Promise<Versitygw> {
  const accessKey = `AK${randomBytes(9).toString('hex')}`;
  const secretKey = randomBytes(24).toString('hex');
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  let child: ChildProcess;

  async function launch(): Promise<void> {
    const data = join(folder, 'data');
    await mkdir(data, { recursive: true });
    const address = ['--port', `127.0.0.1:${port}`, '--health', '/health', '--quiet', '--keep-alive'];
    child = spawn(path, [...address, 'posix', data], {
      // Not in the arguments, which every user of the machine can read.
      env: { ROOT_ACCESS_KEY_ID: accessKey, ROOT_SECRET_ACCESS_KEY: secretKey },
      stdio: 'ignore',
    });
    await healthy(endpoint, child);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  await launch();
  return {
    endpoint,
    region: 'us-east-1',
    accessKey,
    secretKey,
    get pid() {
      return child.pid ?? -1;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: launch,
  };
}

async function healthy(endpoint: string, child: ChildProcess): Promise<void> {
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  for (let tries = 0; tries < START_TRIES; tries += 1) {
    if (failed) throw failed;
    if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode} before it served`);
    const answer = await fetch(`${endpoint}/health`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await sleep(START_WAIT_MS);
  }
  child.kill('SIGKILL');
  throw new Error(`versitygw did not serve within ${START_TRIES * START_WAIT_MS} ms`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('no free port');
}
