/** A real S3 server in its own process, on a free loopback port, over a folder of the test's. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './freePort.ts';
import { end, spawnTied } from './tied.ts';

/** Most are up in 50 to 600 ms; on a busy machine it may take a hundred times that. */
const START_MS = 10_000;
const START_WAIT_MS = 25;

/** In its folder: what it wrote to stdout and stderr. */
const LOG = 'server.log';

/** Of the log, in an error. */
const WORDS = 2000;

export interface S3Server {
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

export interface S3Program {
  readonly name: string;
  /** `address` is host and port to listen on, `data` a folder that exists. */
  readonly command: (place: { readonly address: string; readonly data: string }) => [string, ...string[]];
  /** Keys not in the arguments, which every user of the machine can read. */
  readonly env: (keys: {
    readonly accessKey: string;
    readonly secretKey: string;
  }) => Readonly<Record<string, string>>;
  /** Answers 200 once it serves. */
  readonly healthPath: string;
  /** How long it may take until then, where it is slower than others. */
  readonly startMs?: number;
}

/** `folder` is an absolute one that it may fill. */
export async function startS3Server(program: S3Program, folder: string): Promise<S3Server> {
  const accessKey = `AK${randomBytes(9).toString('hex')}`;
  const secretKey = randomBytes(24).toString('hex');
  const address = `127.0.0.1:${await freePort()}`;
  const endpoint = `http://${address}`;
  const data = join(folder, 'data');
  await mkdir(data, { recursive: true });
  let child: ChildProcess;

  const launch = async () => {
    const env = program.env({ accessKey, secretKey });
    // Its last words are worth having, whichever start they are of.
    const log = await open(join(folder, LOG), 'a');
    child = spawnTied(program.command({ address, data }), 'KILL', {
      env,
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    await healthy(program, endpoint, child).catch(async (error: unknown) => {
      await end(child, 'SIGKILL');
      const words = (await readFile(join(folder, LOG), 'utf8')).slice(-WORDS);
      throw new Error(`${program.name}: ${words.trim() || error}`, { cause: error });
    });
  };
  await launch();
  return {
    endpoint,
    region: 'us-east-1',
    accessKey,
    secretKey,
    get pid() {
      return child.pid ?? -1;
    },
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    restart: launch,
  };
}

async function healthy(
  { name, healthPath, startMs = START_MS }: S3Program,
  endpoint: string,
  child: ChildProcess,
): Promise<void> {
  for (let tries = 0; tries < startMs / START_WAIT_MS; tries += 1) {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null) throw new Error(`${name} ended with ${ended} before it served`);
    const answer = await fetch(`${endpoint}${healthPath}`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await sleep(START_WAIT_MS);
  }
  throw new Error(`${name} did not serve within ${startMs} ms`);
}
